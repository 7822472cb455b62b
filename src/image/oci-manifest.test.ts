import { describe, expect, test } from "vitest";
import type { Digest } from "./digest.ts";
import { parseManifest } from "./manifest.ts";
import { dockerConfig, dockerManifest, ociConfig, ociManifest } from "./media-type.ts";
import { asOciManifest } from "./oci-manifest.ts";

const docker = "application/vnd.docker.image.rootfs";
const oci = "application/vnd.oci.image.layer";

function manifestOf(mediaType: string, config: string, ...layers: readonly string[]) {
  const describe = (type: string, at: number) => ({ mediaType: type, digest: digestOf(at), size: at + 1 });
  const document = {
    schemaVersion: 2,
    mediaType,
    config: describe(config, 0),
    layers: layers.map((layer, at) => describe(layer, at + 1)),
  };
  const manifest = parseManifest(Buffer.from(JSON.stringify(document)), mediaType);
  return manifest.kind === "manifest" ? manifest : expect.unreachable();
}

function digestOf(seed: number): Digest {
  return `sha256:${String(seed).padStart(64, "0")}` as Digest;
}

describe("a manifest of docker's", () => {
  test.each([
    [`${docker}.diff.tar.gzip`, `${oci}.v1.tar+gzip`],
    [`${docker}.diff.tar`, `${oci}.v1.tar`],
    [`${docker}.diff.tar.zstd`, `${oci}.v1.tar+zstd`],
    [`${docker}.foreign.diff.tar.gzip`, `${oci}.nondistributable.v1.tar+gzip`],
    [`${docker}.foreign.diff.tar`, `${oci}.nondistributable.v1.tar`],
    [`${docker}.diff.tar.gzip+encrypted`, `${oci}.v1.tar+gzip+encrypted`],
    [`${oci}.v1.tar+zstd`, `${oci}.v1.tar+zstd`],
    ["application/vnd.erofs.layer.v1", "application/vnd.erofs.layer.v1"],
  ])("has the layer %s as %s", (from, to) => {
    const bytes = asOciManifest(manifestOf(dockerManifest, dockerConfig, from));
    expect(JSON.parse(Buffer.from(bytes ?? []).toString())).toEqual({
      schemaVersion: 2,
      mediaType: ociManifest,
      config: { mediaType: ociConfig, digest: digestOf(0), size: 1 },
      layers: [{ mediaType: to, digest: digestOf(1), size: 2 }],
    });
  });

  test("keeps its layers in their order and is the same bytes each time", () => {
    const manifest = manifestOf(dockerManifest, dockerConfig, ...Array<string>(3).fill(`${docker}.diff.tar.gzip`));
    const bytes = asOciManifest(manifest) ?? expect.unreachable();
    const again = parseManifest(bytes, ociManifest);
    expect(again).toMatchObject({ layers: manifest.layers.map(({ digest, size }) => ({ digest, size })) });
    expect(asOciManifest(manifest)).toEqual(bytes);
  });
});

test("a manifest that is OCI's stays as it is", () => {
  expect(asOciManifest(manifestOf(ociManifest, ociConfig, `${oci}.v1.tar`))).toBeUndefined();
});
