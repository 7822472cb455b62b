import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { openBlobFile } from "./blob-file.ts";
import { isPulleyError } from "./errors.ts";
import { type Announced, sha256Of } from "./verifier.ts";

/** Piece lengths as networks make them, and those around the lengths at which the file treats pieces in another way. */
const lengths = [1, 100, 1460, 16_384, 60_000, 65_536, 131_071, 131_072, 131_073, 150_000, 262_143, 262_144, 262_145];
const pieceLength = fc.oneof(fc.constantFrom(...lengths), fc.integer({ min: 1, max: 600_000 }));

/** What happens to a file while a blob comes: a piece, the end of an attempt, the wish to begin anew. */
const step = fc.oneof(
  { weight: 20, arbitrary: pieceLength.map((length) => ({ kind: "piece" as const, length })) },
  { weight: 2, arbitrary: fc.constant({ kind: "reopen" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "empty" as const }) },
);

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "pulley-blob-file-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Bytes that repeat themselves at no length that a file treats in a way of its own, the same on every run. */
function someBytes(length: number): Buffer {
  return Buffer.alloc(length, createHash("sha512").update("bytes").digest().subarray(1));
}

function describeBytes(bytes: Uint8Array): Announced {
  return { digest: sha256Of(bytes), size: bytes.length };
}

function digestOf(path: string): string {
  return `sha256:${createHash("sha256").update(readFileSync(path)).digest("hex")}`;
}

describe("the file of a blob", () => {
  it("holds the bytes in the order in which they came, whatever the lengths of the pieces", async () => {
    const folder = temporaryFolder();
    const content = someBytes(4_000_000);
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 40 }),
        fc.integer({ min: 1, max: content.length }),
        async (steps, size) => {
          const path = join(folder, "blob");
          rmSync(path, { force: true });
          const target = { descriptor: describeBytes(content.subarray(0, size)), path };
          let file = openBlobFile(target);
          // Every piece comes in the same memory, as from a connection.
          const block = Buffer.alloc(600_000);
          const send = (length: number) => {
            const piece = block.subarray(0, Math.min(length, size - file.received));
            content.copy(piece, 0, file.received);
            file.append(piece);
            piece.fill(0xee);
          };
          for (const next of steps) {
            if (next.kind === "piece") send(next.length);
            else if (next.kind === "empty") file.empty();
            else {
              const { received } = file;
              await file.close();
              file = openBlobFile(target);
              expect(file.received).toBe(received);
            }
          }
          while (!file.complete) send(block.length);
          file.verify();
          await file.close();
          expect(digestOf(path)).toBe(target.descriptor.digest);
        },
      ),
      { numRuns: 150 },
    );
  });

  it("is not taken for the blob if something else has been written into it", async () => {
    const content = someBytes(300_000);
    const path = join(temporaryFolder(), "blob");
    const descriptor = describeBytes(content);
    const file = openBlobFile({ descriptor, path });
    const other = openBlobFile({ descriptor: { ...descriptor, size: 400_000 }, path });
    other.append(someBytes(400_000));
    await other.close();
    file.append(content);
    expect(() => file.verify()).toThrow(/400000 bytes are in the file, 300000 of sha256:/);
    await file.close();
  });

  it("refuses a piece beyond the announced size before any of it is written", async () => {
    const content = someBytes(1000);
    const path = join(temporaryFolder(), "blob");
    const file = openBlobFile({ descriptor: describeBytes(content), path });
    file.append(content.subarray(0, 600));
    let refusal: unknown;
    try {
      file.append(content.subarray(0, 401));
    } catch (error) {
      refusal = error;
    }
    expect(isPulleyError(refusal, "SIZE_MISMATCH")).toBe(true);
    await file.close();
    expect(readFileSync(path)).toEqual(content.subarray(0, 600));
  });
});
