import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { describeWith, run } from "../../test/tools.ts";
import { decompress, decompressDetected, detectCompression } from "./decompress.ts";

const text = Buffer.from("the quick brown fox jumps over the lazy dog\n".repeat(10_000));
const noise = randomBytes(300_000);
const both = Buffer.concat([text, noise]);

/** A zstd frame of blocks that are not compressed (RFC 8878, 3.1.1): enough of the format for a test to write. */
function zstdFrame(content: Buffer): Buffer {
  const header = Buffer.from("28b52ffda000000000", "hex");
  header.writeUInt32LE(content.length, 5);
  const blocks: Buffer[] = [];
  for (let at = 0; at < content.length; at += 65_536) {
    const part = content.subarray(at, at + 65_536);
    const last = at + 65_536 >= content.length ? 1 : 0;
    const size = Buffer.alloc(3);
    size.writeUIntLE((part.length << 3) | last, 0, 3);
    blocks.push(size, part);
  }
  return Buffer.concat([header, ...blocks]);
}

function skippableFrame(content: Buffer): Buffer {
  const header = Buffer.from("502a4d1800000000", "hex");
  header.writeUInt32LE(content.length, 4);
  return Buffer.concat([header, content]);
}

async function* inPieces(bytes: Buffer, size: number): AsyncIterable<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

describe("compressed content", () => {
  it.each([
    ["plain", both, both],
    ["in gzip", gzipSync(both), both],
    ["in several gzip members", Buffer.concat([gzipSync(text), gzipSync(noise)]), both],
    ["in zstd", zstdFrame(both), both],
    ["in several zstd frames", Buffer.concat([zstdFrame(text), zstdFrame(noise)]), both],
    [
      "in zstd frames beside ones to be skipped",
      Buffer.concat([zstdFrame(text), skippableFrame(noise), zstdFrame(noise), skippableFrame(text)]),
      both,
    ],
    ["in zstd frames behind one to be skipped", Buffer.concat([skippableFrame(noise), zstdFrame(text)]), text],
    ["empty", Buffer.alloc(0), Buffer.alloc(0)],
    ["of three bytes", Buffer.from("abc"), Buffer.from("abc")],
    ["empty in gzip", gzipSync(""), Buffer.alloc(0)],
  ])("%s is read, in pieces of any size", async (_, compressed, expected) => {
    for (const size of [1013, 65_536, 1_000_000]) {
      const found = await buffer(decompressDetected(inPieces(compressed, size)));
      expect(found.equals(expected)).toBe(true);
    }
  });

  it.each([
    ["gzip", gzipSync(both)],
    ["zstd", zstdFrame(both)],
  ] as const)("in %s that is cut off or damaged fails", async (compression, sound) => {
    await expect(buffer(decompress(inPieces(sound.subarray(0, -100), 5000), compression))).rejects.toThrow();
    const damaged = Buffer.concat([sound.subarray(0, 4), Buffer.alloc(3000, 0xff), sound.subarray(3004)]);
    await expect(buffer(decompress(inPieces(damaged, 5000), compression))).rejects.toThrow();
  });

  it("fails as its source fails", async () => {
    async function* failing(): AsyncIterable<Buffer> {
      yield gzipSync(both).subarray(0, 1000);
      throw new Error("the disk is gone");
    }
    await expect(buffer(decompress(failing(), "gzip"))).rejects.toThrow("the disk is gone");
    await expect(buffer(decompressDetected(failing()))).rejects.toThrow("the disk is gone");
  });

  it("closes its source when nobody wants more", async () => {
    let closed = false;
    async function* source(): AsyncIterable<Buffer> {
      try {
        yield* inPieces(gzipSync(noise), 1000);
      } finally {
        closed = true;
      }
    }
    for await (const chunk of decompressDetected(source())) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    await new Promise(setImmediate);
    expect(closed).toBe(true);
  });
});

describeWith(["zstd"], "with the zstd program", ({ zstd }) => {
  it.each(["-1", "-19", "--long=27"])("what it compresses with %s is read", async (level) => {
    const folder = await mkdtemp(join(tmpdir(), "pulley-zstd-"));
    await writeFile(join(folder, "both"), both);
    await run(zstd, ["-q", level, join(folder, "both")]);
    const compressed = await readFile(join(folder, "both.zst"));
    await rm(folder, { recursive: true });
    const found = await buffer(decompressDetected(inPieces(compressed, 10_000)));
    expect(found.equals(both)).toBe(true);
  });
});

describe("the first bytes", () => {
  it.each([
    ["1f8b08000000", "gzip"],
    ["28b52ffd0000", "zstd"],
    ["502a4d180000", "zstd"],
    ["5f2a4d180000", "zstd"],
    ["425a68393141", undefined],
    ["fd377a585a00", undefined],
    ["7573746172", "none"],
    ["", "none"],
  ])("%s tell of %s", (start, compression) => {
    expect(detectCompression(Buffer.from(start, "hex"))).toBe(compression);
  });

  it("of what images are not compressed with are refused", async () => {
    await expect(buffer(decompressDetected(inPieces(Buffer.from("BZh91AY&SY"), 3)))).rejects.toThrow("bzip2 or xz");
  });
});
