import { describe, expect, it } from "vitest";
import { PulleyError } from "../support/errors.ts";
import type { Descriptor } from "./descriptor.ts";
import { parseDigest } from "./digest.ts";
import type { Index } from "./manifest.ts";
import { dockerManifest, ociIndex, ociManifest } from "./media-type.ts";
import { normalisePlatform, parsePlatform } from "./platform.ts";
import { candidateManifests, selectManifest } from "./select.ts";

let made = 0;

function entry(platform: string | undefined, change: Partial<Descriptor> = {}): Descriptor {
  made += 1;
  const [os = "", architecture = "", variant = ""] = platform?.split("/") ?? [];
  return {
    mediaType: ociManifest,
    digest: parseDigest(`sha256:${String(made).padStart(64, "0")}`),
    size: 1,
    platform: platform === undefined ? undefined : normalisePlatform({ os, architecture, variant }),
    ...change,
  };
}

function index(...manifests: Descriptor[]): Index {
  return {
    kind: "index",
    mediaType: ociIndex,
    manifests,
    unusable: [],
    artifactType: undefined,
    subject: undefined,
    annotations: undefined,
  };
}

const attestation = { annotations: { "vnd.docker.reference.type": "attestation-manifest" } };

describe("the manifest for a platform", () => {
  it.each([
    ["linux/amd64", ["linux/arm64", "linux/386", "linux/amd64"], 2],
    ["linux/amd64", ["linux/amd64/v2", "linux/386"], 1],
    ["linux/amd64/v3", ["linux/amd64", "linux/amd64/v2", "linux/amd64/v4"], 1],
    ["linux/amd64", ["linux/amd64", "linux/amd64"], 0],
    ["linux/arm", ["linux/arm/v5", "linux/arm/v6", "linux/arm/v8"], 1],
    ["linux/arm64", ["linux/arm/v7", "linux/arm/v8", "linux/amd64"], 1],
    ["linux/arm64", ["linux/arm/v7", "linux/arm64/v8"], 1],
    ["linux/arm64/v9", ["linux/arm64/v8", "linux/arm64/v8.5", "linux/arm64/v8.6"], 1],
    ["linux/amd64", [undefined, "linux/386"], 1],
    ["linux/amd64", [undefined, "linux/arm64"], 0],
    ["linux/amd64", ["unknown/unknown", undefined], 1],
  ])("%s of %j is number %i", (platform, platforms, expected) => {
    const entries = platforms.map((text) => entry(text));
    expect(selectManifest(index(...entries), parsePlatform(platform))).toBe(entries[expected]);
  });

  it("is never an attestation, nor an artifact, whatever platform it claims", () => {
    const image = entry("linux/386");
    const others = [
      entry("linux/amd64", attestation),
      entry("linux/amd64", { mediaType: "application/vnd.acme.sbom+json" }),
    ];
    expect(selectManifest(index(...others, image), parsePlatform("linux/amd64"))).toBe(image);
  });

  it("may be docker's, or an index to go into, with or without a platform", () => {
    const nested = entry(undefined, { mediaType: ociIndex });
    expect(selectManifest(index(nested), parsePlatform("linux/amd64"))).toBe(nested);
    const old = entry("linux/amd64", { mediaType: dockerManifest });
    expect(candidateManifests(index(nested, entry("linux/s390x"), old), parsePlatform("linux/amd64"))).toEqual([
      old,
      nested,
    ]);
  });

  it("is missing with the platforms that are there", () => {
    const there = index(
      entry("linux/arm64"),
      entry("windows/amd64"),
      entry("linux/arm64"),
      entry("unknown/unknown"),
      entry("linux/s390x", attestation),
    );
    expect(() => selectManifest(there, parsePlatform("linux/amd64"))).toThrow(
      expect.objectContaining({
        code: "PLATFORM_MISSING",
        message: "no image for linux/amd64: the index has linux/arm64, windows/amd64",
      }),
    );
    expect(() => selectManifest(index(entry("unknown/unknown")), parsePlatform("linux/amd64"))).toThrow(
      "no image for linux/amd64: the index has no images",
    );
    const failure = new PulleyError("MANIFEST_INVALID", "index.manifests[0].size: must be a whole number");
    const broken = (name?: string): Index => ({
      ...index(entry("linux/s390x")),
      unusable: [{ kind: "unusable", platform: name === undefined ? undefined : parsePlatform(name), failure }],
    });
    expect(() => selectManifest(broken("linux/amd64"), parsePlatform("linux/amd64"))).toThrow(failure);
    expect(() => selectManifest(broken(), parsePlatform("linux/amd64"))).toThrow(failure);
    expect(() => selectManifest(broken("linux/arm64"), parsePlatform("linux/amd64"))).toThrow(
      "the index has linux/s390x",
    );
    const many = index(...Array.from({ length: 1000 }, (_, number) => entry(`linux/cpu${number}`)));
    expect(() => selectManifest(many, parsePlatform("linux/amd64"))).toThrow(/^.{300,500}, …$/);
  });
});
