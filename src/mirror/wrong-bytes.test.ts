/** Wrong bytes, on the disk and from a registry, and wrong words about them: nobody gets the ones, and the others are forgotten. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { parseReference } from "../image/index.ts";
import { fakeRegistry } from "../pull/testing/fake-registry.ts";
import { PulleyError } from "../support/errors.ts";
import type { Reply } from "./testing/asking.ts";
import { openMirror } from "./testing/mirror.ts";

const name = "registry.acme.io/shop/app";

interface Document {
  readonly layers: readonly { readonly digest: string; readonly size: number }[];
}

function read({ body }: Reply): Document {
  return JSON.parse(body.toString("utf8"));
}

function repositoryNamed(text: string) {
  return parseReference(text).repository;
}

/** Whether an answer is the part of some content that it says it is. */
function isSoundPart({ status, headers, body }: Reply, content: Buffer): boolean {
  const [, first, last] = /^bytes ([0-9]+)-([0-9]+)/.exec(headers["content-range"] ?? "") ?? [];
  return status === 206 && body.equals(content.subarray(Number(first), Number(last) + 1));
}

describe("a part of a blob", () => {
  const large = "0123456789abcdef".repeat(200_000);

  async function withLayer(text: string) {
    const registry = fakeRegistry();
    registry.push(`${name}:1`, { layers: [text] });
    const mirror = await openMirror({ registry });
    const [layer] = read(await mirror.ask(`/v2/${name}/manifests/1`)).layers;
    const path = `/v2/${name}/blobs/${layer?.digest}`;
    const file = join(mirror.root, "store/blobs/sha256", layer?.digest.slice("sha256:".length) ?? "");
    return { registry, mirror, path, file, size: layer?.size ?? 0 };
  }

  const parts = ["bytes=0-3", "bytes=0-0", "bytes=1048576-1048579", "bytes=-4", "bytes=5-"];

  test.each(parts)("that is damaged on disk, %s, is not given, be the damage in that part or not", async (range) => {
    const { mirror, path, file, size } = await withLayer(large);
    const { body: sound } = await mirror.ask(path);
    const damaged = await readFile(file);
    damaged.write("!", size - 100_000);
    await writeFile(file, damaged);
    const outcome = await mirror.ask(path, { headers: { range } }).catch(() => "broken off" as const);
    // Of what nothing has been given yet, all may be fetched anew, and given then.
    expect(outcome === "broken off" || outcome.status === 500 || isSoundPart(outcome, sound)).toBe(true);
    expect(isSoundPart(await mirror.ask(path, { headers: { range } }), sound)).toBe(true);
  });

  test.each(parts)("that a registry sends wrongly, %s, is not given", async (range) => {
    const { registry, mirror, path } = await withLayer(large.repeat(2));
    registry.duringDownload = async () => {
      await delay(300);
      throw new PulleyError("DIGEST_MISMATCH", "wrong bytes");
    };
    const outcome = await mirror.ask(path, { headers: { range } }).catch(() => "broken off" as const);
    expect(outcome === "broken off" || outcome.status === 502).toBe(true);
    registry.duringDownload = async () => undefined;
    expect((await mirror.ask(path, { headers: { range } })).status).toBe(206);
  });

  test("nothing of it is given where it has no bytes, or is said to have none", async () => {
    const { registry, mirror, path } = await withLayer("something");
    const { blobSize } = registry;
    const other = await openMirror({ registry });
    registry.blobSize = async () => 0;
    for (const range of ["bytes=0-", "bytes=-1", "bytes=x"]) {
      const reply = await other.ask(path, { headers: { range } }).catch(() => "broken off" as const);
      expect(reply === "broken off" || [416, 502].includes(reply.status)).toBe(true);
    }
    registry.blobSize = blobSize;
    expect((await other.ask(path)).status).toBe(200);
    expect((await mirror.ask(path)).status).toBe(200);
  });
});

describe("what a registry says wrongly once is forgotten", () => {
  test.each([1, -1, 1_000_000])("the length of a blob, off by %i", async (off) => {
    const registry = fakeRegistry();
    registry.push(`${name}:1`, { layers: ["one", "two"] });
    const before = await openMirror({ registry });
    const [layer] = read(await before.ask(`/v2/${name}/manifests/1`)).layers;
    // This one does not know the manifest, and so has the length from the registry alone.
    const mirror = await openMirror({ registry });
    const { blobSize } = registry;
    registry.blobSize = async (...asked) => (await blobSize.call(registry, ...asked)) + off;
    const path = `/v2/${name}/blobs/${layer?.digest}`;
    const wrong = await mirror.ask(path).catch(() => "broken off" as const);
    expect(wrong === "broken off" || wrong.status === 502).toBe(true);
    registry.blobSize = blobSize;
    const { status, body } = await mirror.ask(path);
    expect([status, body.length]).toEqual([200, layer?.size]);
  });

  test("the length, type or digest of a manifest", async () => {
    const registry = fakeRegistry();
    const target = registry.push(`${name}:1`, { layers: ["one", "two"] });
    const other = registry.push(`${name}:other`, { layers: ["other"] });
    const mirror = await openMirror({ registry });
    const { resolve } = registry;
    const sound = await registry.resolve({ repository: repositoryNamed(name), version: target.digest }, {});
    const mediaType = "application/vnd.docker.distribution.manifest.v2+json";
    const lies = [
      { ...sound, size: sound.size + 1 },
      { ...sound, mediaType },
      { ...sound, digest: other.digest },
    ];
    for (const lie of lies) {
      registry.resolve = async () => lie;
      await mirror.ask(`/v2/${name}/manifests/1`, { method: "HEAD" });
      await mirror.ask(`/v2/${name}/manifests/1`);
      await mirror.ask(`/v2/${name}/manifests/${target.digest}`);
      registry.resolve = resolve;
      for (const version of ["1", target.digest]) {
        const { status, headers, body } = await mirror.ask(`/v2/${name}/manifests/${version}`);
        expect([status, body.length, headers["content-type"]]).toEqual([200, sound.size, sound.mediaType]);
        expect(headers["docker-content-digest"]).toBe(target.digest);
      }
    }
  });
});
