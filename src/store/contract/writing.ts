/** What is stored under a digest is what was verified, in the order in which it came, however it came. */
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Descriptor, ociLayer } from "../../image/index.ts";
import { openBlobFile } from "../../support/blob-file.ts";
import { isPulleyError } from "../../support/errors.ts";
import { receive } from "../archive/receive.ts";
import type { Ingest, Lease } from "../image-store.ts";
import { blobOf } from "../testing/sample-image.ts";
import { collectStream, type OpenStore } from "./expectations.ts";

/** Lengths of pieces as networks and archives make them, and those around the lengths that are treated in another way. */
const lengths = [1, 100, 1460, 16_384, 65_537, 131_072, 262_143, 262_144, 262_145, 1_048_576, 1_048_577];
const pieceLength = fc.oneof(fc.constantFrom(...lengths), fc.integer({ min: 1, max: 400_000 }));

/** What happens while content comes: a piece, a pause, an attempt that is given up, a lease that ends in the middle. */
const step = fc.oneof(
  { weight: 12, arbitrary: pieceLength.map((length) => ({ kind: "piece" as const, length })) },
  { weight: 2, arbitrary: fc.constant({ kind: "pause" as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: "abandon" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "release" as const }) },
);

const largest = 3_000_000;

/** Bytes that repeat themselves at no length of pieces, and are no other seed's. */
function contentOf(size: number, seed: number): Buffer {
  return Buffer.alloc(size, Buffer.from(`content ${seed} of an odd length; ${"x".repeat(seed % 7)}`));
}

export function describeWriting(openStore: OpenStore): void {
  test("received in pieces, with pauses, after attempts that ended anywhere", async () => {
    const store = await openStore();
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 20 }),
        fc.integer({ min: 1, max: largest }),
        fc.nat(),
        async (steps, size, seed) => {
          const { descriptor, bytes } = blobOf(ociLayer, contentOf(size, seed));
          let lease = await store.lease();
          if (await lease.has(descriptor)) return lease.release();
          let ingest = await lease.ingest(descriptor);
          let file = openBlobFile({ descriptor, path: ingest.path });
          const begin = async (): Promise<void> => {
            ingest = await lease.ingest(descriptor);
            file = openBlobFile({ descriptor, path: ingest.path });
            expect(file.received).toBe(ingest.received);
          };
          const block = Buffer.alloc(1_100_000);
          for (const next of [...steps, { kind: "rest" as const }]) {
            if (next.kind === "piece") appendFrom(bytes, file, block, next.length);
            else if (next.kind === "pause") await turn();
            else if (next.kind === "rest") while (!file.complete) appendFrom(bytes, file, block, block.length);
            else {
              const { received } = file;
              await file.close();
              if (next.kind === "abandon") await ingest.abandon("keep");
              else {
                await lease.release();
                lease = await store.lease();
              }
              await begin();
              expect(file.received).toBe(received);
            }
          }
          await finish(ingest, file);
          expect((await collectStream(await store.open(descriptor))).equals(bytes)).toBe(true);
          await lease.release();
        },
      ),
      { numRuns: 30 },
    );
  });

  test("loaded from an archive in pieces of any length, all in the same memory", async () => {
    const store = await openStore();
    await fc.assert(
      fc.asyncProperty(
        fc.array(pieceLength, { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: largest }),
        fc.nat(),
        fc.boolean(),
        async (pieces, size, seed, begun) => {
          const { descriptor, bytes } = blobOf(ociLayer, contentOf(size, seed));
          const lease = await store.lease();
          if (begun && !(await lease.has(descriptor))) await leaveBeginning(lease, descriptor);
          const file = { path: "layer", size, position: 0, chunks: () => cut(bytes, pieces), start: async () => bytes };
          await receive(lease, [{ descriptor, file }]);
          expect((await collectStream(await store.open(descriptor))).equals(bytes)).toBe(true);
          await lease.release();
        },
      ),
      { numRuns: 20 },
    );
  });

  test("put while its memory becomes something else: then it is refused, or is what it was", async () => {
    const store = await openStore();
    const lease = await store.lease();
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 600_000 }), fc.nat(), fc.nat(6), async (size, seed, turns) => {
        const { descriptor, bytes } = blobOf(ociLayer, contentOf(size, seed));
        const memory = Buffer.from(bytes);
        const putting = lease.put(descriptor, memory).catch(unlessRefused);
        for (let count = 0; count < turns; count += 1) await turn();
        memory.fill(0xee);
        await putting;
        if (await lease.has(descriptor))
          expect((await store.read(descriptor.digest, largest)).equals(bytes)).toBe(true);
      }),
      { numRuns: 30 },
    );
    await lease.release();
  });
}

type BlobFile = ReturnType<typeof openBlobFile>;

/** Appends the next piece in memory that becomes something else then. */
function appendFrom(bytes: Buffer, file: BlobFile, block: Buffer, length: number): void {
  const piece = block.subarray(0, Math.min(length, bytes.length - file.received));
  bytes.copy(piece, 0, file.received);
  file.append(piece);
  piece.fill(0xee);
}

async function finish(ingest: Ingest, file: BlobFile): Promise<void> {
  file.verify();
  await file.flush();
  await file.close();
  await ingest.commit();
}

/** What an attempt left that came from somewhere with other bytes. */
async function leaveBeginning(lease: Lease, descriptor: Descriptor): Promise<void> {
  const ingest = await lease.ingest(descriptor);
  const file = openBlobFile({ descriptor, path: ingest.path });
  // The same bytes may have been received before: containerd's store keeps them until an image names them.
  file.empty();
  file.append(Buffer.alloc(Math.ceil(descriptor.size / 2), "other bytes"));
  await file.close();
  await ingest.abandon("keep");
}

/** Cuts bytes into pieces of these lengths, over and over, each of which is overwritten by the next one. */
async function* cut(bytes: Buffer, lengths: readonly number[]): AsyncGenerator<Buffer, void> {
  const block = Buffer.alloc(Math.max(100_000, ...lengths));
  for (let [at, turn] = [0, 0]; at < bytes.length; turn += 1) {
    // Single bytes to the end would take long, and tell no more than some of them.
    const length = turn < 50 ? (lengths[turn % lengths.length] ?? 1) : block.length;
    const piece = block.subarray(0, Math.min(length, bytes.length - at));
    bytes.copy(piece, 0, at);
    at += piece.length;
    yield piece;
    piece.fill(0xee);
  }
}

function unlessRefused(error: unknown): void {
  if (!isPulleyError(error, "DIGEST_MISMATCH")) throw error;
}
