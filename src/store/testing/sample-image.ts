/** Small images for tests: whole enough to start a container from, and as different as their seeds. */
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import {
  type Descriptor,
  type Digest,
  ociConfig,
  ociIndex,
  ociLayer,
  ociManifest,
  type Platform,
} from "../../image/index.ts";
import { dockerConfig, dockerIndex, dockerLayer, dockerManifest } from "../../image/media-type.ts";
import { tarOf } from "../archive/testing.ts";
import type { ImageRecord, Ingest, Lease, StoredImage } from "../image-store.ts";

export interface Blob {
  readonly descriptor: Descriptor;
  readonly bytes: Buffer;
}

export interface SampleImage {
  readonly id: Digest;
  readonly platform: Platform;
  readonly createdAt: number;
  readonly index: Blob;
  readonly manifest: Blob;
  readonly config: Blob;
  readonly layers: readonly Blob[];
}

export interface SampleOptions {
  /** The layers, which are tar archives only if these are. Default: two, with a file each. */
  readonly layers?: readonly Buffer[];
  /** As docker pushes it: compressed, and under media types of its own. */
  readonly docker?: boolean;
}

const ociTypes = { index: ociIndex, manifest: ociManifest, config: ociConfig, layer: ociLayer };
const dockerTypes = {
  index: dockerIndex,
  manifest: dockerManifest,
  config: dockerConfig,
  layer: `${dockerLayer}.gzip`,
};

const platform: Platform = { os: "linux", architecture: "amd64", variant: "" };

export function sampleImage(seed: string, options: SampleOptions = {}): SampleImage {
  const types = options.docker ? dockerTypes : ociTypes;
  const contents = options.layers ?? [layerWith(`lower layer of ${seed}`), layerWith(`upper layer of ${seed}`)];
  const layers = contents.map((bytes) => blobOf(types.layer, options.docker ? gzipSync(bytes) : bytes));
  const createdAt = Date.UTC(2026, 1, 3, 4, 5, 6, 789);
  const config = jsonBlob(types.config, {
    os: platform.os,
    architecture: platform.architecture,
    created: new Date(createdAt).toISOString(),
    config: { Labels: { seed } },
    rootfs: { type: "layers", diff_ids: contents.map((bytes) => blobOf(types.layer, bytes).descriptor.digest) },
  });
  const manifest = jsonBlob(types.manifest, {
    schemaVersion: 2,
    mediaType: types.manifest,
    config: config.descriptor,
    layers: layers.map(({ descriptor }) => descriptor),
  });
  const entry = { ...manifest.descriptor, platform: { os: platform.os, architecture: platform.architecture } };
  const index = jsonBlob(types.index, { schemaVersion: 2, mediaType: types.index, manifests: [entry] });
  return { id: config.descriptor.digest, platform, createdAt, index, manifest, config, layers };
}

/** A layer with one file. */
export function layerWith(content: string | Buffer): Buffer {
  return tarOf({ path: "file", content });
}

export function blobOf(mediaType: string, bytes: Buffer): Blob {
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}` as Digest;
  return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
}

/** The image with members of its manifest replaced, as who wants to do harm would have it. */
export function withDocument(image: SampleImage, members: object): SampleImage {
  const { mediaType } = image.manifest.descriptor;
  const layers = image.layers.map(({ descriptor }) => descriptor);
  const document = { schemaVersion: 2, mediaType, config: image.config.descriptor, layers };
  return { ...image, manifest: jsonBlob(mediaType, Object.assign(document, members)) };
}

/** What of an image is under a lease before it is published: everything, the index included. */
export function blobsOf({ index, manifest, config, layers }: SampleImage): readonly Blob[] {
  return [...layers, config, manifest, index];
}

/** The record of a name that stands for the image's manifest, or for the index that it is in. */
export function recordOf(image: SampleImage, name: string, target: "manifest" | "index" = "manifest"): ImageRecord {
  return {
    name,
    target: image[target].descriptor,
    image: image.id,
    manifest: image.manifest.descriptor,
    platform: image.platform,
  };
}

/** Brings content in as a pull does: what is there is left, small content is put, the rest is received into a file. */
export async function bring(lease: Lease, image: SampleImage): Promise<void> {
  for (const { descriptor, bytes } of blobsOf(image)) {
    if (await lease.has(descriptor)) continue;
    if (image.layers.some((layer) => layer.descriptor === descriptor)) {
      const ingest = await lease.ingest(descriptor);
      await receive(ingest, bytes);
      await ingest.commit();
    } else {
      await lease.put(descriptor, bytes);
    }
  }
}

/** Writes the rest of some content, or its next bytes, into a file that is being received. */
export async function receive(ingest: Ingest, bytes: Buffer, end: number = bytes.length): Promise<void> {
  const file = await open(ingest.path, "r+");
  try {
    for (let at = ingest.received; at < end; ) at += (await file.write(bytes, at, end - at, at)).bytesWritten;
  } finally {
    await file.close();
  }
}

/** Brings an image in and publishes it under names. */
export async function pullSample(
  store: { lease(): Promise<Lease> },
  image: SampleImage,
  names: readonly string[],
  target: "manifest" | "index" = "manifest",
): Promise<StoredImage> {
  const lease = await store.lease();
  try {
    await bring(lease, image);
    return await lease.publish(names.map((name) => recordOf(image, name, target)));
  } finally {
    await lease.release();
  }
}

function jsonBlob(mediaType: string, value: object): Blob {
  return blobOf(mediaType, Buffer.from(JSON.stringify(value)));
}
