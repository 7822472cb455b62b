/** How fast pulls are: over the last seconds, so that a stall shows. */
import type { PullProgress } from "../pull/index.ts";

export interface Speed {
  readonly bytesPerSecond: number;
  /** Milliseconds until everything is here, if it goes on so; absent where nothing comes. */
  readonly left: number | undefined;
}

export interface PullSpeeds {
  note(progress: PullProgress): void;
  /** `undefined` as long as nothing can be said. */
  of(image: string): Speed | undefined;
}

/** Milliseconds over which a speed is taken, and the fewest that say anything. */
const longest = 5_000;
const shortest = 400;

interface SpeedSample {
  readonly at: number;
  readonly bytes: number;
}

interface Course {
  readonly samples: readonly SpeedSample[];
  /** Bytes that are still to come. */
  readonly missing: number;
}

/** @param now milliseconds, of a clock that only goes forward */
export function createPullSpeeds(now: () => number): PullSpeeds {
  const courses = new Map<string, Course>();
  return {
    note: ({ image, phase, layers, received, total }) => {
      if (phase !== "downloading") {
        courses.delete(image);
        return;
      }
      // What was here already has not come.
      const coming = layers.filter(({ state }) => state !== "exists");
      const bytes = coming.reduce((sum, layer) => sum + layer.received, 0);
      const before = courses.get(image)?.samples ?? [];
      const last = before.at(-1);
      // Bytes that were wrong are fetched again.
      const kept = last !== undefined && last.bytes > bytes ? [] : before;
      courses.set(image, { samples: recent([...kept, { at: now(), bytes }], now()), missing: total - received });
    },
    of: (image) => {
      const { samples = [], missing = 0 } = courses.get(image) ?? {};
      const [first] = recent(samples, now());
      const last = samples.at(-1);
      if (first === undefined || last === undefined || now() - first.at < shortest) return undefined;
      const bytesPerSecond = ((last.bytes - first.bytes) * 1000) / (now() - first.at);
      return { bytesPerSecond, left: bytesPerSecond > 0 ? (missing * 1000) / bytesPerSecond : undefined };
    },
  };
}

/** Those of the last seconds, and the one before them, which is where they began. */
function recent(samples: readonly SpeedSample[], now: number): readonly SpeedSample[] {
  const from = samples.findIndex(({ at }) => now - at <= longest);
  if (from < 0) return samples.slice(-1);
  return samples.slice(Math.max(0, from - 1));
}
