/** Image archives, entry by entry, so that any of them can be wrong. */
import { Header } from "tar";
import type { BuiltImage } from "../../examples/world/image-builder.ts";

/** An entry of a tar: a file's content, a link, or anything else that a header can say. */
export type Entry = { readonly path: string } & (
  | { readonly content: string | Uint8Array }
  | { readonly link: string; readonly hard?: true }
  | { readonly type: "FIFO" | "Directory" | "CharacterDevice" }
  | { readonly bytes: Uint8Array }
);

/** The header of an entry, with whatever fields. */
export function headerOf(fields: ConstructorParameters<typeof Header>[0]): Buffer {
  const block = Buffer.alloc(512);
  new Header({ mode: 0o644, mtime: new Date(0), ...(fields as object) }).encode(block);
  return block;
}

function entryOf(entry: Entry): Buffer {
  const { path } = entry;
  if ("bytes" in entry) return Buffer.from(entry.bytes);
  if ("link" in entry)
    return headerOf({ path, type: entry.hard ? "Link" : "SymbolicLink", linkpath: entry.link, size: 0 });
  if ("type" in entry) return headerOf({ path, type: entry.type, size: 0 });
  const content = Buffer.from(entry.content);
  return Buffer.concat([
    headerOf({ path, type: "File", size: content.length }),
    content,
    Buffer.alloc(-content.length & 511),
  ]);
}

export function tarOf(entries: readonly Entry[]): Buffer {
  return Buffer.concat([...entries.map(entryOf), Buffer.alloc(1024)]);
}

export function contentOf(image: BuiltImage, digest: string): Buffer {
  const found = [...image.content.values()].find(({ descriptor }) => descriptor.digest === digest);
  return found?.bytes ?? Buffer.alloc(0);
}

/** What `docker save` writes of an image, with some fields of `manifest.json` changed. */
export function dockerEntries(image: BuiltImage, change: Record<string, unknown> = {}): Entry[] {
  const [manifest] = image.manifests;
  const config = manifest?.config.digest ?? "";
  const layers = manifest?.layers.map(({ digest }) => digest) ?? [];
  const list = [
    {
      Config: `${hexOf(config)}.json`,
      RepoTags: ["team/app:1"],
      Layers: layers.map((digest) => `${hexOf(digest)}/layer.tar`),
      ...change,
    },
  ];
  return [
    { path: "manifest.json", content: JSON.stringify(list) },
    { path: `${hexOf(config)}.json`, content: contentOf(image, config) },
    ...layers.map((digest) => ({ path: `${hexOf(digest)}/layer.tar`, content: contentOf(image, digest) })),
  ];
}

/** An OCI layout of an image. */
export function ociEntries(image: BuiltImage): Entry[] {
  const annotations = { "org.opencontainers.image.ref.name": "docker.io/team/app:1" };
  const index = { schemaVersion: 2, manifests: [{ ...image.target, annotations }] };
  return [
    { path: "oci-layout", content: '{"imageLayoutVersion":"1.0.0"}' },
    { path: "index.json", content: JSON.stringify(index) },
    ...[...image.content.values()].map(({ descriptor, bytes }) => ({
      path: blobPath(descriptor.digest),
      content: bytes,
    })),
  ];
}

export function hexOf(digest: string): string {
  return digest.slice("sha256:".length);
}

export function blobPath(digest: string): string {
  return `blobs/sha256/${hexOf(digest)}`;
}

export function firstLayer(image: BuiltImage): string {
  return image.manifests[0]?.layers[0]?.digest ?? "";
}

/** The entries with some of them replaced, by their paths; `undefined` leaves one out. */
export function replaced(entries: readonly Entry[], changes: Readonly<Record<string, Entry | undefined>>): Entry[] {
  return entries.flatMap((entry) => (Object.hasOwn(changes, entry.path) ? (changes[entry.path] ?? []) : entry));
}
