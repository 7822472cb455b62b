import type { BuiltContent, BuiltImage } from "../../examples/world/image-builder.ts";
import { type Digest, ociConfig, ociLayer, ociManifest } from "../../src/image/index.ts";
import { blobOf } from "../../src/store/testing/sample-image.ts";
import { busyboxImage } from "../tools.ts";

/** Debian's busybox as a registry's image. */
export async function busybox(entrypoint: readonly string[]): Promise<BuiltImage> {
  const built = await busyboxImage({ entrypoint });
  const layers = built.layers.map((bytes) => contentOf("blob", `${ociLayer}+gzip`, bytes));
  const config = contentOf("blob", ociConfig, built.config);
  const manifest = contentOf("manifest", ociManifest, built.manifest);
  const content = new Map<Digest, BuiltContent>(
    [...layers, config, manifest].map((each) => [each.descriptor.digest, each]),
  );
  const { descriptor } = manifest;
  const manifests = [{ descriptor, config: config.descriptor, layers: layers.map((layer) => layer.descriptor) }];
  return { target: descriptor, manifests, content };
}

function contentOf(kind: BuiltContent["kind"], mediaType: string, bytes: Buffer): BuiltContent {
  return { kind, ...blobOf(mediaType, bytes) };
}
