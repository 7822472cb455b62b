import type { Descriptor, ImageConfig, Manifest } from "../../image/index.ts";
import { isPulleyError, PulleyError } from "../../support/errors.ts";
import type { ImageStore, StoredImage } from "../image-store.ts";
import type { TarFile } from "./tar-format.ts";

/** An image to save: read and checked, except for its layers' bytes. */
export interface ChosenImage {
  readonly image: StoredImage;
  /** Normalised, with tags. */
  readonly names: Set<string>;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
  readonly manifestBytes: Buffer;
  readonly configBytes: Buffer;
}

/** One file for each path: images share layers. */
export function byPath(files: readonly TarFile[]): Iterable<TarFile> {
  return new Map(files.map((file) => [file.path, file])).values();
}

/**
 * A list of images, as it will be written, read as `pulley load` would read it: an archive that nothing can load is not
 * written.
 * @throws PulleyError `USAGE`
 */
export function checkList(bytes: Buffer, parse: (bytes: Buffer) => unknown): void {
  try {
    parse(bytes);
  } catch (error) {
    if (!isPulleyError(error)) throw error;
    const advice = "Save fewer images at once.";
    throw new PulleyError("USAGE", `these are too many images for one archive: ${error.message}`, { advice });
  }
}

export function jsonBytes(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

export function smallFile(path: string, bytes: Buffer): TarFile {
  return { path, size: bytes.length, content: [bytes] };
}

/** Content of the store, opened only when its turn comes. */
export async function* opened(store: ImageStore, descriptor: Descriptor): AsyncIterable<Buffer> {
  yield* await store.open(descriptor);
}
