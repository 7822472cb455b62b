import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PulleyError } from "../support/errors.ts";
import { manifestLimit, parseManifest, requireImage } from "./manifest.ts";
import * as type from "./media-type.ts";

const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
const encode = (document: unknown) =>
  new TextEncoder().encode(typeof document === "string" ? document : JSON.stringify(document));

const config = { mediaType: type.ociConfig, digest: digest("c"), size: 7 };
const layer = { mediaType: `${type.ociLayer}+gzip`, digest: digest("a"), size: 1000 };
const manifest = { schemaVersion: 2, mediaType: type.ociManifest, config, layers: [layer] };
const entry = {
  mediaType: type.ociManifest,
  digest: digest("b"),
  size: 500,
  platform: { os: "linux", architecture: "amd64" },
};
const index = { schemaVersion: 2, mediaType: type.ociIndex, manifests: [entry] };

const read = (document: unknown, mediaType: string = type.ociManifest) => parseManifest(encode(document), mediaType);

describe("a manifest", () => {
  it("is read into checked values", () => {
    const document = {
      ...manifest,
      annotations: { "a.b": "c" },
      subject: { ...config, digest: digest("d") },
      future: [1],
    };
    expect(read(document)).toEqual({
      kind: "manifest",
      mediaType: type.ociManifest,
      config,
      layers: [layer],
      annotations: { "a.b": "c" },
      subject: { ...config, digest: digest("d") },
    });
  });

  it.each([
    { schemaVersion: undefined },
    { schemaVersion: null },
    { schemaVersion: 0 },
    { artifactType: "" },
    { subject: {} },
    { subject: { ...config, digest: "?" } },
    { annotations: { a: null } },
  ])("may be sloppy in what an image does not depend on: %j", (change) => {
    const parsed = read({ ...manifest, ...change });
    expect(parsed).toMatchObject({ kind: "manifest", config: { digest: config.digest } });
    expect(parsed).toMatchObject({ artifactType: undefined, subject: undefined });
    if ("annotations" in change) expect(parsed.annotations).toEqual({ a: "" });
  });

  it("may be docker's", () => {
    const document = {
      schemaVersion: 2,
      mediaType: type.dockerManifest,
      config: { ...config, mediaType: type.dockerConfig },
      layers: [{ ...layer, mediaType: `${type.dockerLayer}.gzip` }],
    };
    expect(read(document, type.dockerManifest)).toMatchObject({ kind: "manifest", mediaType: type.dockerManifest });
  });

  it.each([
    [
      ["https://example.com/layer", 7, "b"],
      ["https://example.com/layer", "b"],
    ],
    [Array.from({ length: 100 }, (_, at) => `${at}`), Array.from({ length: 10 }, (_, at) => `${at}`)],
    [[], undefined],
    [null, undefined],
    ["https://example.com/layer", undefined],
  ])("may name other addresses of a layer: %j", (urls, expected) => {
    const parsed = read({ ...manifest, layers: [{ ...layer, urls }] });
    expect(parsed.kind === "manifest" && parsed.layers[0]?.urls).toEqual(expected);
  });

  it("may leave out its media type, and its Content-Type may have parameters", () => {
    const { mediaType: _, ...document } = manifest;
    expect(read(document, `${type.ociManifest}; charset=utf-8`)).toMatchObject({ mediaType: type.ociManifest });
    expect(read({ ...document, mediaType: "" })).toMatchObject({ mediaType: type.ociManifest });
  });

  it("may have no layers, a layer twice, and 512 of them", () => {
    expect(read({ ...manifest, layers: [] })).toMatchObject({ layers: [] });
    expect(read({ ...manifest, layers: [layer, layer] })).toMatchObject({ layers: [layer, layer] });
    expect(read({ ...manifest, layers: Array(512).fill(layer) })).toHaveProperty("layers.length", 512);
  });

  it("keeps annotations that mean something to JavaScript as they are", () => {
    const text = JSON.stringify(manifest).replace(/\}$/, ',"annotations":{"__proto__":"x","constructor":"y"}}');
    const { annotations = {} } = read(text);
    expect(Object.entries(annotations)).toEqual([
      ["__proto__", "x"],
      ["constructor", "y"],
    ]);
    expect(Object.getPrototypeOf(annotations)).toBe(Object.prototype);
  });
});

describe("an index", () => {
  it("is read into checked values, its platforms normalised", () => {
    const document = {
      ...index,
      manifests: [
        { ...entry, platform: { os: "linux", architecture: "aarch64", variant: "v8", "os.version": "1" } },
        { ...entry, platform: { os: "", architecture: "" } },
        { ...entry, platform: null, annotations: { x: "y" } },
      ],
    };
    expect(read(document, type.ociIndex)).toEqual({
      kind: "index",
      mediaType: type.ociIndex,
      manifests: [
        { ...entry, platform: { os: "linux", architecture: "arm64", variant: "" } },
        { ...entry, platform: undefined },
        { ...entry, platform: undefined, annotations: { x: "y" } },
      ],
      unusable: [],
    });
  });

  it.each([
    { digest: "sha256:zz" },
    { digest: "" },
    { digest: `md5:${"a".repeat(32)}` },
    { size: -1 },
    { size: 2 ** 53 },
    { mediaType: "" },
    { annotations: { a: 1 } },
  ])("may have entries that nobody could fetch: %j", (fault) => {
    const arm = { os: "linux", architecture: "arm64" };
    const parsed = read({ ...index, manifests: [{ ...entry, ...fault, platform: arm }, entry] }, type.ociIndex);
    if (parsed.kind !== "index") expect.unreachable();
    expect(parsed.manifests.map(({ digest: found }) => found)).toEqual([entry.digest]);
    expect(parsed.unusable).toEqual([
      {
        kind: "unusable",
        platform: { ...arm, variant: "" },
        failure: expect.objectContaining({ code: "MANIFEST_INVALID" }),
      },
    ]);
  });

  it("has no machine's platform where it says what none can be", () => {
    const platform = { os: "li\nnux", architecture: "amd 64" };
    const parsed = read({ ...index, manifests: [{ ...entry, platform }] }, type.ociIndex);
    expect(parsed).toMatchObject({ manifests: [{ platform: { os: "unknown", architecture: "unknown" } }] });
  });

  it.each([
    { Digest: entry.digest },
    { platform: { OS: "linux", architecture: "amd64" } },
    { platform: { os: 1, architecture: "amd64" } },
  ])("is refused where programs could choose differently: %j", (fault) => {
    const document = { ...index, manifests: [{ ...entry, digest: "sha256:zz", ...fault }, entry] };
    expect(() => read(document, type.ociIndex)).toThrow(/must be/);
  });

  it("may be docker's list, and empty", () => {
    const document = { ...index, mediaType: type.dockerIndex, manifests: [] };
    expect(read(document, type.dockerIndex)).toMatchObject({ kind: "index", manifests: [] });
  });
});

describe("a manifest that could be read in two ways", () => {
  const text = JSON.stringify(manifest);
  it.each([
    [
      "both kinds",
      { ...manifest, manifests: [] },
      type.ociManifest,
      'manifest: has "manifests", which belongs to another kind of document',
    ],
    ["both kinds, null", { ...manifest, manifests: null }, type.ociManifest, 'manifest: has "manifests"'],
    ["both kinds as an index", { ...index, config }, type.ociIndex, 'index: has "config"'],
    ["layers in an index", { ...index, layers: [] }, type.ociIndex, 'index: has "layers"'],
    ["schema 1's layers", { ...manifest, fsLayers: [] }, type.ociManifest, 'manifest: has "fsLayers"'],
    ["layers twice", text.replace(/\}$/, ',"layers":[]}'), type.ociManifest, 'manifest: the key "layers" comes twice'],
    [
      "another case",
      { ...manifest, Layers: [] },
      type.ociManifest,
      'manifest: the key "Layers" must be spelt "layers"',
    ],
    [
      "a long s, which Go takes for one",
      { ...manifest, "layer\u017f": [] },
      type.ociManifest,
      'manifest: the key "layer\u017f" must be spelt "layers"',
    ],
    [
      "a long s in a descriptor",
      { ...manifest, config: { ...config, "dige\u017ft": digest("e") } },
      type.ociManifest,
      'manifest.config: the key "dige\u017ft" must be spelt "digest"',
    ],
    ["another case of the other kind", { ...manifest, Manifests: [] }, type.ociManifest, '"Manifests" must be spelt'],
    [
      "another case below",
      { ...manifest, config: { ...config, Digest: digest("e") } },
      type.ociManifest,
      'manifest.config: the key "Digest" must be spelt "digest"',
    ],
    ["another type than announced", manifest, type.dockerManifest, "manifest.mediaType: says"],
    ["an index as a manifest", index, type.ociManifest, "manifest.mediaType: says"],
    ["a manifest as an index", { ...manifest, mediaType: undefined }, type.ociIndex, 'index: has "config"'],
    [
      "one digest of two sizes",
      { ...manifest, layers: [layer, { ...layer, size: 1 }] },
      type.ociManifest,
      `manifest: gives ${layer.digest} two sizes, 1000 and 1`,
    ],
    ["a byte order mark", `\uFEFF${text}`, type.ociManifest, "manifest: begins with a byte order mark"],
    ["more behind it", `${text}${text}`, type.ociManifest, "manifest: the end is missing"],
  ])("is refused: %s", (_, document, mediaType, message) => {
    expect(() => read(document, mediaType)).toThrow(expect.objectContaining({ code: "MANIFEST_INVALID" }));
    expect(() => read(document, mediaType)).toThrow(message);
  });
});

describe("a manifest that is not well formed", () => {
  const withLayer = (change: object) => ({ ...manifest, layers: [layer, { ...layer, ...change }] });
  it.each([
    ["schema version 3", { ...manifest, schemaVersion: 3 }, "manifest.schemaVersion: 3 is not a version that is known"],
    ["schema version as text", { ...manifest, schemaVersion: "2" }, "manifest.schemaVersion: must be"],
    ["not an object", [manifest], "manifest: must be an object"],
    ["null", null, "manifest: must be an object"],
    ["no config", { ...manifest, config: undefined }, "manifest.config: is missing"],
    ["layers that are text", { ...manifest, layers: "none" }, "manifest.layers: must be a list"],
    ["layers as an object", { ...manifest, layers: {} }, "manifest.layers: must be a list"],
    ["a null layer", { ...manifest, layers: [null] }, "manifest.layers[0]: must be an object"],
    [
      "513 layers",
      { ...manifest, layers: Array(513).fill(layer) },
      "manifest.layers: has 513 elements, more than the 512",
    ],
    [
      "a negative size",
      withLayer({ size: -1 }),
      "manifest.layers[1].size: must be a whole number from 0 to 1099511627776",
    ],
    ["an absurd size", withLayer({ size: 2 ** 41 }), "manifest.layers[1].size: must be"],
    [
      "a size beyond integers",
      JSON.stringify(withLayer({})).replace(/1000\}\]/, "1e400}]"),
      "manifest.layers[1].size: must be",
    ],
    ["half a byte", withLayer({ size: 1.5 }), "manifest.layers[1].size: must be"],
    ["a size as text", withLayer({ size: "1000" }), "manifest.layers[1].size: must be"],
    ["no digest", withLayer({ digest: undefined }), "manifest.layers[1].digest: is missing"],
    [
      "a short digest",
      withLayer({ digest: "sha256:abc" }),
      'manifest.layers[1].digest: invalid checksum digest length: "sha256:abc"',
    ],
    [
      "an upper-case digest",
      withLayer({ digest: digest("A") }),
      "manifest.layers[1].digest: invalid checksum digest format",
    ],
    [
      "a digest that is a path",
      withLayer({ digest: "sha256:../../x" }),
      "manifest.layers[1].digest: invalid checksum digest length",
    ],
    [
      "an unknown algorithm",
      withLayer({ digest: `md5:${"a".repeat(32)}` }),
      "manifest.layers[1].digest: unsupported digest algorithm",
    ],
    [
      "a digest with a line break",
      withLayer({ digest: "\nERROR" }),
      'manifest.layers[1].digest: invalid checksum digest format: "\\nERROR"',
    ],
    ["no media type", withLayer({ mediaType: undefined }), "manifest.layers[1].mediaType: is missing"],
    ["an empty media type", withLayer({ mediaType: "" }), 'manifest.layers[1].mediaType: "" is not a media type'],
    ["a media type that is none", withLayer({ mediaType: "tar\u001b[2J" }), "is not a media type"],
    [
      "annotations that are no texts",
      { ...manifest, annotations: { a: 1 } },
      'manifest.annotations: the value of "a" must be a string',
    ],
    ["a depth bomb", `{"schemaVersion":2,"x":${"[".repeat(100_000)}`, "manifest: more than 64 levels deep"],
    ["HTML", "<html>", "manifest: a value is missing at character 0"],
    ["nothing", "", "manifest: a value is missing at character 0"],
  ])("is refused: %s", (_, document, message) => {
    expect(() => read(document)).toThrow(expect.objectContaining({ code: "MANIFEST_INVALID" }));
    expect(() => read(document)).toThrow(message);
  });

  it.each([
    [
      "1001 entries",
      { ...index, manifests: Array(1001).fill(entry) },
      "index.manifests: has 1001 elements, more than the 1000",
    ],
    [
      "100 000 entries",
      `{"schemaVersion":2,"manifests":[${"1,".repeat(99_999)}1]}`,
      "index.manifests: has 100000 elements",
    ],
    ["null entries", { ...index, manifests: null }, "index.manifests: must be a list"],
    [
      "a platform that is a text",
      { ...index, manifests: [{ ...entry, platform: "linux/amd64" }] },
      "index.manifests[0].platform: must be an object",
    ],
  ])("is refused as an index: %s", (_, document, message) => {
    expect(() => read(document, type.ociIndex)).toThrow(message);
  });

  it("is refused under a type that is no manifest's", () => {
    for (const mediaType of ["", "application/json", "text/plain", "application/octet-stream"]) {
      const { mediaType: _, ...document } = manifest;
      expect(() => read(document, mediaType)).toThrow("which is no type of a manifest");
    }
  });

  it("is refused beyond 4 MiB", () => {
    const text = JSON.stringify(manifest);
    expect(read(text.padEnd(manifestLimit)).kind).toBe("manifest");
    expect(() => read(text.padEnd(manifestLimit + 1))).toThrow(expect.objectContaining({ code: "TOO_LARGE" }));
  });

  it("is an error of ours that is safe to print, whatever the bytes", () => {
    const mutated = fc.tuple(fc.nat(), fc.uint8Array({ maxLength: 4 })).map(([at, bytes]) => {
      const sound = encode(manifest);
      const place = at % sound.length;
      return Uint8Array.from([...sound.slice(0, place), ...bytes, ...sound.slice(place + bytes.length)]);
    });
    fc.assert(
      fc.property(fc.oneof(mutated, fc.uint8Array(), fc.json().map(encode)), (bytes) => {
        try {
          expect(parseManifest(bytes, type.ociManifest).kind).toBe("manifest");
        } catch (error) {
          expect(error).toBeInstanceOf(PulleyError);
          expect(error).toHaveProperty("message", expect.stringMatching(/^\P{C}*$/u));
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe("schema 1", () => {
  const old = { schemaVersion: 1, name: "library/old", fsLayers: [], history: [] };
  it.each([
    ["application/vnd.docker.distribution.manifest.v1+prettyjws", "not even JSON"],
    ["application/vnd.docker.distribution.manifest.v1+json", old],
    ["application/json", old],
    ["text/plain", old],
    [type.dockerManifest, old],
  ])("is not supported, and the message says so (%s)", (mediaType, document) => {
    expect(() => read(document, mediaType)).toThrow(
      expect.objectContaining({ code: "MANIFEST_UNSUPPORTED", message: expect.stringContaining("schema 1") }),
    );
  });
});

describe("an image", () => {
  const check = (change: object) => () => {
    const parsed = read({ ...manifest, ...change });
    if (parsed.kind !== "manifest") throw new Error("a manifest was expected");
    return requireImage(parsed);
  };

  it.each([
    ["plain", {}],
    ["without layers", { layers: [] }],
    ["with the config type of an old fault", { config: { ...config, mediaType: "application/octet-stream" } }],
    [
      "with a foreign layer",
      { layers: [{ ...layer, mediaType: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip" }] },
    ],
    ["that calls itself its config's type", { artifactType: type.ociConfig }],
    ["that calls itself something else", { artifactType: "application/vnd.acme.thing" }],
    ["with null for layers", { layers: null }],
    ["that says nothing of layers", { layers: undefined }],
  ])("can be %s", (_, change) => expect(check(change)()).toMatchObject({ kind: "manifest" }));

  const empty = { mediaType: "application/vnd.oci.empty.v1+json", digest: digest("4"), size: 2 };
  it.each([
    ["an artifact with an empty config", { config: empty, layers: [empty], artifactType: "application/vnd.acme.sbom" }],
    ["an artifact without a type", { config: empty, layers: [empty] }],
    [
      "an artifact with a type, and a config of its own",
      { config: { ...config, mediaType: "text/plain" }, artifactType: "application/vnd.acme.sbom" },
    ],
    [
      "a Helm chart",
      {
        config: { ...config, mediaType: "application/vnd.cncf.helm.config.v1+json" },
        layers: [{ ...layer, mediaType: "application/vnd.cncf.helm.chart.content.v1.tar+gzip" }],
      },
    ],
    ["a config without layers, of another type", { config: { ...config, mediaType: "text/plain" }, layers: [] }],
    ["an attestation", { layers: [{ ...layer, mediaType: "application/vnd.in-toto+json" }] }],
  ])("is not %s", (_, change) => {
    expect(check(change)).toThrow(expect.objectContaining({ code: "NOT_AN_IMAGE" }));
  });

  it("may have a config of another type: its content tells", () => {
    expect(check({ config: { ...config, mediaType: "application/json" } })).not.toThrow();
  });

  it("does not have its config for a layer", () => {
    expect(check({ layers: [{ ...layer, digest: config.digest, size: config.size }] })).toThrow(
      "manifest.layers[0]: is the config as well",
    );
  });
});
