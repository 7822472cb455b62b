/** The images that a node tells of in its status (k8s pkg/kubelet/nodestatus/setters.go). */
import type { StoredImage } from "../store/index.ts";

export interface NodeStatusImage {
  readonly names: readonly string[];
  readonly sizeBytes: number;
}

/** k8s pkg/kubelet/nodestatus `MaxNamesPerImageInNodeStatus` */
const mostNames = 5;

/** The largest `most` images, of those of one size the one with the later id first; -1 for all of them. */
export function nodeStatusImages(
  images: readonly Pick<StoredImage, "id" | "repoTags" | "repoDigests" | "size">[],
  most: number,
): readonly NodeStatusImage[] {
  const sorted = images.toSorted((one, other) => other.size - one.size || (one.id < other.id ? 1 : -1));
  return (most === -1 ? sorted : sorted.slice(0, most)).map(({ repoDigests, repoTags, size }) => ({
    names: [...repoDigests, ...repoTags].slice(0, mostNames),
    sizeBytes: size,
  }));
}
