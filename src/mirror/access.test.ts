import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { Digest, Repository } from "../image/index.ts";
import { type FakeRegistry, fakeRegistry } from "../pull/testing/fake-registry.ts";
import { sourceOf } from "../pull/testing/logins.ts";
import { policyOf } from "../pull/testing/policies.ts";
import type { RegistryCall } from "../registry/index.ts";
import { pullSample, sampleImage } from "../store/testing/sample-image.ts";
import { PulleyError } from "../support/errors.ts";
import { Login } from "../support/login.ts";
import { manualClock } from "../support/manual-clock.ts";
import { createMirrorContext } from "./context.ts";
import { basic, codeOf, type Reply } from "./testing/asking.ts";
import { openMirror, type TestMirror } from "./testing/mirror.ts";
import { defaultLimits } from "./types.ts";

const secret = "registry.acme.io/shop/secret";
const open = "registry.acme.io/shop/open";
const empty = "registry.acme.io/shop/empty";
const alice = basic("alice", "pa55-of-alice");
const bob = basic("bob", "pa55-of-bob");

/** A registry that knows which repository has what; the one in memory finds content by its digest in every repository. */
function scoped(): FakeRegistry {
  const registry = fakeRegistry();
  registry.users.set(secret, ["alice"]);
  const owned = new Map<string, Set<string>>();
  const collect = (digest: string, into: Set<string>): void => {
    into.add(digest);
    const content = registry.contents.get(digest as Digest);
    for (const found of content?.mediaType.includes("json")
      ? content.bytes.toString().matchAll(/sha256:[0-9a-f]{64}/g)
      : []) {
      if (!into.has(found[0])) collect(found[0], into);
    }
  };
  const { push, resolve, manifest, blobSize, download } = registry;
  const check = (repository: Repository, version: string) => {
    if (!version.includes(":") || owned.get(repository.name)?.has(version)) return;
    throw new PulleyError("REGISTRY_NOT_FOUND", `${repository.name} has no ${version}`);
  };
  return Object.assign(registry, {
    push: (name: string, image: Parameters<FakeRegistry["push"]>[1]) => {
      const target = push(name, image);
      const repository = name.slice(0, name.lastIndexOf(":"));
      const into = owned.get(repository) ?? new Set();
      owned.set(repository, into);
      collect(target.digest, into);
      return target;
    },
    resolve: async (...[at, call]: Parameters<FakeRegistry["resolve"]>) => {
      // A registry says who may first, and then what there is.
      const found = await resolve.call(registry, at, call).catch((error: unknown) => Promise.reject(error));
      check(at.repository, at.version);
      return found;
    },
    manifest: async (...[at, call]: Parameters<FakeRegistry["manifest"]>) => {
      const found = await manifest.call(registry, at, call);
      check(at.repository, at.version);
      return found;
    },
    blobSize: async (...[repository, digest, call]: Parameters<FakeRegistry["blobSize"]>) => {
      const size = await blobSize.call(registry, repository, digest, call);
      check(repository, digest);
      return size;
    },
    download: async (...[repository, blob, call]: Parameters<FakeRegistry["download"]>) => {
      check(repository, blob.descriptor.digest);
      return download.call(registry, repository, blob, call);
    },
  });
}

interface Parts {
  readonly target: string;
  readonly config: string;
  readonly layer: string;
}

/** Everything of the image under a tag; asked for by somebody who may have it. */
async function take(mirror: TestMirror, name: string, headers: Record<string, string> = {}): Promise<Parts> {
  const manifest = await mirror.ask(`/v2/${name}/manifests/1`, { headers });
  expect(manifest.status).toBe(200);
  const { config, layers } = JSON.parse(manifest.body.toString("utf8"));
  for (const { digest } of [config, ...layers]) {
    expect((await mirror.ask(`/v2/${name}/blobs/${digest}`, { headers })).status).toBe(200);
  }
  return { target: String(manifest.headers["docker-content-digest"]), config: config.digest, layer: layers[0].digest };
}

async function untilNamed({ store }: TestMirror, name: string): Promise<void> {
  await expect.poll(() => store.record(`${name}:1`), { interval: 10 }).toBeDefined();
}

function every(name: string, { target, config, layer }: Parts): readonly string[] {
  return [
    `/v2/${name}/manifests/1`,
    `/v2/${name}/manifests/${target}`,
    `/v2/${name}/blobs/${config}`,
    `/v2/${name}/blobs/${layer}`,
  ];
}

async function statuses(
  mirror: TestMirror,
  paths: readonly string[],
  headers: Record<string, string>,
): Promise<number[]> {
  const replies: Reply[] = [];
  for (const path of paths) replies.push(await mirror.ask(path, { headers }));
  return replies.map(({ status }) => status);
}

const image = { layers: ["the secret itself", "more of it"] };

describe("private content", () => {
  test("nobody without a login gets it, and is told how to show one", async () => {
    const registry = scoped();
    registry.push(`${secret}:1`, image);
    const mirror = await openMirror({ registry });
    const reply = await mirror.ask(`/v2/${secret}/manifests/1`);
    expect([reply.status, codeOf(reply)]).toEqual([401, "UNAUTHORIZED"]);
    expect(reply.headers["www-authenticate"]).toMatch(/^Basic /);
    expect(registry.count("GET")).toBe(0);
  });

  test.each([
    ["complete, and an image of the store", true],
    ["still on its way, piece by piece", false],
  ])("that is here for another, %s, is for those only whom the registry lets in", async (_, whole) => {
    const registry = scoped();
    registry.push(`${secret}:1`, image);
    const mirror = await openMirror({ registry });
    const parts = await take(mirror, secret, alice);
    if (whole) await untilNamed(mirror, secret);
    const paths = every(secret, parts);
    expect(await statuses(mirror, paths, {})).toEqual([401, 401, 401, 401]);
    expect(await statuses(mirror, paths, bob)).toEqual([401, 401, 401, 401]);
    expect(await statuses(mirror, paths, alice)).toEqual([200, 200, 200, 200]);
  });

  test("neither a HEAD, nor a condition, nor a part tells that it is here", async () => {
    const registry = scoped();
    registry.push(`${secret}:1`, image);
    const mirror = await openMirror({ registry });
    const parts = await take(mirror, secret, alice);
    await untilNamed(mirror, secret);
    const path = `/v2/${secret}/blobs/${parts.layer}`;
    expect((await mirror.ask(path, { method: "HEAD" })).status).toBe(401);
    expect((await mirror.ask(path, { headers: { "if-none-match": `"${parts.layer}"` } })).status).toBe(401);
    expect((await mirror.ask(path, { headers: { range: "bytes=999999-" } })).status).toBe(401);
    expect((await mirror.ask(`/v2/${secret}/tags/list`)).status).toBe(401);
    expect((await mirror.ask(`/v2/${secret}/referrers/${parts.target}`)).status).toBe(401);
  });

  test("the same digest under another name gains nothing", async () => {
    const registry = scoped();
    registry.push(`${secret}:1`, image);
    registry.push(`${empty}:1`, { layers: ["something else"] });
    const mirror = await openMirror({ registry });
    const { target, config, layer } = await take(mirror, secret, alice);
    await untilNamed(mirror, secret);
    await take(mirror, empty);
    for (const name of [empty, "registry.acme.io/shop/none", "library/nginx"]) {
      const paths = [`manifests/${target}`, `blobs/${config}`, `blobs/${layer}`].map((what) => `/v2/${name}/${what}`);
      expect([name, await statuses(mirror, paths, {})]).toEqual([name, [404, 404, 404]]);
      expect([name, await statuses(mirror, paths, alice)]).toEqual([name, [404, 404, 404]]);
    }
  });

  test("the same digest in a repository that has it too, and that everybody may read, is served when that has given it", async () => {
    const registry = scoped();
    registry.push(`${secret}:1`, image);
    registry.push(`${open}:1`, image);
    const mirror = await openMirror({ registry });
    const parts = await take(mirror, secret, alice);
    const downloads = registry.count("DOWNLOAD");
    expect(await statuses(mirror, every(open, parts), {})).toEqual([200, 200, 200, 200]);
    expect(registry.count("DOWNLOAD")).toBe(downloads + 2);
    expect(await statuses(mirror, every(open, parts), {})).toEqual([200, 200, 200, 200]);
    expect(registry.count("DOWNLOAD")).toBe(downloads + 2);
    expect(await statuses(mirror, every(secret, parts), {})).toEqual([401, 401, 401, 401]);
  });

  test("that the registry let in is remembered for a while, and asked again after that", async () => {
    const clock = manualClock(1_000_000_000_000);
    const registry = scoped();
    registry.push(`${secret}:1`, image);
    const mirror = await openMirror({ registry, clock, limits: { accessFor: 1000 } });
    const parts = await take(mirror, secret, alice);
    await untilNamed(mirror, secret);
    const path = `/v2/${secret}/blobs/${parts.layer}`;
    const asked = registry.requests.length;
    expect((await mirror.ask(path, { headers: alice })).status).toBe(200);
    expect(registry.requests).toHaveLength(asked);
    registry.users.set(secret, ["carol"]);
    await clock.advance(1001);
    expect((await mirror.ask(path, { headers: alice })).status).toBe(401);
    expect(registry.requests).toHaveLength(asked + 1);
  });

  test("a wrong password is not let in by the right one of the same name", async () => {
    const registry = scoped();
    registry.push(`${secret}:1`, image);
    const [resolve, blobSize] = [registry.resolve.bind(registry), registry.blobSize.bind(registry)];
    const check = ({ login }: RegistryCall) => {
      const secretOf = login?.reveal();
      if (secretOf?.kind !== "password" || secretOf.password === "pa55-of-alice") return;
      throw new PulleyError("REGISTRY_UNAUTHORIZED", "wrong password");
    };
    registry.resolve = async (at, call) => {
      check(call);
      return resolve(at, call);
    };
    registry.blobSize = async (repository, digest, call) => {
      check(call);
      return blobSize(repository, digest, call);
    };
    const mirror = await openMirror({ registry });
    const parts = await take(mirror, secret, alice);
    expect(await statuses(mirror, every(secret, parts), basic("alice", "guess"))).toEqual([401, 401, 401, 401]);
  });

  test.each([
    ["Basic that is none", "Basic ###"],
    ["Basic without a colon", `Basic ${Buffer.from("alice").toString("base64")}`],
    ["Basic with a line break", `Basic ${Buffer.from("alice:a\nb").toString("base64")}`],
    ["another scheme", "Negotiate abc"],
    ["no value", "Basic"],
  ])("what is no login is refused, and not taken for nobody: %s", async (_, authorization) => {
    const registry = scoped();
    registry.push(`${open}:1`, image);
    const mirror = await openMirror({ registry });
    expect((await mirror.ask(`/v2/${open}/manifests/1`, { headers: { authorization } })).status).toBe(401);
  });

  test("an empty login, as skopeo sends it, is nobody's", async () => {
    const registry = scoped();
    registry.push(`${open}:1`, image);
    const mirror = await openMirror({ registry });
    expect((await mirror.ask(`/v2/${open}/manifests/1`, { headers: basic("", "") })).status).toBe(200);
    expect(registry.requests.some((request) => request.includes(" as "))).toBe(false);
  });
});

describe("where a login goes", () => {
  /** Every call's mirror, and whose login it had. */
  function watched(registry: FakeRegistry): { readonly calls: string[] } {
    const calls: string[] = [];
    const resolve = registry.resolve.bind(registry);
    registry.resolve = (at, call: RegistryCall) => {
      const login = call.login?.reveal();
      calls.push(`${call.mirror ?? "itself"} ${login?.kind === "password" ? login.username : "nobody"}`);
      if (call.mirror !== undefined && login?.kind !== "password") {
        return Promise.reject(new PulleyError("REGISTRY_UNAUTHORIZED", "the mirror wants a login"));
      }
      return call.mirror === undefined ? resolve(at, call) : resolve(at, { ...call, login: aliceLogin });
    };
    return { calls };
  }
  const aliceLogin = new Login("test", { kind: "password", username: "alice", password: "pa55-of-alice" });
  const node = new Login("node", { kind: "password", username: "node", password: "pa55" }, { kind: "node" });
  const policy = policyOf("{ name: near, from: { mirrors: [https://mirror.acme.io] } }");

  test("to the registry that is meant, and never to a mirror of it", async () => {
    const registry = scoped();
    registry.push(`${secret}:1`, image);
    const { calls } = watched(registry);
    const mirror = await openMirror({ registry, policy: () => policy });
    expect((await mirror.ask(`/v2/${secret}/manifests/1`, { headers: alice })).status).toBe(200);
    expect(calls).toEqual(["https://mirror.acme.io nobody", "itself alice"]);
  });

  test("a mirror that would give something away for this node's login is not asked for others", async () => {
    const registry = scoped();
    registry.push(`${secret}:1`, image);
    registry.users.set(secret, ["alice", "node"]);
    const { calls } = watched(registry);
    const mirror = await openMirror({ registry, policy: () => policy, logins: sourceOf(node) });
    expect((await mirror.ask(`/v2/${secret}/manifests/1`)).status).toBe(401);
    expect(calls).toEqual(["itself nobody"]);
    expect((await mirror.ask(`/v2/${secret}/manifests/1`, { headers: alice })).status).toBe(200);
  });

  test("neither answers nor what is told of requests show anything of it", async () => {
    const registry = scoped();
    registry.push(`${secret}:1`, image);
    const mirror = await openMirror({ registry });
    const replies = [
      await mirror.ask(`/v2/${secret}/manifests/1`, { headers: bob }),
      await mirror.ask(`/v2/${secret}/manifests/1`, { headers: alice }),
      await mirror.ask(`/v2/${secret}/manifests/none`, { headers: alice }),
    ];
    const shown = JSON.stringify([replies.map(({ headers, body }) => [headers, body.toString()]), mirror.served]);
    expect(shown).not.toMatch(/pa55|YWxpY2U6|Ym9iOn/);
  });
});

describe("what this node knows of how an image came here", () => {
  const here = policyOf("{ name: here, pull: { policy: IfNotPresent } }");

  test("pulled without a login: everybody on this machine may have it, whoever can be asked", async () => {
    const clock = manualClock(1_000_000_000_000);
    const registry = scoped();
    registry.push(`${open}:1`, image);
    const mirror = await openMirror({ registry, clock, policy: () => here });
    const parts = await take(mirror, open);
    await untilNamed(mirror, open);
    await clock.advance(3_600_000);
    registry.resolve = async () => {
      throw new PulleyError("REGISTRY_UNREACHABLE", "nobody there");
    };
    expect(await statuses(mirror, every(open, parts), {})).toEqual([200, 200, 200, 200]);
  });

  test("pulled with a login: nobody without it, even where nobody can be asked", async () => {
    const clock = manualClock(1_000_000_000_000);
    const registry = scoped();
    registry.push(`${secret}:1`, image);
    const mirror = await openMirror({ registry, clock, policy: () => here });
    const parts = await take(mirror, secret, alice);
    await untilNamed(mirror, secret);
    await clock.advance(3_600_000);
    const unreachable = async () => {
      throw new PulleyError("REGISTRY_UNREACHABLE", "nobody there");
    };
    Object.assign(registry, { resolve: unreachable, blobSize: unreachable });
    const paths = every(secret, parts);
    expect(await statuses(mirror, paths, {})).toEqual([503, 503, 503, 503]);
    // Whoever was let in before may use the copy, because the rule has copies used.
    expect(await statuses(mirror, paths, alice)).toEqual([200, 200, 200, 200]);
  });

  test.each([
    ["loaded from an archive: as a kubelet has it, everybody's", {}, true, false, 200],
    ["loaded, on a node that keeps no records: nobody's", { recorded: false }, true, false, 401],
    ["pulled by hand, which leaves no record: nobody's", {}, false, false, 401],
    ["pulled by hand, and given a name by hand too: nobody's", {}, false, true, 401],
    ["anything, where the mirror is open to all", { openToAll: true }, false, false, 200],
  ])("%s", async (_, given, loaded, tagged, status) => {
    const registry = scoped();
    registry.users.set("registry.acme.io/shop/other", ["alice"]);
    const sample = sampleImage("by hand");
    const mirror = await openMirror({ registry, policy: () => here, ...given });
    await pullSample(mirror.store, sample, [`${secret}:1`]);
    if (!loaded) await mirror.store.confirm(`${secret}:1`, Date.now());
    if (tagged) await mirror.store.tag(`${secret}:1`, "registry.acme.io/shop/other:1");
    const name = tagged ? "registry.acme.io/shop/other" : secret;
    registry.push(`${name}:1`, image);
    const reply = await mirror.ask(`/v2/${name}/manifests/1`);
    expect(reply.status).toBe(status);
    const blob = await mirror.ask(`/v2/${name}/blobs/${sample.layers[0]?.descriptor.digest}`);
    expect(blob.status === 200).toBe(status === 200);
  });

  test("counts for callers on this machine only", async () => {
    const registry = scoped();
    registry.push(`${open}:1`, image);
    const mirror = await openMirror({ registry });
    await take(mirror, open);
    await untilNamed(mirror, open);
    const record = await mirror.store.record(`${open}:1`);
    if (record === undefined) throw new Error("it has just been there");
    const given = { ...mirror.parts.pulls, ...mirror.parts, limits: defaultLimits, openToAll: false };
    const own = createMirrorContext({ ...given, local: true }).access;
    // Who pulled it is written down after the image has its name.
    while (!(await own.recorded(record))) await delay(5);
    expect(await createMirrorContext({ ...given, local: false }).access.recorded(record)).toBe(false);
  });
});
