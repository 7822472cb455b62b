import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import { fakeRegistry } from "../pull/testing/fake-registry.ts";
import { policyOf } from "../pull/testing/policies.ts";
import { PulleyError } from "../support/errors.ts";
import { logTo } from "../support/log.ts";
import { manualClock } from "../support/manual-clock.ts";
import { codeOf, messageOf, type Reply } from "./testing/asking.ts";
import { openMirror, type TestMirror } from "./testing/mirror.ts";

const name = "registry.acme.io/shop/app";

interface Document {
  readonly config: { readonly digest: string };
  readonly layers: readonly { readonly digest: string; readonly size: number }[];
  readonly manifests: readonly { readonly digest: string; readonly platform: { readonly architecture: string } }[];
}

function read({ body }: Reply): Document {
  return JSON.parse(body.toString("utf8"));
}

/** Takes an image as containerd does: what the tag stands for, the index, the manifest of a platform, config and layers. */
async function takeImage({ ask }: TestMirror, tag: string, architecture = "amd64"): Promise<readonly number[]> {
  const statuses: number[] = [];
  const get = async (what: string, method = "GET") => {
    const reply = await ask(`/v2/shop/app/${what}?ns=registry.acme.io`, { method });
    statuses.push(reply.status);
    return reply;
  };
  const head = await get(`manifests/${tag}`, "HEAD");
  let document = read(await get(`manifests/${String(head.headers["docker-content-digest"])}`));
  if (document.manifests !== undefined) {
    const entry = document.manifests.find(({ platform }) => platform.architecture === architecture);
    document = read(await get(`manifests/${entry?.digest}`));
  }
  for (const { digest } of [document.config, ...document.layers]) await get(`blobs/${digest}`);
  return statuses;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  await expect.poll(condition, { interval: 10 }).toBe(true);
}

function imageOf(registry: ReturnType<typeof fakeRegistry>, platforms: readonly string[] = []) {
  return registry.push(`${name}:1`, { layers: ["one", "two"], platforms });
}

describe("what is not here", () => {
  test("is fetched piece by piece as a client asks for it, each piece once", async () => {
    const registry = fakeRegistry();
    imageOf(registry, ["linux/amd64", "linux/arm64"]);
    const mirror = await openMirror({ registry });
    expect(await takeImage(mirror, "1")).toEqual([200, 200, 200, 200, 200, 200]);
    expect(registry.count("GET registry.acme.io/shop/app@")).toBe(2);
    expect(registry.count("DOWNLOAD")).toBe(3);
  });

  test("becomes an image of the store with its last piece, under the names that it was asked for by", async () => {
    const registry = fakeRegistry();
    const { digest } = imageOf(registry, ["linux/amd64", "linux/arm64"]);
    const mirror = await openMirror({ registry });
    await takeImage(mirror, "1");
    await until(async () => (await mirror.store.record(`${name}:1`)) !== undefined);
    const [image] = await mirror.store.images();
    expect(image?.repoTags).toEqual([`${name}:1`]);
    expect(image?.repoDigests).toEqual([`${name}@${digest}`]);
    const before = registry.requests.filter((request) => !request.startsWith("HEAD"));
    await takeImage(mirror, "1");
    expect(registry.requests.filter((request) => !request.startsWith("HEAD"))).toEqual(before);
  });

  test("of another platform is kept by its digest: the tag is for this machine's", async () => {
    const registry = fakeRegistry();
    imageOf(registry, ["linux/amd64", "linux/arm64"]);
    const mirror = await openMirror({ registry });
    await takeImage(mirror, "1", "arm64");
    await until(async () => (await mirror.store.images()).length > 0);
    const [image] = await mirror.store.images();
    expect(image?.repoTags).toEqual([]);
    expect(image?.platform.architecture).toBe("arm64");
    const downloads = registry.count("DOWNLOAD");
    await takeImage(mirror, "1", "arm64");
    expect(registry.count("DOWNLOAD")).toBe(downloads);
  });

  test("is downloaded once for all who ask at once", async () => {
    const registry = fakeRegistry();
    imageOf(registry);
    registry.duringDownload = () => delay(50);
    const mirror = await openMirror({ registry });
    const statuses = await Promise.all(Array.from({ length: 10 }, () => takeImage(mirror, "1")));
    expect(new Set(statuses.flat())).toEqual(new Set([200]));
    expect(registry.count("DOWNLOAD")).toBe(3);
    expect(registry.count("GET registry.acme.io/shop/app@")).toBe(1);
  });

  test("is not downloaded for a HEAD", async () => {
    const registry = fakeRegistry();
    const target = imageOf(registry);
    const mirror = await openMirror({ registry });
    const document = read(await mirror.ask(`/v2/${name}/manifests/${target.digest}`));
    const [layer] = document.layers;
    const reply = await mirror.ask(`/v2/${name}/blobs/${layer?.digest}`, { method: "HEAD" });
    expect([reply.status, reply.headers["content-length"]]).toEqual([200, `${layer?.size}`]);
    expect(registry.count("DOWNLOAD")).toBe(0);
  });

  test("is found though the mirror has forgotten, or never knew, the manifest", async () => {
    const registry = fakeRegistry();
    imageOf(registry);
    const before = await openMirror({ registry });
    const document = read(await before.ask(`/v2/${name}/manifests/1`));
    const after = await openMirror({ registry });
    const reply = await after.ask(`/v2/${name}/blobs/${document.layers[0]?.digest}`);
    expect(reply.status).toBe(200);
    expect(registry.count("STAT")).toBe(1);
  });

  test("goes on for the others when one of those who wait goes away", async () => {
    const registry = fakeRegistry();
    imageOf(registry);
    const mirror = await openMirror({ registry });
    const document = read(await mirror.ask(`/v2/${name}/manifests/1`));
    const path = `/v2/${name}/blobs/${document.layers[0]?.digest}`;
    const leaving = new AbortController();
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let begun = () => {};
    const started = new Promise<void>((resolve) => {
      begun = resolve;
    });
    registry.duringDownload = () => {
      begun();
      return held;
    };
    const bring = vi.spyOn(mirror.parts.pulls.layers, "bring");
    const one = mirror.ask(path, { signal: leaving.signal }).catch(() => "gone");
    await started;
    const other = mirror.ask(path);
    await expect.poll(() => bring.mock.calls.length, { interval: 1 }).toBe(2);
    // Until it has looked at the disk, and joined.
    await delay(50);
    leaving.abort();
    expect(await one).toBe("gone");
    release();
    expect((await other).status).toBe(200);
    expect(registry.count("DOWNLOAD")).toBe(1);
  });

  test("is answered by its head in good time, and broken off if it then fails", async () => {
    const registry = fakeRegistry();
    imageOf(registry);
    const mirror = await openMirror({ registry, limits: { headAfter: 1 } });
    const document = read(await mirror.ask(`/v2/${name}/manifests/1`));
    registry.duringDownload = () => delay(50);
    const [one, two] = document.layers;
    expect((await mirror.ask(`/v2/${name}/blobs/${one?.digest}`)).status).toBe(200);
    registry.duringDownload = async () => {
      await delay(50);
      throw new PulleyError("DIGEST_MISMATCH", "wrong bytes");
    };
    await expect(mirror.ask(`/v2/${name}/blobs/${two?.digest}`)).rejects.toThrow(/aborted|hang up|reset/);
  });
});

test("what is damaged on disk is set aside, and fetched anew", async () => {
  const registry = fakeRegistry();
  const { digest } = imageOf(registry);
  const mirror = await openMirror({ registry });
  await takeImage(mirror, "1");
  await until(async () => (await mirror.store.record(`${name}:1`)) !== undefined);
  const document = read(await mirror.ask(`/v2/${name}/manifests/1`));
  for (const damaged of [digest, document.config.digest, ...document.layers.map((layer) => layer.digest)]) {
    const path = join(mirror.root, "store/blobs/sha256", damaged.slice("sha256:".length));
    const sound = await readFile(path);
    await writeFile(path, Buffer.alloc(sound.length, "x"));
  }
  const expected = new Map([...registry.contents].map(([key, { bytes }]) => [String(key), bytes]));
  expect((await mirror.ask(`/v2/${name}/manifests/${digest}`)).body).toEqual(expected.get(digest));
  for (const damaged of [document.config.digest, ...document.layers.map((layer) => layer.digest)]) {
    const reply = await mirror.ask(`/v2/${name}/blobs/${damaged}`);
    expect([reply.status, reply.body]).toEqual([200, expected.get(damaged)]);
  }
});

describe("failures of a registry", () => {
  test.each([
    ["REGISTRY_NOT_FOUND", 404, "NAME_UNKNOWN"],
    ["REGISTRY_UNAUTHORIZED", 401, "UNAUTHORIZED"],
    ["REGISTRY_FORBIDDEN", 403, "DENIED"],
    ["REGISTRY_RATE_LIMITED", 429, "TOOMANYREQUESTS"],
    ["REGISTRY_UNREACHABLE", 503, "UNAVAILABLE"],
    ["REGISTRY_UNAVAILABLE", 503, "UNAVAILABLE"],
    ["REGISTRY_TLS", 502, "UNAVAILABLE"],
    ["MANIFEST_INVALID", 502, "MANIFEST_INVALID"],
    ["DISK_FULL", 500, "UNKNOWN"],
  ] as const)("%s: %i %s", async (code, status, told) => {
    const registry = fakeRegistry();
    registry.resolve = async () => {
      throw new PulleyError(code, "as the registry said", { retryAfter: 1500 });
    };
    const mirror = await openMirror({ registry });
    const reply = await mirror.ask(`/v2/${name}/manifests/1`);
    expect([reply.status, codeOf(reply)]).toEqual([status, told]);
    if (status === 401) expect(reply.headers["www-authenticate"]).toMatch(/^Basic realm=/);
    if (status === 429) expect(reply.headers["retry-after"]).toBe("2");
    if (status === 500) expect(messageOf(reply)).not.toContain("as the registry said");
    const head = await mirror.ask(`/v2/${name}/manifests/1`, { method: "HEAD" });
    expect([head.status, head.body.length]).toEqual([status, 0]);
  });

  test("a fault that nobody foresaw is a 500 that tells nothing, and the mirror goes on", async () => {
    const registry = fakeRegistry();
    const resolve = registry.resolve;
    registry.resolve = () => Promise.reject(new TypeError("secret of the inside"));
    const lines: string[] = [];
    const log = logTo((level, message, { error }) => lines.push(`${level} ${message} ${error}`));
    const mirror = await openMirror({ registry, log });
    const reply = await mirror.ask(`/v2/${name}/manifests/1`);
    expect([reply.status, messageOf(reply)]).toEqual([500, "the mirror failed"]);
    expect(lines).toEqual(["error an answer failed on this machine secret of the inside"]);
    registry.resolve = resolve;
    imageOf(registry);
    expect((await mirror.ask(`/v2/${name}/manifests/1`)).status).toBe(200);
  });
});

describe("the policy", () => {
  test("a denied image is 403 DENIED with the rule's own message, and no registry is asked", async () => {
    const registry = fakeRegistry();
    imageOf(registry);
    const policy = policyOf(
      `{ name: no-shop, match: { images: [registry.acme.io/shop/**] }, admit: Deny, message: not this one }`,
    );
    const mirror = await openMirror({ registry, policy: () => policy });
    const reply = await mirror.ask(`/v2/${name}/manifests/1`);
    expect([reply.status, codeOf(reply)]).toEqual([403, "DENIED"]);
    expect(messageOf(reply)).toContain("not this one");
    expect(registry.requests).toEqual([]);
  });

  test.each([
    ["{ name: r, mode: Warn, admit: Deny }", "test/r would refuse it with ImageDenied"],
    ["{ name: r, mode: Warn, require: { maxSize: 10 } }", "test/r would refuse it with RequirementNotMet"],
  ])("a rule on trial refuses nothing, and the answer names it: %s", async (rule, told) => {
    const registry = fakeRegistry();
    imageOf(registry);
    const mirror = await openMirror({ registry, policy: () => policyOf(rule) });
    const reply = await mirror.ask(`/v2/${name}/manifests/1`);
    expect([reply.status, reply.headers["warning"]]).toEqual([200, `299 - "on trial: ${told}"`]);
  });

  test("an image that is here is refused as soon as a rule says so, its manifests and its layers too", async () => {
    const registry = fakeRegistry();
    const { digest } = imageOf(registry);
    let policy = policyOf("{ name: all, admit: Allow }");
    const mirror = await openMirror({ registry, policy: () => policy });
    await takeImage(mirror, "1");
    const document = read(await mirror.ask(`/v2/${name}/manifests/1`));
    await until(async () => (await mirror.store.record(`${name}:1`)) !== undefined);
    policy = policyOf("{ name: none, match: { images: [registry.acme.io/**] }, admit: Deny }");
    for (const what of ["manifests/1", `manifests/${digest}`, `blobs/${document.layers[0]?.digest}`]) {
      expect([what, (await mirror.ask(`/v2/${name}/${what}`)).status]).toEqual([what, 403]);
    }
  });

  test("rules about what an image says of itself hold before any of it is given out", async () => {
    const registry = fakeRegistry();
    const { digest } = imageOf(registry, ["linux/amd64", "linux/arm64"]);
    const policy = policyOf("{ name: owned, require: { maxSize: 10 } }");
    const mirror = await openMirror({ registry, policy: () => policy });
    for (const version of ["1", digest]) {
      const reply = await mirror.ask(`/v2/${name}/manifests/${version}`);
      expect([version, reply.status]).toEqual([version, 403]);
    }
    expect(registry.count("DOWNLOAD")).toBe(0);
  });

  test("a rule that comes later, about what images say of themselves, holds for what is here, layers included", async () => {
    const registry = fakeRegistry();
    const { digest } = imageOf(registry);
    let policy = policyOf("{ name: all, admit: Allow }");
    const mirror = await openMirror({ registry, policy: () => policy });
    await takeImage(mirror, "1");
    const document = read(await mirror.ask(`/v2/${name}/manifests/1`));
    await until(async () => (await mirror.store.record(`${name}:1`)) !== undefined);
    policy = policyOf("{ name: small, require: { maxSize: 10 } }");
    for (const what of ["manifests/1", `manifests/${digest}`, `blobs/${document.layers[0]?.digest}`]) {
      expect([what, (await mirror.ask(`/v2/${name}/${what}`)).status]).toEqual([what, 403]);
    }
  });

  test("outside a pull window what is not here is refused, and what is here is served", async () => {
    const registry = fakeRegistry();
    imageOf(registry);
    let policy = policyOf("{ name: all, admit: Allow }");
    const saturday = manualClock(Date.UTC(2026, 10, 21, 12));
    const mirror = await openMirror({ registry, policy: () => policy, clock: saturday });
    await takeImage(mirror, "1");
    await until(async () => (await mirror.store.record(`${name}:1`)) !== undefined);
    registry.push(`${name}:2`, { layers: ["three"] });
    policy = policyOf("{ name: office, when: { pull: [Mon-Fri 08:00-18:00] } }");
    expect((await mirror.ask(`/v2/${name}/manifests/2`)).status).toBe(403);
    expect((await mirror.ask(`/v2/${name}/manifests/1`)).status).toBe(200);
  });

  test("where nobody can be asked, the copy is used with a warning if the rules say so, and otherwise not", async () => {
    const registry = fakeRegistry();
    imageOf(registry);
    let rule = "{ name: last, pull: { policy: Always, whenUnreachable: UseCached } }";
    const mirror = await openMirror({ registry, policy: () => policyOf(rule) });
    await takeImage(mirror, "1");
    await until(async () => (await mirror.store.record(`${name}:1`)) !== undefined);
    registry.resolve = async () => {
      throw new PulleyError("REGISTRY_UNREACHABLE", "nobody there");
    };
    const reply = await mirror.ask(`/v2/${name}/manifests/1`);
    expect(reply.status).toBe(200);
    expect(reply.headers["warning"]).toMatch(/^299 - "/);
    await until(async () => mirror.served.at(-1)?.cache === "stale");
    rule = "{ name: strict, pull: { policy: Always } }";
    expect((await mirror.ask(`/v2/${name}/manifests/1`)).status).toBe(503);
  });
});

describe("going in circles", () => {
  test("a registry that is the mirror itself is no registry", async () => {
    const registry = fakeRegistry();
    const mirror = await openMirror({ registry });
    for (const host of [mirror.listensAt, mirror.listensAt.replace("127.0.0.1", "localhost")]) {
      const reply = await mirror.ask(`/v2/app/manifests/1?ns=${host}`);
      expect([reply.status, codeOf(reply)]).toEqual([400, "NAME_INVALID"]);
      expect((await mirror.ask(`/v2/${host}/app/manifests/1`)).status).toBe(400);
    }
    expect(registry.requests).toEqual([]);
  });

  test("a request that it sent itself is not answered by sending another", async () => {
    const registry = fakeRegistry();
    imageOf(registry);
    const viaId = "pulley-0123456789abcdef";
    const mirror = await openMirror({ registry, viaId });
    const headers = { via: `1.1 squid, 1.1 ${viaId}` };
    expect((await mirror.ask(`/v2/${name}/manifests/1`, { headers })).status).toBe(508);
    expect(registry.requests).toEqual([]);
  });

  test("for another mirror only the registry itself is asked", async () => {
    const registry = fakeRegistry();
    imageOf(registry);
    const asked: (string | undefined)[] = [];
    const resolve = registry.resolve.bind(registry);
    registry.resolve = (at, call) => {
      asked.push(call.mirror);
      return resolve(at, call);
    };
    const policy = policyOf("{ name: near, from: { mirrors: [https://mirror.acme.io] } }");
    const mirror = await openMirror({ registry, policy: () => policy });
    const headers = { via: "1.1 pulley-fedcba9876543210" };
    expect((await mirror.ask(`/v2/${name}/manifests/1`, { headers })).status).toBe(200);
    expect(asked).toEqual([undefined]);
    await mirror.ask(`/v2/${name}/manifests/1`);
    expect(asked.at(1)).toBe("https://mirror.acme.io");
  });
});

test("a failure of the store is a short word to the client, and is logged with its cause", async () => {
  const registry = fakeRegistry();
  imageOf(registry);
  const lines: string[] = [];
  const log = logTo((_, message, { error, cause, code }) => lines.push([message, code, error, cause].join(" | ")));
  const mirror = await openMirror({ registry, log });
  await takeImage(mirror, "1");
  await until(async () => (await mirror.store.record(`${name}:1`)) !== undefined);
  const cause = new Error("EIO: i/o error");
  Object.assign(mirror.store, {
    read: () => Promise.reject(new PulleyError("STORE_FAILED", "/var/lib/pulley cannot be read", { cause })),
  });
  const reply = await mirror.ask(`/v2/${name}/manifests/1`);
  expect([reply.status, messageOf(reply)]).toEqual([500, "the mirror's store failed"]);
  const line = "an answer failed on this machine | STORE_FAILED | /var/lib/pulley cannot be read | EIO: i/o error";
  expect(lines).toContain(line);
});

test("every request is told once, with where its answer came from", async () => {
  const registry = fakeRegistry();
  imageOf(registry);
  const mirror = await openMirror({ registry });
  await mirror.ask("/v2/");
  const { body } = await mirror.ask(`/v2/${name}/manifests/1`);
  await mirror.ask(`/v2/${name}/manifests/1`, { method: "HEAD" });
  await mirror.ask(`/v2/${name}/manifests/2`);
  await until(async () => mirror.served.length === 4);
  expect(mirror.served).toMatchObject([
    { route: "base", method: "GET", status: 200, cache: undefined },
    { route: "manifest", method: "GET", status: 200, bytes: body.length, cache: "miss" },
    { route: "manifest", method: "HEAD", status: 200, bytes: 0 },
    { route: "manifest", method: "GET", status: 404, cache: undefined },
  ]);
});
