/** Kept between passes: when each image was first detected, and when it was last in use. */
import type { ImageStore } from "../store/index.ts";
import type { CollectableImage } from "./types.ts";

export interface ImageHistory {
  /** Milliseconds since the epoch, as {@link ImageHistory.lastUsed}. */
  readonly firstDetected: number;
  readonly lastUsed: number | undefined;
}

export type Histories = ReadonlyMap<string, ImageHistory>;

export interface ImageMemory {
  /** When watching began, in milliseconds since the epoch; earlier use is unknown. */
  readonly began: number;
  load(): Promise<Histories>;
  save(histories: Histories): Promise<void>;
}

/** As the kubelet's: it is empty at every start. */
export function processMemory(began: number): ImageMemory {
  let kept: Histories = new Map();
  return {
    began,
    load: () => Promise.resolve(kept),
    save: (histories) => {
      kept = histories;
      return Promise.resolve();
    },
  };
}

/** Takes up what is there now: new images are known from `at` on, used ones were used `now`, and others are forgotten. */
export function detected(
  known: Histories,
  images: readonly CollectableImage[],
  inUse: ReadonlySet<string>,
  { at, now }: { readonly at: number; readonly now: number },
): Histories {
  return new Map(
    images.map(({ id }) => {
      const before = known.get(id) ?? { firstDetected: at, lastUsed: undefined };
      return [id, inUse.has(id) ? { ...before, lastUsed: now } : before];
    }),
  );
}

/**
 * A memory for where containers are unknown: that an image was pulled, or confirmed by its registry, counts as a use. So
 * an image is known since then at the latest, and was last used then at the earliest.
 */
export function confirmedMemory(memory: ImageMemory, store: ImageStore): ImageMemory {
  return {
    ...memory,
    load: async () => {
      const histories = new Map(await memory.load());
      for (const { id, repoTags, repoDigests } of await store.images()) {
        const times = await Promise.all(
          [...repoTags, ...repoDigests].map(async (name) => (await store.record(name))?.confirmedAt ?? []),
        );
        for (const at of times.flat()) histories.set(id, usedAt(histories.get(id), at));
      }
      return histories;
    },
  };
}

function usedAt(known: ImageHistory | undefined, at: number): ImageHistory {
  return {
    firstDetected: Math.min(known?.firstDetected ?? at, at),
    lastUsed: Math.max(known?.lastUsed ?? at, at),
  };
}
