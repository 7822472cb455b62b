import { describe, expect, it } from "vitest";
import {
  acceptedManifests,
  isImageConfigType,
  isMediaType,
  layerType,
  manifestKind,
  mediaTypeOf,
} from "./media-type.ts";

describe("a content type", () => {
  it.each([
    ["application/json", "application/json"],
    ["Application/JSON; charset=utf-8", "application/json"],
    ["  application/json ;q=1", "application/json"],
    ["", ""],
  ])("%j is of type %j", (header, type) => expect(mediaTypeOf(header)).toBe(type));

  it.each(["application/json", "application/vnd.oci.image.layer.v1.tar+gzip", "text/x"])("can be %s", (text) => {
    expect(isMediaType(text)).toBe(true);
  });
  it.each(["", "json", "a/", "/b", "a/b/c", "a/b; c=d", "a/b\n", " a/b", `a/${"b".repeat(128)}`])(
    "cannot be %j",
    (text) => {
      expect(isMediaType(text)).toBe(false);
    },
  );
});

describe("a manifest's media type", () => {
  it.each([
    ["application/vnd.oci.image.index.v1+json", "index"],
    ["application/vnd.docker.distribution.manifest.list.v2+json", "index"],
    ["application/vnd.oci.image.manifest.v1+json", "manifest"],
    ["application/vnd.docker.distribution.manifest.v2+json", "manifest"],
    ["application/vnd.docker.distribution.manifest.v1+json", "schema1"],
    ["application/vnd.docker.distribution.manifest.v1+prettyjws", "schema1"],
    ["application/json", undefined],
  ])("%s is that of %s", (type, kind) => expect(manifestKind(type)).toBe(kind));

  it("is accepted where it can be read", () => {
    expect(acceptedManifests.map(manifestKind)).toEqual(["index", "manifest", "index", "manifest"]);
  });
});

describe("a layer's media type", () => {
  const oci = "application/vnd.oci.image.layer";
  const docker = "application/vnd.docker.image.rootfs";
  it.each([
    [`${oci}.v1.tar`, "none", false, false],
    [`${oci}.v1.tar+gzip`, "gzip", false, false],
    [`${oci}.v1.tar+zstd`, "zstd", false, false],
    [`${oci}.v1.tar+gzip+encrypted`, "gzip", false, true],
    [`${oci}.v1.tar+encrypted`, "none", false, true],
    [`${oci}.nondistributable.v1.tar+gzip`, "gzip", true, false],
    [`${docker}.diff.tar`, "unknown", false, false],
    [`${docker}.diff.tar.gzip`, "gzip", false, false],
    [`${docker}.diff.tar.zstd`, "zstd", false, false],
    [`${docker}.foreign.diff.tar.gzip`, "gzip", true, false],
    [`${docker}.foreign.diff.tar`, "unknown", true, false],
  ])("%s", (type, compression, foreign, encrypted) => {
    expect(layerType(type)).toEqual({ format: "tar", compression, foreign, encrypted });
  });

  it("may be a file system", () => expect(layerType("application/vnd.erofs.layer.v1")?.format).toBe("erofs"));

  it.each([
    `${oci}.v1.tar+bzip2`,
    `${oci}.v1.tar+gzip+zstd`,
    `x${oci}.v1.tar`,
    "application/vnd.in-toto+json",
    "application/octet-stream",
    "",
  ])("is not %j", (type) => expect(layerType(type)).toBeUndefined());
});

it("knows the configs of images", () => {
  expect(isImageConfigType("application/vnd.oci.image.config.v1+json")).toBe(true);
  expect(isImageConfigType("application/vnd.docker.container.image.v1+json")).toBe(true);
  expect(isImageConfigType("application/octet-stream")).toBe(true);
  expect(isImageConfigType("application/vnd.oci.empty.v1+json")).toBe(false);
});
