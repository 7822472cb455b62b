/** A stranger names content of another image with a size that it does not have: the stranger fails, the image stays. */
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { type BuiltContent, type BuiltImage, buildImage } from "../../examples/world/image-builder.ts";
import { type Registry, startRegistry } from "../../examples/world/registry.ts";
import { type Descriptor, ociIndex, ociManifest } from "../../src/image/index.ts";
import { layoutIndex, layoutMarker, named, tarOf } from "../../src/store/archive/testing.ts";
import { blobOf } from "../../src/store/testing/sample-image.ts";
import { pulley } from "./pulley.ts";

vi.setConfig({ testTimeout: 60_000 });

let folder: string;
let registry: Registry;
let good: BuiltImage;
let other: BuiltImage;
let root: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pulley-e2e-size-"));
  registry = await startRegistry();
  good = await buildImage({ layers: [{ filler: 300_000 }, { files: { "etc/motd": "hello" } }], seed: "good" });
  other = await buildImage({ layers: [{ filler: 1000 }, { filler: 2000 }], seed: "other" });
  registry.addImage("team/app:1", good);
});

afterAll(async () => {
  await registry.close();
  await rm(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  root = await mkdtemp(join(folder, "root-"));
  await pulley(["pull", "--root", root, `${registry.host}/team/app:1`]);
});

/** The image that the stranger was after is here, byte for byte, and nothing was taken for damaged. */
async function expectWhole(): Promise<void> {
  expect(await readdir(join(root, "damaged"))).toEqual([]);
  expect(await pulley(["verify", "--root", root])).toMatchObject({ status: 0 });
  const again = await pulley(["pull", "--root", root, `${registry.host}/team/app:1`]);
  expect(again.stdout).toContain("is up to date");
}

const part = ({ manifests: [manifest] }: BuiltImage) => manifest ?? expect.unreachable();
const layerOf = (image: BuiltImage) => part(image).layers[0] ?? expect.unreachable();
const bytesOf = (image: BuiltImage, { digest }: Descriptor) => image.content.get(digest)?.bytes ?? Buffer.alloc(0);

interface Evil {
  readonly image: BuiltImage;
  readonly document: Buffer;
}

/** An image of the other's config, with layers as a stranger names them. */
function evilWith(layers: readonly Descriptor[]): Evil {
  const { config } = part(other);
  const document = { schemaVersion: 2, mediaType: ociManifest, config, layers };
  const { descriptor, bytes } = blobOf(ociManifest, Buffer.from(JSON.stringify(document)));
  const manifest: BuiltContent = { kind: "manifest", descriptor, bytes };
  const content = new Map([...good.content, ...other.content, [descriptor.digest, manifest] as const]);
  return { image: { target: descriptor, manifests: [], content }, document: bytes };
}

/** What is named wrongly, and by how much. */
const claims: readonly [string, () => Descriptor][] = [
  ["a layer that is one byte shorter", () => ({ ...layerOf(good), size: layerOf(good).size - 1 })],
  ["a layer that is one byte longer", () => ({ ...layerOf(good), size: layerOf(good).size + 1 })],
  ["a layer of a gigabyte", () => ({ ...layerOf(good), size: 1_000_000_000 })],
  ["a config as a layer", () => ({ ...layerOf(good), digest: part(good).config.digest, size: 5 })],
  ["a manifest as a layer", () => ({ ...layerOf(good), digest: good.target.digest, size: 5 })],
];

describe("pulley pull", () => {
  it.each(claims)("fails for a stranger's image with %s, with its name", async (_, claim) => {
    const wrong = claim();
    const { image } = evilWith([layerOf(other), wrong]);
    registry.addImage("stranger/app:1", image);
    const pulled = await pulley(["pull", "--root", root, `${registry.host}/stranger/app:1`]);
    expect(pulled.status).toBe(1);
    expect(pulled.stderr).toContain(wrong.digest);
    expect(pulled.stderr).not.toContain("is damaged");
    await expectWhole();
  });

  it("fails for an index that names the manifest of another image with a wrong size", async () => {
    const entry = { ...good.target, size: good.target.size + 7, platform: { os: "linux", architecture: "amd64" } };
    const document = { schemaVersion: 2, mediaType: ociIndex, manifests: [entry] };
    const { descriptor, bytes } = blobOf(ociIndex, Buffer.from(JSON.stringify(document)));
    const index: BuiltContent = { kind: "manifest", descriptor, bytes };
    const content = new Map([...good.content, [descriptor.digest, index] as const]);
    registry.addImage("stranger/index:1", { target: descriptor, manifests: [], content });
    const pulled = await pulley(["pull", "--root", root, `${registry.host}/stranger/index:1`]);
    expect(pulled.status).toBe(1);
    expect(pulled.stderr).toContain(good.target.digest);
    await expectWhole();
  });
});

describe("pulley load", () => {
  it.each(claims)("fails for a stranger's archive with %s, with its name", async (_, claim) => {
    const wrong = claim();
    const { image, document } = evilWith([layerOf(other), wrong]);
    const entry = (bytes: Buffer, { digest }: { digest: string }) => ({
      path: `blobs/${digest.replace(":", "/")}`,
      content: bytes,
    });
    const archive = join(folder, "archive.tar");
    const right = bytesOf(good, wrong);
    const cut = wrong.size > 1_000_000 ? right : Buffer.concat([right, Buffer.alloc(10)]).subarray(0, wrong.size);
    for (const content of [right, cut]) {
      const files = [
        layoutMarker,
        layoutIndex({ ...image.target, ...named("stranger/app:1") }),
        entry(document, image.target),
        entry(bytesOf(other, part(other).config), part(other).config),
        entry(bytesOf(other, layerOf(other)), layerOf(other)),
        entry(content, wrong),
      ];
      await writeFile(archive, tarOf(...files));
      const loaded = await pulley(["load", "--root", root, archive]);
      expect(loaded.status).not.toBe(0);
      expect(loaded.stderr).toContain(wrong.digest);
    }
    await expectWhole();
  });
});
