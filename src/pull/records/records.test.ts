import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseImageName } from "../../image/index.ts";
import { Login } from "../../support/login.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { loginOf } from "../testing/logins.ts";
import { decodeRecord, encodeRecord, fileName, type PulledRecord } from "./format.ts";
import { openPullRecords, type PullRecords } from "./index.ts";
import { type VerificationPolicy, verificationPolicies } from "./verification.ts";

const image = "acme.io/app:1";
const imageRef = "sha256:abc";
const clock = manualClock(Date.UTC(2026, 0, 1));
const alice = loginOf("regcred", "alice");
const builder = { uid: "uid-sa", namespace: "default", name: "builder" };
const account = accountLogin();

/** A login that a credential provider gave for a service account: each answer may have another password. */
function accountLogin(changed: Partial<typeof builder> = {}, password = "x"): Login {
  const origin = { kind: "serviceAccount", ...builder, ...changed } as const;
  return new Login("plugin", { kind: "password", username: "sa", password }, origin);
}

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "pulley-records-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

function open(policy?: VerificationPolicy, allowlist: readonly string[] = []): PullRecords {
  const settings = {
    imagePullCredentialsVerificationPolicy: policy,
    preloadedImagesVerificationAllowlist: allowlist,
  };
  return openPullRecords(root, settings, clock);
}

const pulledFile = () => join(root, "image_manager", "pulled", fileName(imageRef));
const readRecord = async (): Promise<PulledRecord> => decodeRecord(await readFile(pulledFile(), "utf8"));

async function pull(login: Login | undefined, name = image): Promise<void> {
  const records = open();
  await records.begin(parseImageName(name));
  await records.succeed(parseImageName(name), imageRef, login);
}

interface Row {
  readonly situation: string;
  readonly before: () => Promise<void>;
  readonly logins: readonly Login[];
  /** Under each of the four policies; under the allow-list for an image that is in it, then for one that is not. */
  readonly use: Readonly<Record<"never" | "preloaded" | "listed" | "unlisted" | "always", boolean>>;
}

const everywhere = { never: true, preloaded: true, listed: true, unlisted: true, always: true };
const unverified = { never: true, preloaded: false, listed: true, unlisted: false, always: false };
const nowhere = { never: false, preloaded: false, listed: false, unlisted: false, always: false };

/** KEP-2535, as the kubelet 1.36 does it: an image that is here, under IfNotPresent. */
const table: readonly Row[] = [
  { situation: "preloaded", before: async () => undefined, logins: [alice], use: { ...unverified, preloaded: true } },
  { situation: "intent only", before: () => open().begin(parseImageName(image)), logins: [alice], use: unverified },
  {
    situation: "record of another name",
    before: () => pull(alice, "acme.io/other:1"),
    logins: [alice],
    use: unverified,
  },
  { situation: "record for all pods of the node", before: () => pull(undefined), logins: [], use: everywhere },
  {
    situation: "record of the node's own login",
    before: () => pull(new Login("node", { kind: "identityToken", token: "t" }, { kind: "node" })),
    logins: [],
    use: everywhere,
  },
  {
    situation: "record of a login that somebody typed in",
    before: () => pull(new Login("typed", { kind: "identityToken", token: "t" })),
    logins: [alice],
    use: unverified,
  },
  { situation: "record of the pod's secret", before: () => pull(alice), logins: [alice], use: everywhere },
  {
    situation: "record of another secret with the same login",
    before: () => pull(alice),
    logins: [loginOf("copy", "alice")],
    use: everywhere,
  },
  {
    situation: "record of the pod's secret, whose login has changed",
    before: () => pull(alice),
    logins: [loginOf("regcred", "alice", "changed")],
    use: everywhere,
  },
  {
    situation: "record of another secret",
    before: () => pull(alice),
    logins: [loginOf("other", "bob")],
    use: unverified,
  },
  { situation: "record of a secret, a pod without any", before: () => pull(alice), logins: [], use: unverified },
  { situation: "record of the pod's service account", before: () => pull(account), logins: [account], use: everywhere },
  {
    situation: "record of the pod's service account, which has another login by now",
    before: () => pull(account),
    logins: [accountLogin({}, "changed")],
    use: everywhere,
  },
  ...[{ uid: "uid-new" }, { namespace: "prod" }, { name: "other" }].map((changed) => ({
    situation: `record of a service account, a pod of one with ${JSON.stringify(changed)}`,
    before: () => pull(account),
    logins: [accountLogin(changed)],
    use: unverified,
  })),
  {
    situation: "record of a service account, a pod with a secret that holds the same login",
    before: () => pull(account),
    logins: [loginOf("copy", "sa", "x")],
    use: unverified,
  },
  {
    situation: "record of a secret, a pod whose service account was given the same login",
    before: () => pull(loginOf("regcred", "sa", "x")),
    logins: [account],
    use: unverified,
  },
  {
    situation: "record of a service account, a pod that has it only in the second place",
    before: () => pull(account),
    logins: [accountLogin({ name: "other" }), account],
    use: unverified,
  },
  {
    situation: "record of a secret, a pod that has the same login as the node",
    before: () => pull(alice),
    logins: [new Login("node", alice.reveal(), { kind: "node" })],
    use: unverified,
  },
  {
    situation: "record of the pod's secret under the same name with another tag",
    before: () => pull(alice, "acme.io/app:2"),
    logins: [alice],
    use: everywhere,
  },
  {
    situation: "record of the pod's secret under a digest of the same name",
    before: () => pull(alice, `acme.io/app@sha256:${"a".repeat(64)}`),
    logins: [alice],
    use: everywhere,
  },
  {
    situation: "record for all pods of the node, but under another name",
    before: () => pull(undefined, "acme.io/public:1"),
    logins: [],
    use: unverified,
  },
  {
    situation: "record that cannot be read",
    before: async () => {
      await pull(alice);
      await writeFile(pulledFile(), "{}");
    },
    logins: [alice],
    use: nowhere,
  },
];

describe("whether a pod may use an image that is here", () => {
  it.each(table)("$situation", async ({ before, logins, use }) => {
    await before();
    const mayUse = async (policy: VerificationPolicy, allowlist: readonly string[] = []) => {
      const result = await open(policy, allowlist).access(parseImageName(image), imageRef, async () => logins);
      return result === "credentialPolicyAllowed" || result === "credentialRecordFound";
    };
    expect({
      never: await mayUse("NeverVerify"),
      preloaded: await mayUse("NeverVerifyPreloadedImages"),
      listed: await mayUse("NeverVerifyAllowlistedImages", ["acme.io/*"]),
      unlisted: await mayUse("NeverVerifyAllowlistedImages", ["acme.io/team/*"]),
      always: await mayUse("AlwaysVerify"),
    }).toEqual(use);
  });

  it("is not asked of the pod's logins where the record does not need them", async () => {
    await pull(undefined);
    const failing = () => Promise.reject(new Error("asked"));
    expect(await open("AlwaysVerify").access(parseImageName(image), imageRef, failing)).toBe("credentialRecordFound");
    expect(await open("NeverVerify").access(parseImageName(image), imageRef, failing)).toBe("credentialPolicyAllowed");
  });

  it("fails as the look-up of the pod's logins fails", async () => {
    await pull(alice);
    await expect(
      open().access(parseImageName(image), imageRef, () => Promise.reject(new Error("broken"))),
    ).rejects.toThrow("broken");
  });

  it.each(verificationPolicies)("%s: an image that is being pulled counts as pulled here", async (policy) => {
    const records = open(policy, ["acme.io/app"]);
    await records.begin(parseImageName(image));
    const expected = policy === "NeverVerify" || policy === "NeverVerifyAllowlistedImages";
    expect(await records.access(parseImageName(image), imageRef, async () => [])).toBe(
      expected ? "credentialPolicyAllowed" : "mustAuthenticate",
    );
  });
});

describe("what is recorded", () => {
  it("is an intent while a pull is going on, and a record afterwards, for nobody else to read", async () => {
    const records = open();
    await records.begin(parseImageName(image));
    const pulling = join(root, "image_manager", "pulling");
    expect(await readdir(pulling)).toEqual([fileName(image)]);
    expect((await stat(pulling)).mode & 0o777).toBe(0o700);
    expect((await stat(join(pulling, fileName(image)))).mode & 0o777).toBe(0o600);
    await records.succeed(parseImageName(image), imageRef, alice);
    expect(await readdir(pulling)).toEqual([]);
    expect(await readRecord()).toMatchObject({ imageRef, lastUpdated: clock.now() });
  });

  it("keeps the intent as long as one of several pulls goes on", async () => {
    const records = open();
    await records.begin(parseImageName(image));
    await records.begin(parseImageName(image));
    await records.fail(parseImageName(image));
    expect(await readdir(join(root, "image_manager", "pulling"))).toHaveLength(1);
    await records.fail(parseImageName(image));
    expect(await readdir(join(root, "image_manager", "pulling"))).toEqual([]);
  });

  it("adds secrets in order, and gives way to everybody", async () => {
    await pull(loginOf("b", "bob"));
    await pull(loginOf("a", "alice"));
    await pull(loginOf("b", "bob", "changed"));
    const entry = async () => (await readRecord()).credentials.get("acme.io/app");
    expect((await entry())?.kubernetesSecrets.map(({ name }) => name)).toEqual(["a", "b"]);
    await pull(undefined);
    const everybody = { kubernetesSecrets: [], kubernetesServiceAccounts: [], nodePodsAccessible: true };
    expect(await entry()).toEqual(everybody);
    await pull(alice);
    expect(await entry()).toEqual(everybody);
  });

  it("is written only where it changes something", async () => {
    await pull(alice);
    const first = await stat(pulledFile());
    await pull(alice);
    expect((await stat(pulledFile())).ino).toBe(first.ino);
  });

  it("follows a secret whose login has changed", async () => {
    await pull(alice);
    const changed = loginOf("regcred", "alice", "changed");
    await open().access(parseImageName(image), imageRef, async () => [changed]);
    expect(
      await open().access(parseImageName(image), imageRef, async () => [loginOf("copy", "alice", "changed")]),
    ).toBe("credentialRecordFound");
    expect(await open().access(parseImageName(image), imageRef, async () => [loginOf("old", "alice")])).toBe(
      "mustAuthenticate",
    );
  });

  it("takes no more than a hundred secrets, and then trusts equal logins only", async () => {
    const secrets = Array.from({ length: 100 }, (_, at) => ({
      uid: `uid-s${at}`,
      namespace: "default",
      name: `s${at}`,
      credentialHash: "",
    }));
    await pull(alice);
    const record = await readRecord();
    const granted = { kubernetesSecrets: secrets, kubernetesServiceAccounts: [], nodePodsAccessible: false };
    await writeFile(pulledFile(), encodeRecord({ ...record, credentials: new Map([["acme.io/app", granted]]) }));
    expect(await open().access(parseImageName(image), imageRef, async () => [loginOf("s7", "alice")])).toBe(
      "mustAuthenticate",
    );
  });

  it("replaces what was recorded of secrets by everybody, and keeps accounts beside secrets", async () => {
    await pull(alice);
    await pull(account);
    const entry = async () => (await readRecord()).credentials.get("acme.io/app");
    expect(await entry()).toMatchObject({
      kubernetesSecrets: [{ name: "regcred" }],
      kubernetesServiceAccounts: [builder],
    });
    await pull(accountLogin({}, "changed"));
    expect((await entry())?.kubernetesServiceAccounts).toEqual([builder]);
  });

  it("is overwritten where it could not be read; that is told", async () => {
    await pull(alice);
    await writeFile(pulledFile(), "{}");
    const told: string[] = [];
    const records = openPullRecords(root, {}, clock, (message) => told.push(message));
    expect(await records.access(parseImageName(image), imageRef, async () => [alice])).toBe("error");
    expect(told).toEqual([`failed to deserialize content of file "${pulledFile()}" into ImagePulledRecord`]);
    await records.begin(parseImageName(image));
    await records.succeed(parseImageName(image), imageRef, alice);
    expect(await records.access(parseImageName(image), imageRef, async () => [alice])).toBe("credentialRecordFound");
  });

  it("is not read where it is larger than any record", async () => {
    await pull(undefined);
    await writeFile(pulledFile(), " ".repeat(5 * 1024 * 1024));
    expect(await open("NeverVerify").access(parseImageName(image), imageRef, async () => [])).toBe("error");
  });

  it("counts for nothing in a file that has another image's name", async () => {
    await pull(undefined);
    const { credentials, lastUpdated } = await readRecord();
    await writeFile(pulledFile(), encodeRecord({ imageRef: "sha256:other", credentials, lastUpdated }));
    expect(await open("AlwaysVerify").access(parseImageName(image), imageRef, async () => [])).toBe("mustAuthenticate");
    expect(await open().access(parseImageName(image), imageRef, async () => [])).toBe("credentialPolicyAllowed");
  });

  it("stays an intent where the record cannot be written", async () => {
    await mkdir(join(root, "image_manager"));
    await writeFile(join(root, "image_manager", "pulled"), "in the way");
    const told: string[] = [];
    const records = openPullRecords(root, {}, clock, (message) => told.push(message));
    await records.begin(parseImageName(image));
    await records.succeed(parseImageName(image), imageRef, alice);
    expect(await readdir(join(root, "image_manager", "pulling"))).toEqual([fileName(image)]);
    expect(told.map((message) => message.replace(root, ""))).toEqual([
      expect.stringMatching(/^failed to create directory "\/image_manager\/pulled": /),
    ]);
  });
});

describe("what an earlier run left", () => {
  it("is an intent whose image is here: from then on it must be asked for", async () => {
    await open().begin(parseImageName(image));
    await open().begin(parseImageName("acme.io/gone:1"));
    const records = open();
    await records.recover([{ id: imageRef, repoTags: [image], repoDigests: [] }]);
    expect((await readRecord()).credentials.size).toBe(0);
    expect(await readdir(join(root, "image_manager", "pulling"))).toEqual([fileName("acme.io/gone:1")]);
    expect(await records.access(parseImageName(image), imageRef, async () => [alice])).toBe("mustAuthenticate");
  });

  it("is an intent for a short name, whose image the runtime knows by its full one", async () => {
    const full = "docker.io/library/nginx:1.27";
    await open().begin(parseImageName("nginx:1.27"));
    const records = open();
    await records.recover([{ id: imageRef, repoTags: [full], repoDigests: [] }]);
    expect(await readdir(join(root, "image_manager", "pulling"))).toEqual([]);
    for (const name of ["nginx:1.27", full]) {
      expect(await records.access(parseImageName(name), imageRef, async () => [alice])).toBe("mustAuthenticate");
    }
  });

  it("is a record that an interrupted pull takes nothing from", async () => {
    await pull(alice);
    await open().begin(parseImageName(image));
    const records = open();
    await records.recover([{ id: imageRef, repoTags: [image], repoDigests: [] }]);
    expect(await records.access(parseImageName(image), imageRef, async () => [alice])).toBe("credentialRecordFound");
  });

  it("is an intent that cannot be read: the others are taken up, and it is told", async () => {
    await open().begin(parseImageName(image));
    const broken = join(root, "image_manager", "pulling", fileName("acme.io/broken:1"));
    await writeFile(broken, "hunter2");
    const told: string[] = [];
    const records = openPullRecords(root, {}, clock, (message) => told.push(message));
    await records.recover([{ id: imageRef, repoTags: [image], repoDigests: [] }]);
    expect((await readRecord()).credentials.size).toBe(0);
    expect(told[0]).toBe(`failed to deserialize content of file "${broken}" into ImagePullIntent`);
    expect(await records.access(parseImageName("acme.io/broken:1"), "sha256:b", async () => [])).toBe("error");
  });

  it("is a record of the older version, which is written anew", async () => {
    await pull(alice);
    const text = await readFile(pulledFile(), "utf8");
    await writeFile(pulledFile(), text.replace("v1beta1", "v1alpha1"));
    expect(await open().access(parseImageName(image), imageRef, async () => [alice])).toBe("credentialRecordFound");
    await open().recover([]);
    expect(await readFile(pulledFile(), "utf8")).toBe(text);
  });

  it("is a record of an image that is no longer here, which is forgotten", async () => {
    await pull(alice);
    await open().prune(new Set([imageRef]), clock.now() + 1000);
    await open().prune(new Set(), clock.now());
    expect(await readRecord()).toMatchObject({ imageRef });
    await open().prune(new Set(), clock.now() + 1000);
    await expect(readRecord()).rejects.toThrow("ENOENT");
  });
});
