/**
 * Reads the whole store again, slowly, for as long as a node runs: disks forget, and what an earlier version wrote may be
 * wrong. Content that is damaged is set aside by the store; what can be fetched again is, and the rest comes with the
 * next pull.
 */
import type { Digest } from "../image/index.ts";
import type { ImageStore, Verified } from "../store/index.ts";
import type { Clock } from "../support/clock.ts";
import type { Repair, Repairer } from "./repair.ts";
import type { ScrubMemory } from "./scrub-memory.ts";

export interface ScrubOptions {
  readonly store: Pick<ImageStore, "verify">;
  readonly repairer: Repairer;
  /** State that is kept over restarts. */
  readonly memory: ScrubMemory;
  /** Most bytes that are read in a second. */
  readonly rate: number;
  /** Milliseconds from the end of a pass to the beginning of the next one. */
  readonly every: number;
  /** Whether layers are being pulled; reading pauses then. */
  readonly isBusy: () => boolean;
  readonly clock: Clock;
  /** Called with each blob that was read. */
  readonly onBlob: (blob: ScrubbedBlob) => void;
  /** Called at the end of each pass, and at the start with the end of the last one. */
  readonly onFinished: (at: number) => void;
  /** Called with an error that interrupted a pass; the pass is continued later. */
  readonly onFailure: (error: unknown) => void;
}

export interface ScrubbedBlob extends Verified {
  /** Bytes that were read. */
  readonly bytes: number;
  /** The result of repairing damaged content that an image needs. */
  readonly repair?: Repair;
}

/** Milliseconds between two checks whether layers are still being pulled. */
const whileBusy = 1000;
/** How far reading may be ahead of its time before it waits: a timer for every small blob would cost more than the blob. */
const ahead = 50;
/** How often the progress of a pass is saved. */
const saving = 60_000;
/** Until an interrupted pass is continued. */
const afterFailure = 10 * 60_000;
/** Timers do not hold longer than some weeks. */
const longestSleep = 24 * 3600_000;

/** Never rejects; ends some time after the signal. */
export async function runScrub(options: ScrubOptions, signal: AbortSignal): Promise<void> {
  const { memory, clock, every, onFailure, onFinished } = options;
  const finished = (await memory.load().catch(() => undefined))?.finishedAt;
  if (finished !== undefined) onFinished(finished);
  while (!signal.aborted) {
    try {
      const known = await memory.load();
      if (known.after === undefined) await waitUntil(dueAt(known.finishedAt, every, clock.now()), clock, signal);
      await scrubOnce(options, known.after, signal);
      const at = clock.now();
      await memory.save({ finishedAt: at, after: undefined });
      onFinished(at);
    } catch (error) {
      if (signal.aborted) return;
      onFailure(error);
      await clock.sleep(afterFailure, signal).catch(() => undefined);
    }
  }
}

/** A store that was never read is read now. If the clock was set back, the wait is no longer than usual. */
function dueAt(finishedAt: number | undefined, every: number, now: number): number {
  return finishedAt === undefined ? now : Math.min(finishedAt, now) + every;
}

async function waitUntil(due: number, clock: Clock, signal: AbortSignal): Promise<void> {
  while (clock.now() < due) await clock.sleep(Math.min(longestSleep, due - clock.now()), signal);
}

async function scrubOnce(options: ScrubOptions, after: Digest | undefined, signal: AbortSignal): Promise<void> {
  const { store, repairer, memory, clock, onBlob } = options;
  const { finishedAt } = await memory.load();
  const slow = slowly(options, signal);
  let saved = clock.now();
  let last = after;
  try {
    for await (const blob of store.verify({ after, pace: slow.pace })) {
      signal.throwIfAborted();
      const bytes = slow.takeBytes();
      const [repair] = isWanted(blob) ? await repairer.repair([blob], signal) : [];
      onBlob({ ...blob, bytes, ...(repair && { repair }) });
      last = blob.digest;
      if (clock.now() - saved < saving) continue;
      saved = clock.now();
      await memory.save({ finishedAt, after: last });
    }
  } catch (error) {
    // The next one goes on behind what was read.
    await memory.save({ finishedAt, after: last });
    throw error;
  }
}

function isWanted({ state, neededBy }: Verified): boolean {
  return (state === "damaged" || state === "missing") && neededBy.length > 0;
}

/** Waits after each piece for as long as it may take at the rate, and for pulls that are on their way. */
function slowly({ rate, clock, isBusy }: ScrubOptions, signal: AbortSignal) {
  let read = 0;
  let due = clock.now();
  return {
    pace: async (bytes: number) => {
      read += bytes;
      due = Math.max(due, clock.now()) + (bytes / rate) * 1000;
      const early = due - clock.now();
      if (early > ahead) await clock.sleep(early, signal);
      while (isBusy()) await clock.sleep(whileBusy, signal);
    },
    /** Bytes since the last time. */
    takeBytes: () => {
      const bytes = read;
      read = 0;
      return bytes;
    },
  };
}
