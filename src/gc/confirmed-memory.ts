import type { ImageStore } from "../store/index.ts";
import type { ImageHistory, ImageMemory } from "./memory.ts";

/**
 * A memory for those who see no containers: that an image was pulled, or confirmed by its registry, counts as a use. So
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
