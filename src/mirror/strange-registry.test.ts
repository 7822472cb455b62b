/** A registry of the stranger's own, which says that it has whatever it is asked for, and has next to nothing. */
import { stat } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { Digest, Repository } from "../image/index.ts";
import { fakeRegistry } from "../pull/testing/fake-registry.ts";
import { sourceOf } from "../pull/testing/logins.ts";
import { policyOf } from "../pull/testing/policies.ts";
import type { RegistryCall } from "../registry/index.ts";
import { PulleyError } from "../support/errors.ts";
import { Login } from "../support/login.ts";
import { basic } from "./testing/asking.ts";
import { openMirror, type TestMirror } from "./testing/mirror.ts";

const secret = "registry.acme.io/shop/secret";
const strange = "strange.example/x/y";
const alice = basic("alice", "pa55-of-alice");

/** Two registries: one with a private image, and the stranger's, which has what it is given, and claims the rest. */
function registries() {
  const registry = fakeRegistry();
  registry.users.set(secret, ["alice"]);
  const target = registry.push(`${secret}:hidden`, { layers: ["the secret itself", "more of it"] });
  const manifest = JSON.parse(registry.contents.get(target.digest)?.bytes.toString() ?? "");
  const given = new Set<string>();
  const { resolve, manifest: document, blob, download } = registry;
  const check = ({ registry: host }: Repository, digest: string) => {
    if (host !== "strange.example" || given.has(digest)) return;
    throw new PulleyError("REGISTRY_UNAVAILABLE", "500 Internal Server Error");
  };
  Object.assign(registry, {
    resolve: async (...[at, call]: Parameters<typeof resolve>) => resolve.call(registry, at, call),
    manifest: async (...[at, call]: Parameters<typeof document>) => {
      check(at.repository, at.version);
      return document.call(registry, at, call);
    },
    blob: async (...[repository, descriptor, limit, call]: Parameters<typeof blob>) => {
      check(repository, descriptor.digest);
      return blob.call(registry, repository, descriptor, limit, call);
    },
    download: async (...[repository, blob, call]: Parameters<typeof download>) => {
      check(repository, blob.descriptor.digest);
      return download.call(registry, repository, blob, call);
    },
  });
  return { registry, target, manifest, given };
}

async function takeAs(mirror: TestMirror, name: string, manifest: { config: Part; layers: Part[] }, target: string) {
  const paths = ["manifests/hidden", `manifests/${target}`];
  for (const path of [...paths, ...[manifest.config, ...manifest.layers].map(({ digest }) => `blobs/${digest}`)]) {
    expect((await mirror.ask(`/v2/${name}/${path}`, { headers: alice })).status).toBe(200);
  }
  while ((await mirror.store.record(`${name}:hidden`)) === undefined) await delay(5);
}

interface Part {
  readonly digest: string;
}

async function withSecret(more: Parameters<typeof openMirror>[0] = {}) {
  const parts = registries();
  const mirror = await openMirror({ registry: parts.registry, limits: { lookFor: 1 }, ...more });
  await takeAs(mirror, secret, parts.manifest, parts.target.digest);
  return { ...parts, mirror };
}

const unproven = [404, 503];

describe("what is here is not given for a digest", () => {
  test("neither manifest, nor config, nor layer, nor a part of them, however it is asked for", async () => {
    const { mirror, manifest, target } = await withSecret();
    const digests = [manifest.config.digest, ...manifest.layers.map(({ digest }: Part) => digest)];
    const paths = [
      `manifests/${target.digest}`,
      ...digests.flatMap((digest: string) => [`blobs/${digest}`, `manifests/${digest}`]),
      `blobs/${target.digest}`,
    ];
    for (const path of paths) {
      for (const question of [undefined, { headers: { range: "bytes=0-3" } }]) {
        const { status, body } = await mirror.ask(`/v2/${strange}/${path}`, question);
        expect(unproven).toContain(status);
        expect(body.toString()).not.toMatch(/secret itself|more of it|"config"/);
      }
    }
  });

  test("not by way of a manifest of the stranger's own that lists it", async () => {
    const { mirror, manifest, registry, given } = await withSecret();
    const own = registry.push(`${strange}:own`, { layers: ["his own"] });
    const document = JSON.parse(registry.contents.get(own.digest)?.bytes.toString() ?? "");
    // His config and his first layer, and then the secret's.
    const forged = registry.push(`${strange}:forged`, { layers: ["his own"] });
    const bytes = Buffer.from(JSON.stringify({ ...document, layers: [...document.layers, ...manifest.layers] }));
    const { createHash } = await import("node:crypto");
    const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}` as Digest;
    registry.contents.set(digest, { bytes, mediaType: forged.mediaType });
    for (const one of [digest, document.config.digest, document.layers[0].digest]) given.add(one);
    expect((await mirror.ask(`/v2/${strange}/manifests/${digest}`)).status).toBe(200);
    expect((await mirror.ask(`/v2/${strange}/blobs/${document.layers[0].digest}`)).status).toBe(200);
    for (const layer of manifest.layers) {
      for (const kind of ["blobs", "manifests"]) {
        const { status, body } = await mirror.ask(`/v2/${strange}/${kind}/${layer.digest}`);
        expect([kind, unproven.includes(status)]).toEqual([kind, true]);
        expect(body.toString()).not.toMatch(/secret itself|more of it/);
      }
    }
    await delay(20);
    // Nor does it become an image of his.
    for (const { repoTags, repoDigests } of await mirror.store.images()) {
      expect([...repoTags, ...repoDigests].filter((name) => name.startsWith(strange))).toEqual([]);
    }
  });

  test("not while it is on its way for somebody else", async () => {
    const { registry, manifest, target } = registries();
    const mirror = await openMirror({ registry, limits: { lookFor: 1 } });
    await mirror.ask(`/v2/${secret}/manifests/${target.digest}`, { headers: alice });
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const begun = new Promise<void>((resolve) => {
      registry.duringDownload = () => {
        resolve();
        return held;
      };
    });
    const path = `blobs/${manifest.layers[0].digest}`;
    const own = mirror.ask(`/v2/${secret}/${path}`, { headers: alice });
    await begun;
    const other = mirror.ask(`/v2/${strange}/${path}`);
    expect(unproven).toContain((await other).status);
    release();
    expect((await own).status).toBe(200);
  });

  test("not what had come of it when it was broken off", async () => {
    const { registry, manifest, target } = registries();
    const mirror = await openMirror({ registry, limits: { lookFor: 1 } });
    await mirror.ask(`/v2/${secret}/manifests/${target.digest}`, { headers: alice });
    registry.duringDownload = async () => {
      throw new PulleyError("REGISTRY_UNAVAILABLE", "it broke off");
    };
    const path = `blobs/${manifest.layers[0].digest}`;
    expect((await mirror.ask(`/v2/${secret}/${path}`, { headers: alice })).status).toBe(503);
    const begunWith: number[] = [];
    registry.download = async (_, blob) => {
      begunWith.push((await stat(blob.path)).size);
      throw new PulleyError("REGISTRY_UNAVAILABLE", "500 Internal Server Error");
    };
    await mirror.ask(`/v2/${strange}/${path}`);
    await mirror.ask(`/v2/${secret}/${path}`, { headers: alice });
    expect(begunWith).toEqual([0, Math.floor(manifest.layers[0].size / 2)]);
  });

  test("not for what a mirror of the registry gives away for a login of this node's", async () => {
    const node = new Login("node", { kind: "password", username: "node", password: "pa55" }, { kind: "node" });
    const policy = policyOf("{ name: near, from: { mirrors: [https://mirror.acme.io] } }");
    const { mirror, manifest, target, registry } = await withSecret({ policy: () => policy, logins: sourceOf(node) });
    const { download, manifest: document } = registry;
    // The mirror knows repositories by their paths alone.
    Object.assign(registry, {
      manifest: (...[at, call]: Parameters<typeof document>) =>
        viaMirror(call, () => document.call(registry, at, call)),
      download: (...[repository, blobs, call]: Parameters<typeof download>) =>
        viaMirror(call, () => download.call(registry, repository, blobs, call)),
    });
    const name = "strange.example/shop/secret";
    for (const path of [`manifests/${target.digest}`, `blobs/${manifest.layers[0].digest}`]) {
      const { status } = await mirror.ask(`/v2/${name}/${path}`);
      expect([path, unproven.includes(status)]).toEqual([path, true]);
    }

    function viaMirror<Result>(call: RegistryCall, ask: () => Result): Result {
      if (call.mirror === undefined) throw new PulleyError("REGISTRY_UNAVAILABLE", "500 Internal Server Error");
      return ask();
    }
  });

  test("but it is when his registry has given the same bytes", async () => {
    const { mirror, manifest, target, given } = await withSecret();
    for (const digest of [target.digest, manifest.config.digest]) given.add(digest);
    for (const { digest } of manifest.layers) given.add(digest);
    for (const path of [`manifests/${target.digest}`, `blobs/${manifest.layers[0].digest}`]) {
      expect((await mirror.ask(`/v2/${strange}/${path}`)).status).toBe(200);
    }
  });
});
