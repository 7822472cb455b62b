/** Images as other builders leave them: an ordinary one, of which single fields are written otherwise. */
import type { Digest } from "../../src/image/index.ts";
import { type BuiltContent, type BuiltImage, type BuiltManifest, contentOf } from "./image-builder.ts";

/** Fields in the place of those of an ordinary document; `undefined` leaves one out. */
export type Fields = Readonly<Record<string, unknown>>;

export interface Oddity {
  readonly config?: Fields;
  readonly manifest?: Fields;
  /** The media type of the config. */
  readonly configType?: string;
  /** Of the descriptor of every layer. */
  readonly layer?: Fields;
  /** What becomes of the config's bytes in the end. */
  readonly rewrite?: (text: string) => string | Uint8Array;
}

export interface OddEntry {
  readonly image: BuiltImage;
  /** Fields of the entry beside the type, the digest and the size. */
  readonly fields?: Fields;
}

const ociIndex = "application/vnd.oci.image.index.v1+json";

/** An image like another one, except for what is odd about it. */
export function oddImage(
  base: BuiltImage,
  { config = {}, configType, manifest = {}, layer = {}, rewrite }: Oddity,
): BuiltImage {
  const [first] = base.manifests;
  if (first === undefined) throw new Error("there is no manifest to change");
  const text = JSON.stringify({ ...jsonOf(base, first.config.digest), ...config });
  const configContent = contentOf("blob", configType ?? first.config.mediaType, Buffer.from(rewrite?.(text) ?? text));
  const layers = first.layers.map((descriptor) => ({ ...descriptor, ...layer }));
  const document = { ...jsonOf(base, first.descriptor.digest), config: configContent.descriptor, layers, ...manifest };
  const mediaType = first.descriptor.mediaType;
  const built = contentOf("manifest", mediaType, Buffer.from(JSON.stringify(document)));
  const manifests = [{ ...first, descriptor: built.descriptor, config: configContent.descriptor }];
  return { target: built.descriptor, manifests, content: withContent([base], configContent, built) };
}

/** An index of images, each under the platform that is claimed for it. */
export function oddIndex(entries: readonly OddEntry[], fields: Fields = {}): BuiltImage {
  const manifests = entries.map(({ image, fields: own }) => ({ ...image.target, ...own }));
  const document = { schemaVersion: 2, mediaType: ociIndex, manifests, ...fields };
  const built = contentOf("manifest", ociIndex, Buffer.from(JSON.stringify(document)));
  const images = entries.map(({ image }) => image);
  const inside: readonly BuiltManifest[] = images.flatMap((image) => image.manifests);
  return { target: built.descriptor, manifests: inside, content: withContent(images, built) };
}

/** What registries keep beside images: a report about one, in the form of a manifest. */
export function artifact(type: string): BuiltImage {
  const empty = contentOf("blob", "application/vnd.oci.empty.v1+json", Buffer.from("{}"));
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const { descriptor } = empty;
  const document = { schemaVersion: 2, mediaType, artifactType: type, config: descriptor, layers: [descriptor] };
  const built = contentOf("manifest", mediaType, Buffer.from(JSON.stringify(document)));
  const manifests = [{ descriptor: built.descriptor, config: descriptor, layers: [descriptor] }];
  return { target: built.descriptor, manifests, content: withContent([], empty, built) };
}

function jsonOf(image: BuiltImage, digest: Digest): Fields {
  const fields: Fields = JSON.parse(image.content.get(digest)?.bytes.toString() ?? "{}");
  return fields;
}

function withContent(images: readonly BuiltImage[], ...more: readonly BuiltContent[]): Map<Digest, BuiltContent> {
  const content = new Map(images.flatMap((image) => [...image.content]));
  for (const each of more) content.set(each.descriptor.digest, each);
  return content;
}
