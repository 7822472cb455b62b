/** Images as files: what `docker save`, `skopeo copy` and `ctr image export` write, read and written. */
export { type LoadedImage, type LoadOptions, loadArchive } from "./load.ts";
export { type ArchiveFormat, saveArchive } from "./save.ts";
