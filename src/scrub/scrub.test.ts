import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Digest, parseDigest } from "../image/index.ts";
import type { VerifyOptions } from "../store/image-store.ts";
import { openEmbeddedStore, type Verified } from "../store/index.ts";
import { misorder } from "../store/testing/old-store.ts";
import { bring, recordOf, sampleImage } from "../store/testing/sample-image.ts";
import { inFixedOrder } from "../store/verify.ts";
import { manualClock } from "../support/manual-clock.ts";
import type { Repair } from "./repair.ts";
import { runScrub, type ScrubbedBlob, type ScrubOptions } from "./scrub.ts";
import { type ScrubProgress, scrubMemory } from "./scrub-memory.ts";

const second = 1000;
const day = 24 * 3600 * second;
const mebibyte = 1024 * 1024;
const start = 1_800_000_000_000;

const digests = ["1", "2", "3", "4"].map((letter) => parseDigest(`sha256:${letter.repeat(64)}`));
const [first, second_, third, fourth] = digests;

/** A store of blobs of ten pieces of 1 MiB each, which tells when each piece is read. */
function fakeStore(clock: { now(): number }, states: ReadonlyMap<Digest | undefined, Verified["state"]> = new Map()) {
  const pieces: number[] = [];
  return {
    pieces,
    async *verify(options: VerifyOptions = {}): AsyncGenerator<Verified> {
      for (const digest of inFixedOrder(digests, options)) {
        for (let piece = 0; piece < 10; piece += 1) {
          pieces.push(clock.now());
          await options.pace?.(mebibyte);
        }
        yield { digest, state: states.get(digest) ?? "sound", neededBy: ["acme.io/app:1"] };
      }
    },
  };
}

function memoryOf(progress: ScrubProgress) {
  const memory = {
    progress,
    load: async () => memory.progress,
    save: async (next: ScrubProgress) => {
      memory.progress = next;
    },
  };
  return memory;
}

const nothingYet: ScrubProgress = { finishedAt: undefined, after: undefined };

let stopping: AbortController;
let running: Promise<void> | undefined;

beforeEach(() => {
  stopping = new AbortController();
});
afterEach(async () => {
  stopping.abort();
  await running;
});

function begin(options: Partial<ScrubOptions> & Pick<ScrubOptions, "store" | "clock">) {
  const [blobs, finished, failures]: [ScrubbedBlob[], number[], unknown[]] = [[], [], []];
  const repaired: Digest[] = [];
  const repair = async (faulty: readonly Verified[]): Promise<readonly Repair[]> => {
    repaired.push(...faulty.map(({ digest }) => digest));
    return faulty.map((blob) => ({ ...blob, repaired: true, failures: [] }));
  };
  running = runScrub(
    {
      repairer: { repair },
      memory: memoryOf(nothingYet),
      rate: mebibyte,
      every: 7 * day,
      isBusy: () => false,
      onBlob: (blob) => blobs.push(blob),
      onFinished: (at) => finished.push(at),
      onFailure: (error) => failures.push(error),
      ...options,
    },
    stopping.signal,
  );
  return { blobs, finished, failures, repaired };
}

describe("a scrub", () => {
  it("reads at its rate, and no faster", async () => {
    const clock = manualClock(start);
    const store = fakeStore(clock);
    const { blobs, finished } = begin({ store, clock, rate: 2 * mebibyte });
    await clock.advance(10 * second);
    // 20 MiB in ten seconds, and the piece with which it began.
    expect(store.pieces.length).toBeGreaterThanOrEqual(20);
    expect(store.pieces.length).toBeLessThanOrEqual(21);
    await clock.advance(10 * second);
    expect(finished).toEqual([start + 20 * second]);
    expect(blobs.map(({ digest, bytes }) => [digest, bytes])).toEqual(digests.map((each) => [each, 10 * mebibyte]));
  });

  it("reads nothing while something is being pulled", async () => {
    const clock = manualClock(start);
    const store = fakeStore(clock);
    let busy = false;
    begin({ store, clock, isBusy: () => busy });
    await clock.advance(5 * second);
    const before = store.pieces.length;
    busy = true;
    await clock.advance(3600 * second);
    expect(store.pieces.length).toBeLessThanOrEqual(before + 1);
    busy = false;
    await clock.advance(5 * second);
    expect(store.pieces.length).toBeGreaterThan(before + 3);
  });

  it("begins at once where the store was never read, and then after its interval", async () => {
    const clock = manualClock(start);
    const store = fakeStore(clock);
    const { finished } = begin({ store, clock });
    await clock.advance(40 * second);
    expect(finished).toEqual([start + 40 * second]);
    await clock.advance(7 * day - second);
    expect(store.pieces.length).toBe(40);
    await clock.advance(41 * second);
    expect(store.pieces.length).toBe(80);
    expect(finished.length).toBe(2);
  });

  it("waits after a restart for what is left of the interval, whatever the clock says", async () => {
    for (const finishedAt of [start - 6 * day, start + 400 * day]) {
      const clock = manualClock(start);
      const store = fakeStore(clock);
      const { finished } = begin({ store, clock, memory: memoryOf({ finishedAt, after: undefined }) });
      await clock.advance(second);
      expect(finished).toEqual([finishedAt]);
      expect(store.pieces.length).toBe(0);
      await clock.advance(7 * day + second);
      expect(store.pieces.length).toBeGreaterThan(0);
      stopping.abort();
      await running;
      stopping = new AbortController();
    }
  });

  it("goes on after a restart where it was", async () => {
    const clock = manualClock(start);
    const memory = memoryOf(nothingYet);
    const before = begin({ store: fakeStore(clock), clock, memory });
    await clock.advance(25 * second);
    stopping.abort();
    await running;
    expect(before.failures).toEqual([]);
    expect(before.blobs.map(({ digest }) => digest)).toEqual([first, second_]);
    expect(memory.progress).toEqual({ finishedAt: undefined, after: second_ });
    stopping = new AbortController();
    const { blobs, finished } = begin({ store: fakeStore(clock), clock, memory });
    await clock.advance(20 * second);
    expect(blobs.map(({ digest }) => digest)).toEqual([third, fourth]);
    expect(finished).toEqual([start + 45 * second]);
    expect(memory.progress.after).toBeUndefined();
  });

  it("has fetched again what is damaged or missing, and leaves alone what the disk cannot read", async () => {
    const clock = manualClock(start);
    const states = new Map<Digest | undefined, Verified["state"]>([
      [first, "damaged"],
      [third, "missing"],
      [fourth, "unreadable"],
    ]);
    const { blobs, repaired } = begin({ store: fakeStore(clock, states), clock });
    await clock.advance(40 * second);
    expect(repaired).toEqual([first, third]);
    expect(blobs.map(({ state, repair }) => [state, repair?.repaired])).toEqual([
      ["damaged", true],
      ["sound", undefined],
      ["missing", true],
      ["unreadable", undefined],
    ]);
  });

  it("tells of a failure, and goes on behind what it has read", async () => {
    const clock = manualClock(start);
    const sound = fakeStore(clock);
    let broken = true;
    const store = {
      async *verify(options: VerifyOptions = {}) {
        for await (const blob of sound.verify(options)) {
          if (broken && blob.digest === third) throw new Error("the disk is gone");
          yield blob;
        }
      },
    };
    const { blobs, failures, finished } = begin({ store, clock });
    await clock.advance(60 * second);
    expect(failures).toMatchObject([{ message: "the disk is gone" }]);
    expect(blobs.map(({ digest }) => digest)).toEqual([first, second_]);
    broken = false;
    await clock.advance(700 * second);
    expect(blobs.map(({ digest }) => digest)).toEqual(digests);
    expect(finished.length).toBe(1);
  });
});

describe("what is remembered of a scrub", () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "pulley-scrub-"));
  });
  afterEach(async () => {
    await rm(root, { recursive: true });
  });

  it("can be read back, and where it cannot, everything is read again", async () => {
    const memory = scrubMemory(root);
    expect(await memory.load()).toEqual(nothingYet);
    for (const progress of [
      { finishedAt: start, after: second_ },
      { finishedAt: undefined, after: first },
      { finishedAt: start, after: undefined },
    ]) {
      await memory.save(progress);
      expect(await memory.load()).toEqual(progress);
    }
    for (const text of ["", "{", '{"finishedAt":"yesterday"}', '{"after":"../../etc"}', "x".repeat(100_000)]) {
      await writeFile(join(root, "scrub.json"), text);
      expect(await memory.load()).toEqual(nothingYet);
    }
  });

  it("a real store is read to its end, damage included, and stays open for pulls", async () => {
    const store = await openEmbeddedStore(join(root, "store"));
    const image = sampleImage("scrubbed");
    const lease = await store.lease();
    await bring(lease, image);
    await lease.publish([recordOf(image, "acme.io/app:1")]);
    await lease.release();
    const wrong = image.layers[0]?.descriptor.digest ?? expect.unreachable();
    await misorder(join(root, "store"), wrong);
    const clock = manualClock(start);
    let ended: () => void = () => undefined;
    const end = new Promise<void>((resolve) => {
      ended = resolve;
    });
    const { blobs, repaired } = begin({ store, clock, rate: 1e12, onFinished: () => ended() });
    await end;
    expect(blobs.length).toBe(3 + image.layers.length);
    expect(blobs.filter(({ state }) => state !== "sound")).toMatchObject([{ digest: wrong, state: "damaged" }]);
    expect(repaired).toEqual([wrong]);
    await turn();
    await store.close();
  });
});
