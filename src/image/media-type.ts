/** What content is called (image-spec `media-types.md`, docker `manifest-v2-2.md`, ocicrypt's and containerd's own). */

export const ociIndex = "application/vnd.oci.image.index.v1+json";
export const ociManifest = "application/vnd.oci.image.manifest.v1+json";
export const ociConfig = "application/vnd.oci.image.config.v1+json";
export const ociLayer = "application/vnd.oci.image.layer.v1.tar";
export const dockerIndex = "application/vnd.docker.distribution.manifest.list.v2+json";
export const dockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
export const dockerConfig = "application/vnd.docker.container.image.v1+json";
export const dockerLayer = "application/vnd.docker.image.rootfs.diff.tar";

/** What to accept of a registry: no wildcard, which makes old registries answer with schema 1. */
export const acceptedManifests: readonly string[] = [ociIndex, ociManifest, dockerIndex, dockerManifest];

const grammar = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$/i;

/** Whether a text has the form `type/subtype` (RFC 6838, section 4.2), without parameters. */
export function isMediaType(text: string): boolean {
  return grammar.test(text);
}

/** The type in a `Content-Type`: in lower case, without parameters. Empty for an empty header. */
export function mediaTypeOf(contentType: string): string {
  const [type = ""] = contentType.split(";", 1);
  return type.trim().toLowerCase();
}

/** What a manifest's media type says that it is; `undefined` if it says nothing of the kind. */
export function manifestKind(mediaType: string): "index" | "manifest" | "schema1" | undefined {
  switch (mediaType) {
    case ociIndex:
    case dockerIndex:
      return "index";
    case ociManifest:
    case dockerManifest:
      return "manifest";
    case "application/vnd.docker.distribution.manifest.v1+json":
    case "application/vnd.docker.distribution.manifest.v1+prettyjws":
      return "schema1";
    default:
      return undefined;
  }
}

/** Whether a config's media type is an image's; `application/octet-stream` is what an old registry fault left behind. */
export function isImageConfigType(mediaType: string): boolean {
  return mediaType === ociConfig || mediaType === dockerConfig || mediaType === "application/octet-stream";
}

export interface LayerType {
  readonly format: "tar" | "erofs";
  /** `unknown`: docker's plain type, under which gzip is found too; the first bytes tell. */
  readonly compression: "none" | "gzip" | "zstd" | "unknown";
  /** Not meant to be distributed with the image (image-spec `layer.md`, deprecated). */
  readonly foreign: boolean;
  readonly encrypted: boolean;
}

const layerGrammars: readonly RegExp[] = [
  /^application\/vnd\.oci\.image\.layer\.(?<foreign>nondistributable\.)?v1\.tar(?:\+(?<compression>gzip|zstd))?(?<encrypted>\+encrypted)?$/,
  /^application\/vnd\.docker\.image\.rootfs\.(?<foreign>foreign\.)?diff\.tar(?:\.(?<compression>gzip|zstd))?(?<encrypted>\+encrypted)?$/,
];

/** What a layer's media type says; `undefined` if it is not a layer's. */
export function layerType(mediaType: string): LayerType | undefined {
  if (mediaType === "application/vnd.erofs.layer.v1") {
    return { format: "erofs", compression: "none", foreign: false, encrypted: false };
  }
  const match = layerGrammars.map((pattern) => pattern.exec(mediaType)).find((found) => found !== null);
  if (match === undefined) return undefined;
  const { foreign, compression, encrypted } = match.groups ?? {};
  return {
    format: "tar",
    compression: layerCompression(mediaType, compression),
    foreign: foreign !== undefined,
    encrypted: encrypted !== undefined,
  };
}

function layerCompression(mediaType: string, suffix: string | undefined): LayerType["compression"] {
  if (suffix === "gzip" || suffix === "zstd") return suffix;
  return mediaType.startsWith("application/vnd.docker.") ? "unknown" : "none";
}
