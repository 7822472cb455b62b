/** What comes on standard input is in the store byte for byte, in whatever pieces it comes. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { dockerTar, imageOf, ociTar, tarOf } from "../store/archive/testing.ts";
import { openEmbeddedStore } from "../store/index.ts";
import { runCommandLine } from "./program.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pulley-cli-load-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

const image = imageOf(["lower", "upper"].map((path) => tarOf({ path, content: randomBytes(300_000) })));
const archives = [ociTar(image, "app:1"), dockerTar(image, ["app:1"])].flatMap((tar) => [tar, gzipSync(tar)]);

/** Pieces of the given lengths, which come again and again until everything has come. */
function* pieces(bytes: Buffer, lengths: readonly number[]): Iterable<Buffer> {
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const length = lengths[turn % lengths.length] ?? 1;
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

test("an archive on standard input may come in any pieces", async () => {
  // Around the sizes at which streams, tars and stores gather: a byte, a block, 64 KiB, 128 KiB, 1 MiB.
  const length = fc.oneof(
    fc.integer({ min: 200, max: 2000 }),
    fc.integer({ min: 60_000, max: 140_000 }),
    fc.constant(2 ** 20),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...archives),
      fc.array(length, { minLength: 1, maxLength: 6 }),
      async (bytes, lengths) => {
        const root = await mkdtemp(join(folder, "store-"));
        const [stdin, stdout] = [Readable.from(pieces(bytes, lengths)), new PassThrough()];
        const io = { stdin, stdout, stderr: stdout, environment: {} };
        expect(await runCommandLine(["load", "--root", root], io)).toBe(0);
        expect(String(stdout.read())).toBe("Loaded: docker.io/library/app:1\n");
        const store = await openEmbeddedStore(root);
        for await (const { state } of store.verify()) expect(state).toBe("sound");
        expect((await store.image("app:1"))?.repoTags).toEqual(["docker.io/library/app:1"]);
        await store.close();
      },
    ),
    { numRuns: 12 },
  );
});
