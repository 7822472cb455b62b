import { Readable, Transform } from "node:stream";
import * as zlib from "node:zlib";
import { Decompress as ZstdDecompress } from "fzstd";

export type Compression = "none" | "gzip" | "zstd";

/** Bytes that {@link detectCompression} wants to see. */
export const magicLength = 6;

/** How content is compressed, by its first bytes; `undefined` for bzip2 and xz, which images do not use. */
export function detectCompression(start: Uint8Array): Compression | undefined {
  const magic = Buffer.from(start.subarray(0, magicLength)).toString("hex");
  if (magic.startsWith("1f8b")) return "gzip";
  if (magic.startsWith("28b52ffd") || /^5[0-9a-f]2a4d18/.test(magic)) return "zstd";
  return magic.startsWith("425a68") || magic === "fd377a585a00" ? undefined : "none";
}

/** The content behind a compression, as a stream; gzip may have several members, zstd several frames. */
export function decompress(content: AsyncIterable<Buffer>, compression: Compression): AsyncIterable<Buffer> {
  switch (compression) {
    case "none":
      return content;
    case "gzip":
      return through(content, zlib.createGunzip());
    case "zstd": {
      const native = nativeZstd();
      return native === undefined ? unpackZstd(content) : through(content, native);
    }
  }
}

/**
 * The content behind whatever compression its first bytes tell of.
 * @throws Error for bzip2 and xz, and for damaged data
 */
export async function* decompressDetected(content: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  const iterator = content[Symbol.asyncIterator]();
  let start: Buffer = Buffer.alloc(0);
  while (start.length < magicLength) {
    const next = await iterator.next();
    if (next.done) break;
    start = Buffer.concat([start, next.value]);
  }
  const compression = detectCompression(start);
  if (compression === undefined) throw new Error("compressed with bzip2 or xz");
  yield* decompress(resume(start, iterator), compression);
}

async function* resume(start: Buffer, iterator: AsyncIterator<Buffer>): AsyncIterable<Buffer> {
  try {
    yield start;
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
  } finally {
    await iterator.return?.();
  }
}

/** Failures of the source come out of the result, as those of the transform do. */
function through(content: AsyncIterable<Buffer>, transform: Transform): AsyncIterable<Buffer> {
  const source = Readable.from(content, { objectMode: false });
  source.on("error", (error) => transform.destroy(error));
  transform.on("close", () => source.destroy());
  return source.pipe(transform);
}

/** Node has zstd since 22.15. */
function nativeZstd(): Transform | undefined {
  const create: unknown = Reflect.get(zlib, "createZstdDecompress");
  if (typeof create !== "function") return undefined;
  const stream: unknown = Reflect.apply(create, zlib, []);
  return stream instanceof Transform ? stream : undefined;
}

/** Bytes given to the decompressor at once: it keeps all that comes of them until they are used. */
const step = 64 * 1024;

async function* unpackZstd(content: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  let unpacked: Buffer[] = [];
  const decompressor = new ZstdDecompress((chunk) => {
    if (chunk.length > 0) unpacked.push(Buffer.from(chunk));
  });
  for await (const chunk of content) {
    for (let at = 0; at < chunk.length; at += step) {
      decompressor.push(chunk.subarray(at, at + step));
      yield* unpacked;
      unpacked = [];
    }
  }
  decompressor.push(new Uint8Array(0), true);
  yield* unpacked;
}
