/** Reads and writes image archives: those of `docker save`, `skopeo copy` and `ctr image export`. */
export { type LoadedImage, type LoadOptions, loadArchive } from "./load.ts";
export { type ArchiveFormat, saveArchive } from "./save.ts";
