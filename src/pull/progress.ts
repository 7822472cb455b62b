/** What is told of a pull at its stages. */
import type { ImageContent } from "./image-content.ts";
import type { LayerProgress, PullProgress } from "./types.ts";

export function resolving(image: string): PullProgress {
  return { image, phase: "resolving", received: 0, total: 0, layers: [] };
}

export function downloading(image: string, layers: readonly LayerProgress[]): PullProgress {
  const sum = (of: (layer: LayerProgress) => number) => layers.reduce((total, layer) => total + of(layer), 0);
  const [received, total] = [sum((layer) => layer.received), sum((layer) => layer.size)];
  return { image, phase: "downloading", received, total, layers };
}

/** Bytes of the layers that were fetched. */
export function fetchedBytes({ layers }: PullProgress): number {
  return layers.reduce((sum, { state, size }) => sum + (state === "complete" ? size : 0), 0);
}

/** The last word; layers that were not fetched count as found. */
export function done(last: PullProgress, { layers, facts }: ImageContent): PullProgress {
  const fetched = new Set(last.layers.filter(({ state }) => state !== "exists").map(({ digest }) => digest));
  const ended = layers.map(({ digest, size }): LayerProgress => {
    return { digest, size, received: size, state: fetched.has(digest) ? "complete" : "exists" };
  });
  return { ...downloading(last.image, ended), phase: "done", facts };
}
