/** OngoingDownload speeds of pulls over the last seconds, so that a stall shows. */
import type { PullProgress } from "../pull/index.ts";

export interface Speed {
  readonly bytesPerSecond: number;
  /** Milliseconds until the download is complete at this speed; `undefined` if it stalls. */
  readonly left: number | undefined;
}

export interface PullSpeeds {
  note(progress: PullProgress): void;
  /** `undefined` until there are enough samples. */
  of(image: string): Speed | undefined;
}

/** Milliseconds over which a speed is measured: at most, and at least. */
const longest = 5_000;
const shortest = 400;

interface SpeedSample {
  readonly at: number;
  readonly bytes: number;
}

interface OngoingDownload {
  readonly samples: readonly SpeedSample[];
  /** Bytes left to download. */
  readonly missing: number;
}

/** @param now milliseconds of a monotonic clock */
export function createPullSpeeds(now: () => number): PullSpeeds {
  const downloads = new Map<string, OngoingDownload>();
  return {
    note: ({ image, phase, layers, received, total }) => {
      if (phase !== "downloading") {
        downloads.delete(image);
        return;
      }
      // Layers in the store are not downloaded.
      const missingLayers = layers.filter(({ state }) => state !== "exists");
      const bytes = missingLayers.reduce((sum, layer) => sum + layer.received, 0);
      const before = downloads.get(image)?.samples ?? [];
      const last = before.at(-1);
      // Invalid bytes are downloaded again.
      const kept = last !== undefined && last.bytes > bytes ? [] : before;
      downloads.set(image, { samples: recent([...kept, { at: now(), bytes }], now()), missing: total - received });
    },
    of: (image) => {
      const { samples = [], missing = 0 } = downloads.get(image) ?? {};
      const [first] = recent(samples, now());
      const last = samples.at(-1);
      if (first === undefined || last === undefined || now() - first.at < shortest) return undefined;
      const bytesPerSecond = ((last.bytes - first.bytes) * 1000) / (now() - first.at);
      return { bytesPerSecond, left: bytesPerSecond > 0 ? (missing * 1000) / bytesPerSecond : undefined };
    },
  };
}

/** The samples of the last seconds, and the one before them, as the start. */
function recent(samples: readonly SpeedSample[], now: number): readonly SpeedSample[] {
  const from = samples.findIndex(({ at }) => now - at <= longest);
  if (from < 0) return samples.slice(-1);
  return samples.slice(Math.max(0, from - 1));
}
