/** Images that containers start from, brought into a store as a pull brings them. */
import { ociConfig, ociIndex, ociLayer, ociManifest } from "../../src/image/index.ts";
import type { ImageStore, StoredImage } from "../../src/store/index.ts";
import { blobOf, pullSample, type SampleImage } from "../../src/store/testing/sample-image.ts";
import { type BusyboxImage, type BusyboxImageOptions, busyboxImage } from "../tools.ts";
import { platform } from "./platform.ts";

/** A busybox image, in the form in which the stores' tests bring images in. */
export async function runnable(options: BusyboxImageOptions = {}): Promise<SampleImage> {
  return sampleFrom(await busyboxImage(options));
}

export function sampleFrom({ manifest, config, layers }: BusyboxImage): SampleImage {
  const own = blobOf(ociManifest, manifest);
  const entry = { ...own.descriptor, platform: { os: platform.os, architecture: platform.architecture } };
  const index = blobOf(
    ociIndex,
    Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests: [entry] })),
  );
  const configuration = blobOf(ociConfig, config);
  return {
    id: configuration.descriptor.digest,
    platform,
    createdAt: Date.UTC(2026, 0, 2, 3, 4, 5),
    index,
    manifest: own,
    config: configuration,
    layers: layers.map((layer) => blobOf(`${ociLayer}+gzip`, layer)),
  };
}

/** As a pull by tag does it: the tag, and the name with the digest that it resolved to. */
export function pullAs(store: ImageStore, image: SampleImage, repository: string): Promise<StoredImage> {
  const names = [`${repository}:1`, `${repository}@${image.index.descriptor.digest}`];
  return pullSample(store, image, names, "index");
}
