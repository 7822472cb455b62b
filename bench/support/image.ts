/** Images of a chosen size, the same bytes on every machine: made once, as an OCI image layout, and kept. */
import { createCipheriv, createHash, type Hash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { Header } from "tar";
import { z } from "zod";

const MiB = 1024 * 1024;

export interface ImageShape {
  readonly name: string;
  /** Size of each layer before compression, in MiB. A third of it compresses well, the rest not at all. */
  readonly layers: readonly number[];
}

const builtImageSchema = z.object({
  /** The layers as the registry serves them. */
  layers: z.array(z.object({ digest: z.string(), size: z.number() })),
});

export interface BuiltImage extends z.infer<typeof builtImageSchema> {
  /** Where it is, in skopeo's words. */
  readonly source: string;
}

/** Makes an image in the cache folder, unless it is there already. */
export async function builtImage(cache: string, shape: ImageShape): Promise<BuiltImage> {
  const layout = join(cache, `${shape.name}-v1`);
  const finished = join(layout, "built.json");
  if ((await stat(finished).catch(() => undefined)) === undefined) {
    await rm(layout, { recursive: true, force: true });
    await mkdir(join(layout, "blobs", "sha256"), { recursive: true });
    await writeFile(finished, JSON.stringify(await build(layout, shape)));
  }
  const built = builtImageSchema.parse(JSON.parse(await readFile(finished, "utf8")));
  return { ...built, source: `oci:${layout}:bench` };
}

async function build(layout: string, shape: ImageShape): Promise<z.infer<typeof builtImageSchema>> {
  const built = await Promise.all(shape.layers.map((size, number) => writeLayer(layout, size, number)));
  const layers = built.map(({ digest, size }) => ({ digest, size }));
  const config = await writeJson(layout, {
    architecture: "amd64",
    os: "linux",
    config: {},
    rootfs: { type: "layers", diff_ids: built.map(({ diffId }) => diffId) },
  });
  const manifest = await writeJson(layout, {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: { mediaType: "application/vnd.oci.image.config.v1+json", ...config },
    layers: layers.map((layer) => ({ mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", ...layer })),
  });
  const entry = {
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    ...manifest,
    annotations: { "org.opencontainers.image.ref.name": "bench" },
  };
  await writeFile(join(layout, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  await writeFile(join(layout, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
  return { layers };
}

interface Layer {
  readonly digest: string;
  readonly size: number;
  readonly diffId: string;
}

async function writeLayer(layout: string, size: number, number: number): Promise<Layer> {
  const path = join(layout, `layer-${number}`);
  const [unpacked, packed] = [createHash("sha256"), createHash("sha256")];
  const compress = createGzip({ level: 1 });
  await pipeline(Readable.from(archive(size, number)), tee(unpacked), compress, tee(packed), createWriteStream(path));
  const hex = packed.digest("hex");
  const { size: stored } = await stat(path);
  await rename(path, join(layout, "blobs", "sha256", hex));
  return { digest: `sha256:${hex}`, size: stored, diffId: `sha256:${unpacked.digest("hex")}` };
}

/** A tar archive of files of one MiB each. */
function* archive(size: number, number: number): Generator<Buffer> {
  for (let index = 0; index < size; index += 1) {
    const header = new Header({
      path: `layer-${number}/file-${index}`,
      type: "File",
      size: MiB,
      mode: 0o644,
      mtime: new Date(0),
    });
    header.encode();
    if (header.block === undefined) throw new Error("the header of a tar entry has no block");
    yield header.block;
    yield index % 3 === 0 ? text(number, index) : noise(number, index);
  }
  yield Buffer.alloc(1024);
}

function text(number: number, index: number): Buffer {
  return Buffer.alloc(MiB, `layer ${number}, file ${index}: what programs are made of is mostly much alike.\n`);
}

/** The key stream of a cipher: random to a compressor, and the same everywhere. */
function noise(number: number, index: number): Buffer {
  const counter = Buffer.alloc(16);
  counter.writeUInt32BE(number, 0);
  counter.writeUInt32BE(index, 4);
  return createCipheriv("aes-128-ctr", Buffer.alloc(16), counter).update(Buffer.alloc(MiB));
}

function tee(hash: Hash): PassThrough {
  return new PassThrough().on("data", (chunk: Buffer) => hash.update(chunk));
}

async function writeJson(layout: string, value: unknown): Promise<{ digest: string; size: number }> {
  const bytes = Buffer.from(JSON.stringify(value));
  const hex = createHash("sha256").update(bytes).digest("hex");
  await writeFile(join(layout, "blobs", "sha256", hex), bytes);
  return { digest: `sha256:${hex}`, size: bytes.length };
}
