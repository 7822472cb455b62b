/** Whoever follows a download gets its bytes, in their order, whenever he comes and in whatever pieces they do. */
import { createHash } from "node:crypto";
import { appendFile, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseDigest } from "../image/index.ts";
import type { Receiving } from "../pull/index.ts";
import { partOf } from "../store/index.ts";
import { createSingleFlight } from "../support/concurrency.ts";
import { streamWhileDownloading } from "./stream-while-downloading.ts";

/** Just more than what is sent only when it is here. */
const size = 4 * 1024 * 1024 + 70_001;
const bytes = Buffer.alloc(size);
for (let at = 0; at < size; at += 4)
  bytes.writeUInt32LE((at * 2_654_435_761) % 4_294_967_296, at > size - 4 ? size - 4 : at);
const digest = parseDigest(`sha256:${createHash("sha256").update(bytes).digest("hex")}`);
const descriptor = { mediaType: "application/octet-stream", digest, size };

/** A reader: after how many pieces it comes, how many turns it takes over each that it gets, and which part it wants. */
const reader = fc.record({
  after: fc.nat({ max: 12 }),
  pause: fc.nat({ max: 3 }),
  first: fc.nat({ max: size - 1 }),
  length: fc.oneof(fc.constant(size), fc.integer({ min: 1, max: size })),
});
const lengthsOfPieces = fc.array(fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 1024 * 1024 })), {
  minLength: 1,
  maxLength: 10,
});

interface Given {
  readonly lengths: readonly number[];
  readonly readers: readonly (typeof reader extends fc.Arbitrary<infer Value> ? Value : never)[];
  /** Whether one byte of it comes wrongly. */
  readonly wrong: boolean;
}

/** Lets the download run, and answers what each reader got; `undefined` for one that was broken off. */
async function run(folder: string, { lengths, readers, wrong }: Given): Promise<(Buffer | undefined)[]> {
  const [path, place] = [join(folder, "part"), join(folder, "blob")];
  const sent = Buffer.from(bytes);
  if (wrong) sent[size >>> 1] = (sent[size >>> 1] ?? 0) ^ 1;
  await writeFile(path, "");
  const singleFlight = createSingleFlight<void, Receiving>();
  const pieces = { come: 0 };
  const download = async ({ report }: { report: (receiving: Receiving) => void }) => {
    let at = 0;
    for (const length of [...lengths, size]) {
      const end = Math.min(size, at + length);
      await appendFile(path, sent.subarray(at, end));
      at = end;
      pieces.come += 1;
      if (at > 0) report({ path, received: at });
      for (let turns = 0; turns < 3; turns += 1) await turn();
    }
    if (wrong) {
      await rm(path);
      throw new Error("the digest is another");
    }
    await rename(path, place);
  };
  const stored = async function* () {
    yield bytes;
  };
  const one = async ({ after, pause, first, length }: Given["readers"][number]) => {
    while (pieces.come < after && pieces.come <= lengths.length) await turn();
    const fetch = (report: (receiving: Receiving) => void) =>
      pieces.come > lengths.length && !singleFlight.has("it")
        ? landed(wrong)
        : singleFlight.join("it", download, { onProgress: report });
    const got: Buffer[] = [];
    try {
      const part = { first, last: Math.min(size, first + length) - 1 };
      for await (const piece of partOf(await streamWhileDownloading(descriptor, fetch, async () => stored()), part)) {
        got.push(piece);
        for (let turns = 0; turns < pause; turns += 1) await turn();
      }
      return Buffer.concat(got);
    } catch {
      return undefined;
    }
  };
  // The first is there from the beginning: without anybody there is no download.
  const [first, ...others] = readers;
  return Promise.all([first && { ...first, after: 0 }, ...others].flatMap((each) => (each ? [one(each)] : [])));
}

async function landed(wrong: boolean): Promise<void> {
  if (wrong) throw new Error("the digest is another");
}

test("in whatever pieces it comes, and whenever they join", async () => {
  const given = fc.record({
    lengths: lengthsOfPieces,
    readers: fc.array(reader, { minLength: 1, maxLength: 5 }),
    wrong: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(given, async (one) => {
      const folder = await mkdtemp(join(tmpdir(), "pulley-followers-"));
      try {
        const got = await run(folder, one);
        for (const [at, { first, length }] of one.readers.entries()) {
          const wanted = bytes.subarray(first, Math.min(size, first + length));
          // Never a wrong byte that looks like the end; and where nothing is wrong, all of them.
          expect([at, one.wrong, got[at] === undefined ? "broken off" : got[at]?.equals(wanted)]).toEqual([
            at,
            one.wrong,
            one.wrong ? "broken off" : true,
          ]);
        }
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    }),
    { numRuns: 40 },
  );
});
