/** Manifests that no image builder would make, served as if somebody had. */
import { type BuiltImage, digestOf } from "../../examples/world/image-builder.ts";
import type { Fault, Reply } from "./faults.ts";

export const types = {
  index: "application/vnd.oci.image.index.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar+gzip",
} as const;

/** A document as the registry has it: its bytes, and the type that it is served as. */
export interface Document {
  readonly bytes: Buffer;
  readonly type: string;
}

/** A pointer to content that nobody has: well formed, so that only the document around it is at fault. */
export const nowhere = { mediaType: types.layer, digest: `sha256:${"5".repeat(64)}`, size: 10 } as const;

export function document(content: string | Buffer | object, type: string = types.manifest): Document {
  const bytes = Buffer.isBuffer(content)
    ? content
    : Buffer.from(typeof content === "string" ? content : JSON.stringify(content));
  return { bytes, type };
}

/** The manifest of an image, to be changed and served again. */
export function manifestOf(image: BuiltImage): Record<string, unknown> & { layers: Record<string, unknown>[] } {
  const [first] = image.manifests;
  const bytes = first === undefined ? undefined : image.content.get(first.descriptor.digest)?.bytes;
  return JSON.parse(bytes?.toString() ?? "{}");
}

export function indexOf(...entries: readonly object[]): Document {
  return document({ schemaVersion: 2, mediaType: types.index, manifests: entries }, types.index);
}

export function pointerTo({ bytes, type }: Document): { mediaType: string; digest: string; size: number } {
  return { mediaType: type, digest: digestOf(bytes), size: bytes.length };
}

/** Each document under its own digest, and the first one under every tag. */
export function serving(first: Document, ...others: readonly Document[]): Fault {
  const all = [first, ...others];
  return (good, { path }) => {
    const version = path.split("/").at(-1) ?? "";
    const wanted = version.includes(":") ? all.find(({ bytes }) => digestOf(bytes) === version) : first;
    return wanted === undefined ? good : replyWith(wanted);
  };
}

/** One document, whichever digest it is asked for by. */
export function servingAlways(only: Document): Fault {
  return () => replyWith(only);
}

/** A document under a digest header that is right for it. */
function replyWith({ bytes, type }: Document): Reply {
  return {
    status: 200,
    body: bytes,
    headers: [
      ["content-type", type],
      ["content-length", String(bytes.length)],
      ["docker-content-digest", digestOf(bytes)],
    ],
  };
}
