/** What `pulley run --policy` does, asks and refuses, told by the registry's own log; and what the other commands say. */
import { randomInt } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type BuiltImage, buildImage } from "../../examples/world/image-builder.ts";
import { type Registry, type RegistryOptions, startRegistry } from "../../examples/world/registry.ts";
import { pulley } from "./pulley.ts";

let folder: string;
let image: BuiltImage;
let registry: Registry;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pulley-e2e-policy-"));
  image = await buildImage({ layers: [{ filler: 300_000 }, { filler: 100_000 }] });
  registry = await startRegistry();
  registry.addImage("team/app:1", image);
});

afterAll(async () => {
  await registry.close();
  await rm(folder, { recursive: true, force: true });
});

function newRoot(): Promise<string> {
  return mkdtemp(join(folder, "root-"));
}

/** A registry of one test, with the image. */
async function ownRegistry(options: RegistryOptions = {}, content: BuiltImage | null = image): Promise<Registry> {
  const own = await startRegistry(options);
  onTestFinished(() => own.close());
  if (content !== null) own.addImage("team/app:1", content);
  return own;
}

/**
 * A registry under the port of one that has ended. A program that is being started holds what was open as it was started,
 * ports too, until it begins: so it may take another moment.
 */
async function comeBack(options: RegistryOptions): Promise<Registry> {
  for (let attempt = 1; ; attempt += 1) {
    const own = await startRegistry(options);
    if (attempt === 100 || own.host.endsWith(`:${options.port}`)) {
      onTestFinished(() => own.close());
      return own;
    }
    await own.close();
    await delay(20);
  }
}

function policyText(...rules: readonly string[]): string {
  return `apiVersion: pulley.dev/v1alpha1\nkind: ImagePullPolicy\nmetadata: { name: house }\nspec:\n  rules:\n${rules.map((rule) => `    - ${rule}\n`).join("")}`;
}

async function policyFile(...rules: readonly string[]): Promise<string> {
  const file = join(await mkdtemp(join(folder, "policy-")), "policy.yaml");
  await writeFile(file, policyText(...rules));
  return file;
}

interface RunValue {
  readonly pods: readonly {
    readonly phase: string;
    readonly containers: readonly { readonly state: { readonly reason?: string; readonly message?: string } }[];
  }[];
  readonly events: readonly { readonly reason: string; readonly type: string; readonly message: string }[];
}

/** Runs one image until it has settled; what became of it, and what the registries were asked meanwhile. */
async function run(root: string, name: string, ...rules: readonly string[]) {
  const policy = rules.length === 0 ? [] : ["--policy", await policyFile(...rules)];
  const { stdout, status } = await pulley(["run", "--once", "-o", "json", "--root", root, ...policy, name]);
  const value: RunValue = JSON.parse(stdout);
  return {
    status,
    phase: value.pods[0]?.phase,
    state: value.pods[0]?.containers[0]?.state,
    events: value.events.map(({ type, reason, message }) => `${type} ${reason} ${message}`),
  };
}

function asked({ log }: Registry): readonly string[] {
  return log.map(({ method, path }) => `${method} ${path}`);
}

describe("pulley policy", () => {
  it("init writes a policy that check finds sound, and writes over nothing", async () => {
    const file = join(await mkdtemp(join(folder, "init-")), "policy.yaml");
    expect(await pulley(["policy", "init", file])).toMatchObject({ status: 0, stdout: `${file}\n` });
    const checked = await pulley(["policy", "check", file]);
    expect(checked).toMatchObject({ status: 0, stdout: expect.stringMatching(/sound\n$/), stderr: "" });
    expect(await pulley(["policy", "init"])).toMatchObject({ status: 0, stdout: await readFile(file, "utf8") });
    const again = await pulley(["policy", "init", file]);
    expect(again.status).not.toBe(0);
    expect(again.stderr).toContain("it exists already");
  });

  it("check names every problem with its place and what was probably meant, and ends with 2", async () => {
    const file = await policyFile("{ name: closed, admitt: Deny }", "{ name: fresh, pull: { policy: always } }");
    const { status, stderr } = await pulley(["policy", "check", file]);
    expect(status).toBe(2);
    expect(stderr).toMatch(/policy\.yaml:6:23: error: .*admitt.*did you mean admit\?/);
    expect(stderr).toMatch(/policy\.yaml:7:38: error: .*"always".*did you mean Always\?/);
    const { stdout } = await pulley(["policy", "check", "-o", "json", file]);
    expect(JSON.parse(stdout)).toMatchObject({ problems: [{ source: { line: 6 } }, { source: { line: 7 } }] });
    const versions = join(await mkdtemp(join(folder, "versions-")), "policy.yaml");
    await writeFile(versions, policyText().replace("rules:\n", "versions: [{ ignore: ['17.*'] }, { allow: minor }]\n"));
    const counted = await pulley(["policy", "check", versions]);
    expect(counted).toMatchObject({ status: 0, stdout: "1 document with 0 rules and 2 for versions: sound\n" });
    const refused = await pulley(["run", "--once", "--root", await newRoot(), "--policy", file, "nginx"]);
    expect(refused).toMatchObject({ status: 2, stderr: expect.stringContaining("did you mean admit?") });
  });
});

describe("pulley run --policy", () => {
  it("denies an image, asks nobody for it, and says why", async () => {
    const own = await ownRegistry();
    const name = `${own.host}/team/app:1`;
    const { status, state, events } = await run(
      await newRoot(),
      name,
      "{ name: closed, admit: Deny, message: Not from there. }",
    );
    expect(status).toBe(1);
    expect(state).toMatchObject({ reason: "ImageDenied", message: expect.stringContaining("Not from there.") });
    expect(events[0]).toMatch(/^Warning Failed Image ".*team\/app:1" is denied by house\/closed: Not from there\.$/);
    expect(asked(own)).toEqual([]);
  });

  it("refuses what is too big before any layer of it is fetched", async () => {
    const own = await ownRegistry();
    const { status, state, events } = await run(
      await newRoot(),
      `${own.host}/team/app:1`,
      "{ name: small, require: { maxSize: 100Ki } }",
    );
    expect(status).toBe(1);
    expect(state).toMatchObject({
      reason: "RequirementNotMet",
      message: expect.stringMatching(/\d+ bytes, more than 100Ki/),
    });
    expect(events.some((event) => event.startsWith("Normal Pulled"))).toBe(false);
    const layers = image.manifests.flatMap((manifest) => manifest.layers.map(({ digest }) => digest));
    expect(layers).toHaveLength(2);
    expect(asked(own).filter((line) => layers.some((digest) => line.includes(digest)))).toEqual([]);
    expect(asked(own).some((line) => line.includes("/manifests/"))).toBe(true);
  });

  it("asks a mirror for the registry that it stands for, and the registry only where the mirror has nothing", async () => {
    const [origin, mirror, empty] = [await ownRegistry(), await ownRegistry(), await ownRegistry({}, null)];
    empty.addImage("other:1", image);
    const name = `${origin.host}/team/app:1`;
    const from = (host: string) => `{ name: near, from: { mirrors: ["http://${host}"] } }`;
    expect(await run(await newRoot(), name, from(mirror.host))).toMatchObject({ status: 0, phase: "Prepared" });
    const ns = `?ns=${encodeURIComponent(origin.host)}`;
    expect(asked(mirror).length).toBeGreaterThan(3);
    expect(asked(mirror).filter((line) => !line.endsWith(ns))).toEqual([]);
    expect(asked(origin)).toEqual([]);

    expect(await run(await newRoot(), name, from(empty.host))).toMatchObject({ status: 0, phase: "Prepared" });
    expect(asked(empty).length).toBeGreaterThan(0);
    expect(asked(origin).length).toBeGreaterThan(0);
    expect(asked(origin).some((line) => line.includes("ns="))).toBe(false);
  });

  it("never asks the registry itself under origin: Never", async () => {
    const [origin, empty] = [await ownRegistry(), await ownRegistry({}, null)];
    const rule = `{ name: near, from: { mirrors: ["http://${empty.host}"], origin: Never } }`;
    const { status, state } = await run(await newRoot(), `${origin.host}/team/app:1`, rule);
    expect(status).toBe(1);
    expect(state).toMatchObject({ reason: "ImagePullBackOff" });
    expect(asked(empty).length).toBeGreaterThan(0);
    expect(asked(origin)).toEqual([]);
  });

  const cached = "{ name: calm, pull: { policy: Always, whenUnreachable: UseCached } }";

  /** A machine that has the image of a registry that is gone since, and the port that it was on. */
  async function afterwards() {
    // Of ports that the system gives to nobody by itself, so that none is there when the registry comes back to it.
    const [root, own] = [await newRoot(), await startRegistry({ port: randomInt(20_000, 30_000) })];
    own.addImage("team/app:1", image);
    const name = `${own.host}/team/app:1`;
    expect(await run(root, name)).toMatchObject({ status: 0, phase: "Prepared" });
    await own.close();
    return { root, name, host: own.host, port: Number(own.host.split(":")[1]) };
  }

  it("uses the copy where no registry can be reached, if a rule says so, and says that it did", async () => {
    const { root, name } = await afterwards();
    const { status, phase, events } = await run(root, name, cached);
    expect({ status, phase }).toEqual({ status: 0, phase: "Prepared" });
    expect(events).toContainEqual(
      expect.stringMatching(
        /^Warning RegistryUnavailableUsedCached .*so the copy on this machine is used \(sha256:[0-9a-f]{64}, last confirmed at .*connection refused/,
      ),
    );
    const strict = await run(root, name, "{ name: calm, pull: { policy: Always } }");
    expect(strict).toMatchObject({ status: 1, phase: "Pending", state: { reason: "ImagePullBackOff" } });
  });

  it.each<{ name: string; options: RegistryOptions; says: RegExp }>([
    { name: "404", options: {}, says: /404/ },
    {
      name: "401",
      options: { access: { users: { ann: "s3cret" }, repositories: { "team/app": ["ann"] } } },
      says: /401/,
    },
  ])("takes $name for an answer, and not for a registry that is not there", async ({ options, says }) => {
    const { root, name, host, port } = await afterwards();
    const later = await comeBack({ ...options, port });
    later.addImage("team/other:1", image);
    expect(later.host).toBe(host);
    const { status, state, events } = await run(root, name, cached);
    expect(status).toBe(1);
    expect(state).toMatchObject({ reason: "ImagePullBackOff", message: expect.stringMatching(says) });
    expect(events.join("\n")).not.toContain("UsedCached");
  });

  it("asks nothing within checkEvery, and records its decisions for simulate", async () => {
    const own = await ownRegistry();
    const [root, name] = [await newRoot(), `${own.host}/team/app:1`];
    const calm = "{ name: calm, pull: { policy: Always, checkEvery: 10m } }";
    expect(await run(root, name, calm)).toMatchObject({ status: 0 });
    const before = own.log.length;
    const second = await run(root, name, calm);
    expect(second).toMatchObject({ status: 0, phase: "Prepared" });
    expect(second.events).toEqual([expect.stringContaining("already present on machine")]);
    expect(own.log).toHaveLength(before);

    const closed = await policyFile("{ name: closed, admit: Deny }");
    const simulated = await pulley(["simulate", "--root", root, "-o", "json", "--policy", closed]);
    expect(simulated.status).toBe(1);
    expect(JSON.parse(simulated.stdout)).toMatchObject({
      decisions: 2,
      changed: 2,
      newlyRefused: 2,
      before: { asked: 1, pulls: 1, refused: 0 },
      after: { asked: 0, pulls: 0, refused: 2 },
      changes: expect.arrayContaining([
        expect.objectContaining({ image: name, after: "ImageDenied", rules: ["house/closed"] }),
      ]),
    });
    const same = await pulley(["simulate", "--root", root, "-o", "json", "--policy", await policyFile(calm)]);
    expect(same.status).toBe(0);
    expect(JSON.parse(same.stdout)).toMatchObject({ decisions: 2, changed: 0, newlyRefused: 0 });
    expect(own.log).toHaveLength(before);
  });
});

it("explain --policy names the rule that decided on each subject", async () => {
  const policy = await policyFile(
    "{ name: ours, admit: Allow }",
    "{ name: calm, pull: { policy: Always, checkEvery: 10m } }",
    '{ name: open, when: { pull: ["*"] } }',
    '{ name: near, from: { mirrors: ["https://mirror.invalid"] } }',
    "{ name: tagged, require: { tag: true } }",
    "{ name: sane, require: { notTags: [latest] } }",
    "{ name: late, admit: Deny, pull: { policy: Never } }",
  );
  const args = ["explain", "--root", join(folder, "none"), "--policy", policy, "-o", "json", "quay.io/team/app:1"];
  const { status, stdout } = await pulley(args);
  expect(status).toBe(0);
  const { containers } = JSON.parse(stdout);
  expect(containers).toMatchObject([
    {
      pullPolicy: { value: "Always", from: "rule" },
      decision: { action: "Check", reason: null, sources: ["https://mirror.invalid", "https://quay.io"] },
    },
  ]);
  const [{ trace }]: [{ trace: { subject: string; rule: string | null }[] }] = containers;
  expect(trace.map(({ subject, rule }) => `${subject}: ${rule}`)).toEqual([
    "admit: house/ours",
    "pull: house/calm",
    "when: house/open",
    "from: house/near",
    "require: house/tagged",
    "require: house/sane",
  ]);
  const denied = await policyFile("{ name: closed, admit: Deny }");
  const refused = await pulley([...args.slice(0, 4), denied, ...args.slice(5)]);
  expect(refused.status).toBe(1);
  expect(JSON.parse(refused.stdout)).toMatchObject({ containers: [{ decision: { reason: "ImageDenied" } }] });
});
