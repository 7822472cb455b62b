import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { buildImage, tarOf } from "./image-builder.ts";

const spec = {
  layers: [{ files: { "etc/motd": "hello\n" } }, { filler: 100_000 }],
  platforms: ["linux/amd64", "linux/arm/v7"],
  config: { Labels: { stage: "test" } },
};

describe("an image", () => {
  test("is the same every time", async () => {
    const [one, other] = await Promise.all([buildImage(spec), buildImage(spec)]);
    expect(one.target).toEqual(other.target);
  });

  test("has content under the digests and sizes that its descriptors announce", async () => {
    const { content } = await buildImage(spec);
    for (const [digest, { bytes, descriptor }] of content) {
      expect(digest).toBe(`sha256:${createHash("sha256").update(bytes).digest("hex")}`);
      expect(descriptor).toMatchObject({ digest, size: bytes.length });
    }
  });

  test("is an index where it has several platforms", async () => {
    const { target, content } = await buildImage(spec);
    const index = JSON.parse(content.get(target.digest)?.bytes.toString() ?? "");
    expect(index.manifests.map((entry: { platform: unknown }) => entry.platform)).toEqual([
      { architecture: "amd64", os: "linux" },
      { architecture: "arm", os: "linux", variant: "v7" },
    ]);
  });

  test("names the tars of its layers in its config", async () => {
    const { manifests, content } = await buildImage(spec);
    const config = JSON.parse(content.get(manifests[0]?.config.digest as never)?.bytes.toString() ?? "");
    const tars = manifests[0]?.layers.map(({ digest }) => gunzipSync(content.get(digest)?.bytes ?? ""));
    const digests = tars?.map((tar) => `sha256:${createHash("sha256").update(tar).digest("hex")}`);
    expect(config.rootfs.diff_ids).toEqual(digests);
    expect(config.config).toEqual(spec.config);
  });

  test.each([
    ["oci", "none", "application/vnd.oci.image.layer.v1.tar"],
    ["docker", "gzip", "application/vnd.docker.image.rootfs.diff.tar.gzip"],
  ] as const)("of format %s with compression %s has layers of type %s", async (format, compression, mediaType) => {
    const { manifests } = await buildImage({ layers: [{ filler: 10 }], format, compression });
    expect(manifests[0]?.layers[0]?.mediaType).toBe(mediaType);
  });

  test("has layers of the size that was asked for, which no compression makes smaller", async () => {
    const { manifests } = await buildImage({ layers: [{ filler: 1_000_000 }] });
    expect(manifests[0]?.layers[0]?.size).toBeGreaterThan(1_000_000);
  });
});

test("a path that a plain tar header cannot hold is refused", () => {
  expect(() => tarOf({ [`${"long".repeat(80)}/name`]: "" })).toThrow(/does not fit/);
});
