import type { ImageConfig } from "../../image/config.ts";
import type { Descriptor } from "../../image/descriptor.ts";
import type { Manifest } from "../../image/manifest.ts";
import type { ImageStore, StoredImage } from "../index.ts";
import type { TarFile } from "./tar-format.ts";

/** An image that is to be saved: read and checked, save for its layers' bytes. */
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

export function jsonFile(path: string, value: unknown): TarFile {
  return smallFile(path, Buffer.from(JSON.stringify(value)));
}

export function smallFile(path: string, bytes: Buffer): TarFile {
  return { path, size: bytes.length, content: [bytes] };
}

/** Content of the store, opened only when its turn comes. */
export async function* opened(store: ImageStore, descriptor: Descriptor): AsyncIterable<Buffer> {
  yield* await store.open(descriptor);
}
