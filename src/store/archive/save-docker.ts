import { type Descriptor, type Digest, digestHex, familiarName, parseReference } from "../../image/index.ts";
import { decompressDetected } from "../../support/decompress.ts";
import type { ImageStore } from "../image-store.ts";
import { measureUnpacked } from "../unpacking.ts";
import { byPath, type ChosenImage, checkList, jsonBytes, opened, smallFile } from "./chosen-image.ts";
import { parseDockerList } from "./docker.ts";
import type { TarFile } from "./tar-format.ts";

/** The files of docker's archive, named as skopeo names them, layers uncompressed. */
export async function dockerFiles(store: ImageStore, images: readonly ChosenImage[]): Promise<Iterable<TarFile>> {
  const list = jsonBytes(
    images.map(({ manifest, config, names }) => ({
      Config: `${digestHex(manifest.config.digest)}.json`,
      RepoTags: names.size === 0 ? null : [...names].map(familiarText),
      Layers: config.diffIds.map(layerPath),
    })),
  );
  checkList(list, parseDockerList);
  const layers = new Map<Digest, TarFile>();
  for (const { manifest, config } of images) {
    for (const [position, layer] of manifest.layers.entries()) {
      const diffId = config.diffIds[position];
      if (diffId !== undefined && !layers.has(diffId)) layers.set(diffId, await plainLayer(store, layer, diffId));
    }
  }
  const configs = images.map(({ manifest, configBytes }) =>
    smallFile(`${digestHex(manifest.config.digest)}.json`, configBytes),
  );
  return byPath([smallFile("manifest.json", list), ...configs, ...layers.values()]);
}

/** A tar says how long a file is before its bytes come: a layer is decompressed once to know, and once to be written. */
async function plainLayer(store: ImageStore, layer: Descriptor, diffId: Digest): Promise<TarFile> {
  const size = await measureUnpacked(opened(store, layer), layer.digest, diffId);
  return { path: layerPath(diffId), size, content: decompressDetected(opened(store, layer)) };
}

function layerPath(diffId: Digest): string {
  return `${digestHex(diffId)}.tar`;
}

function familiarText(name: string): string {
  const { repository, tag } = parseReference(name);
  return `${familiarName(repository)}:${tag}`;
}
