/** The images on this machine: in a store of our own, or in containerd. */
export { loadArchive } from "./archive/load.ts";
export { type ArchiveFormat, saveArchive } from "./archive/save.ts";
export { type ByteRange, partOf } from "./byte-range.ts";
export { openEmbeddedStore } from "./embedded/index.ts";
export { readSmall } from "./files.ts";
export type { ImageRecord, ImageStore, Lease, StoredImage, Verified } from "./image-store.ts";
export { openContainerdStore } from "./open-containerd.ts";
export { type UnfitLayer, unfitLayers } from "./unpacking.ts";
