/** Docker's manifests (`manifest-v2-2.md`) in the words of image-spec `manifest.md`. */
import type { Descriptor } from "./descriptor.ts";
import type { Manifest } from "./manifest.ts";
import { dockerManifest, layerType, ociConfig, ociLayer, ociManifest } from "./media-type.ts";

/**
 * A manifest with the same config and layers under OCI's media types, always the same bytes for the same manifest;
 * `undefined` for one that is OCI's already.
 */
export function asOciManifest({ mediaType, config, layers }: Manifest): Uint8Array | undefined {
  if (mediaType !== dockerManifest) return undefined;
  const document = {
    schemaVersion: 2,
    mediaType: ociManifest,
    config: entry(ociConfig, config),
    layers: layers.map((layer) => entry(ociLayerType(layer.mediaType), layer)),
  };
  return new TextEncoder().encode(JSON.stringify(document));
}

function entry(mediaType: string, { digest, size }: Descriptor): object {
  return { mediaType, digest, size };
}

/** OCI's name for a layer of docker's. Its plain type stands for plain tar here, though gzip is found under it too. */
function ociLayerType(mediaType: string): string {
  const type = layerType(mediaType);
  if (type === undefined || type.format !== "tar") return mediaType;
  const base = type.foreign ? ociLayer.replace(".v1.", ".nondistributable.v1.") : ociLayer;
  const compression = type.compression === "gzip" || type.compression === "zstd" ? `+${type.compression}` : "";
  return `${base}${compression}${type.encrypted ? "+encrypted" : ""}`;
}
