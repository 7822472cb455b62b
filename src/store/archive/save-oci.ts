import { type Digest, digestAlgorithm, digestHex, ociIndex, parseManifest } from "../../image/index.ts";
import type { ImageStore } from "../image-store.ts";
import { byPath, type ChosenImage, checkList, jsonBytes, opened, smallFile } from "./chosen-image.ts";
import type { TarFile } from "./tar-format.ts";

/** The files of an OCI layout (image-spec `image-layout.md`), byte for byte as the images are stored. */
export function ociFiles(store: ImageStore, images: readonly ChosenImage[]): Iterable<TarFile> {
  const manifests = images.flatMap(({ image, names }) => {
    const { mediaType, digest, size } = image.manifest;
    const { os, architecture, variant } = image.platform;
    const entry = { mediaType, digest, size, platform: { architecture, os, ...(variant === "" ? {} : { variant }) } };
    return names.size === 0 ? [entry] : [...names].map((name) => ({ ...entry, annotations: nameAnnotations(name) }));
  });
  const blobs = images.flatMap(({ image, manifest, manifestBytes, configBytes }) => [
    smallFile(blobPath(image.manifest.digest), manifestBytes),
    smallFile(blobPath(manifest.config.digest), configBytes),
    ...manifest.layers.map((layer) => ({
      path: blobPath(layer.digest),
      size: layer.size,
      content: opened(store, layer),
    })),
  ]);
  const layout = smallFile("oci-layout", jsonBytes({ imageLayoutVersion: "1.0.0" }));
  const index = jsonBytes({ schemaVersion: 2, mediaType: ociIndex, manifests });
  checkList(index, (bytes) => parseManifest(bytes, ociIndex));
  return byPath([layout, smallFile("index.json", index), ...blobs]);
}

/** skopeo, podman and umoci look for the one, containerd and docker for the other. */
function nameAnnotations(name: string): Readonly<Record<string, string>> {
  return { "io.containerd.image.name": name, "org.opencontainers.image.ref.name": name };
}

function blobPath(digest: Digest): string {
  return `blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`;
}
