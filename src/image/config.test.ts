import { describe, expect, it } from "vitest";
import { configLimit, parseImageConfig, readImageConfig } from "./config.ts";
import { configHazards } from "./hazards.ts";
import { type Manifest, parseManifest } from "./manifest.ts";
import { ociConfig, ociLayer, ociManifest } from "./media-type.ts";
import { imageUser } from "./user.ts";

const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
const encode = (document: unknown) =>
  new TextEncoder().encode(typeof document === "string" ? document : JSON.stringify(document));

const plain = { os: "linux", architecture: "amd64", rootfs: { type: "layers", diff_ids: [digest("a")] } };

describe("an image's config", () => {
  it("is read into checked values", () => {
    const document = {
      ...plain,
      architecture: "aarch64",
      variant: "v8",
      created: "2026-01-02T03:04:05.678901234Z",
      config: {
        User: "1000:1000",
        Env: ["PATH=/bin", "EMPTY="],
        Entrypoint: ["/app"],
        Cmd: [],
        WorkingDir: "/srv",
        Labels: { "org.opencontainers.image.version": "1" },
        Volumes: { "/data": {} },
        ExposedPorts: { "8080/tcp": {} },
        StopSignal: "SIGTERM",
        Hostname: "",
        OnBuild: null,
      },
      history: [{ created_by: "x" }],
    };
    expect(parseImageConfig(encode(document))).toEqual({
      platform: { os: "linux", architecture: "arm64", variant: "" },
      createdAt: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
      diffIds: [digest("a")],
      config: {
        user: "1000:1000",
        env: ["PATH=/bin", "EMPTY="],
        entrypoint: ["/app"],
        cmd: [],
        workingDir: "/srv",
        labels: { "org.opencontainers.image.version": "1" },
        volumes: ["/data"],
        exposedPorts: ["8080/tcp"],
        stopSignal: "SIGTERM",
      },
    });
  });

  it("may leave out all that it need not have, or say null as Go does", () => {
    const empty = { platform: { os: "linux", architecture: "amd64", variant: "" }, diffIds: [], config: {} };
    expect(parseImageConfig(encode({ ...plain, rootfs: { type: "layers" } }))).toEqual(empty);
    const nothing = { User: "", Env: null, Entrypoint: null, Cmd: null, Labels: null, Volumes: null };
    const document = { ...plain, created: null, rootfs: { type: "layers", diff_ids: null }, config: nothing };
    expect(parseImageConfig(encode(document))).toEqual({ ...empty, config: { user: "" } });
    expect(parseImageConfig(encode({ ...plain, config: null })).config).toEqual({});
  });

  it.each([
    ["2026-01-02T03:04:05Z", Date.UTC(2026, 0, 2, 3, 4, 5)],
    ["2026-01-02T03:04:05+02:00", Date.UTC(2026, 0, 2, 1, 4, 5)],
    ["2026-01-02T03:04:05.123456789012345Z", Date.UTC(2026, 0, 2, 3, 4, 5, 123)],
    ["1970-01-01T00:00:00Z", 0],
    ["0001-01-01T00:00:00Z", undefined],
  ])("was created at %s", (created, expected) => {
    expect(parseImageConfig(encode({ ...plain, created })).createdAt).toBe(expected);
  });

  it.each([
    ["an os that is a number", { ...plain, os: 1 }, "config.os: must be a string"],
    ["a rootfs that is a list", { ...plain, rootfs: [] }, "config.rootfs: must be an object"],
    [
      "two users",
      JSON.stringify({ ...plain, config: { User: "1" } }).replace('"User"', '"User":"0","User"'),
      "comes twice",
    ],
    ["two systems", JSON.stringify(plain).replace('"os"', '"os":"windows","os"'), 'config: the key "os" comes twice'],
    [
      "two configs",
      JSON.stringify({ ...plain, config: {} }).replace('"config"', '"config":{},"config"'),
      "comes twice",
    ],
    ["a byte order mark", `\uFEFF${JSON.stringify(plain)}`, "byte order mark"],
    [
      "a bad digest",
      { ...plain, rootfs: { type: "layers", diff_ids: ["sha256:x"] } },
      "config.rootfs.diff_ids[0]: invalid checksum digest length",
    ],
    [
      "10 000 layers",
      { ...plain, rootfs: { type: "layers", diff_ids: Array(10_000).fill(digest("a")) } },
      "config.rootfs.diff_ids: has 10000 elements",
    ],
    ["a long s", { ...plain, config: { "U\u017fer": "0" } }, 'config.config: the key "U\u017fer" must be spelt "User"'],
    ["other rootfs too", { ...plain, RootFS: {} }, 'config: the key "RootFS" must be spelt "rootfs"'],
    ["a date that is none", { ...plain, created: "yesterday" }, "config.created: must be a time"],
    ["a date that cannot be", { ...plain, created: "2026-13-02T03:04:05Z" }, "config.created: must be a time"],
    ["a command as text", { ...plain, config: { Cmd: "sh" } }, "config.config.Cmd: must be a list"],
    ["a variable that is no text", { ...plain, config: { Env: ["A=b", 1] } }, "config.config.Env[1]: must be a string"],
    ["labels as a list", { ...plain, config: { Labels: [] } }, "config.config.Labels: must be an object"],
    ["a user that is a number", { ...plain, config: { User: 0 } }, "config.config.User: must be a string"],
    [
      "user and User",
      { ...plain, config: { User: "1", user: "0" } },
      'config.config: the key "user" must be spelt "User"',
    ],
    ["no JSON", "PK\u0003", "config: a value is missing"],
  ])("is refused: %s", (_, document, message) => {
    expect(() => parseImageConfig(encode(document))).toThrow(message);
    expect(() => parseImageConfig(encode(document))).toThrow(expect.objectContaining({ code: "MANIFEST_INVALID" }));
  });

  it("may be silent about the platform, and about how its layers are kept", () => {
    const silent = { platform: { os: "", architecture: "", variant: "" }, diffIds: [], config: {} };
    expect(parseImageConfig(encode({}))).toEqual(silent);
    expect(parseImageConfig(encode({ os: "", architecture: "", created: "", rootfs: { type: "" } }))).toEqual(silent);
  });

  it("is read as Go reads it where that does no harm", () => {
    const text = JSON.stringify({ ...plain, config: { Labels: { a: "1" } }, history: [] });
    const twice = text.replace('"a":"1"', '"a":"1","a":"2"').replace('"history"', '"history":[1],"history"');
    expect(parseImageConfig(encode(twice)).config.labels).toEqual({ a: "2" });
    const latin1 = Buffer.from(text.replace('"1"', '"M\xfcller"'), "latin1");
    expect(parseImageConfig(latin1).config.labels).toEqual({ a: "M\uFFFDller" });
  });

  it("is refused beyond 4 MiB", () => {
    const text = JSON.stringify(plain);
    expect(parseImageConfig(encode(text.padEnd(configLimit))).diffIds).toHaveLength(1);
    expect(() => parseImageConfig(encode(text.padEnd(configLimit + 1)))).toThrow(
      expect.objectContaining({ code: "TOO_LARGE" }),
    );
  });

  it("may say what no platform is, and null for a text", () => {
    const odd = { ...plain, os: "li\nnux", architecture: "amd 64", variant: "v8/x", rootfs: { type: "Layers" } };
    const settings = { Env: ["A=b", null], Labels: { a: null } };
    expect(parseImageConfig(encode({ ...odd, config: settings }))).toMatchObject({
      platform: { os: "unknown", architecture: "unknown", variant: "unknown" },
      config: { env: ["A=b", ""], labels: { a: "" } },
    });
  });

  it("describes as many layers as its manifest lists", () => {
    const layer = { mediaType: ociLayer, digest: digest("a"), size: 1 };
    const manifest = (layers: number, mediaType: string = ociConfig) =>
      parseManifest(
        encode({
          schemaVersion: 2,
          config: { mediaType, digest: digest("c"), size: 1 },
          layers: Array(layers).fill(layer),
        }),
        ociManifest,
      ) as Manifest;
    const bytes = encode(plain);
    expect(readImageConfig(manifest(1), bytes)).toEqual(parseImageConfig(bytes));
    expect(() => readImageConfig(manifest(0), bytes)).toThrow("describes 1 layers, but the manifest lists 0");
    expect(() => readImageConfig(manifest(2), bytes)).toThrow("describes 1 layers, but the manifest lists 2");
    expect(readImageConfig(manifest(1, "application/json"), bytes)).toEqual(parseImageConfig(bytes));
    for (const unlike of [manifest(2, "application/json"), manifest(0, "text/plain")]) {
      expect(() => readImageConfig(unlike, bytes)).toThrow(expect.objectContaining({ code: "NOT_AN_IMAGE" }));
    }
    const artifact = manifest(1, "application/vnd.cncf.helm.config.v1+json");
    expect(() => readImageConfig(artifact, encode("not JSON"))).toThrow(
      /^manifest.config: "application\/vnd.cncf.helm.config.v1\+json" is not a container image's, and does not read as one/,
    );
  });
});

describe("the user of an image", () => {
  it.each([
    ["", undefined],
    [":1000", undefined],
    ["0", { uid: 0 }],
    ["1000:1000", { uid: 1000 }],
    ["2147483647", { uid: 2147483647 }],
    ["2147483648", { name: "2147483648" }],
    ["4294967296:0", { name: "4294967296" }],
    ["99999999999999999999", { name: "99999999999999999999" }],
    ["-1", { name: "-1" }],
    ["1e3", { name: "1e3" }],
    ["nginx", { name: "nginx" }],
    ["nginx:www", { name: "nginx" }],
  ])("%j is %j", (text, user) => expect(imageUser(text)).toEqual(user));
});

describe("what would endanger a host", () => {
  const hazards = (config: object) => configHazards(parseImageConfig(encode({ ...plain, config })).config);

  it("is not in an ordinary config", () => {
    const config = {
      User: "1000:www",
      Env: ["CERT=-----BEGIN\nabc\n", "HOME=/root"],
      Volumes: { "/var/..data": {} },
      WorkingDir: "/srv",
    };
    expect(hazards(config)).toEqual([]);
    expect(hazards({})).toEqual([]);
  });

  it.each([
    [{ User: "4294967296" }, 'the user "4294967296" has an id that is larger than 2147483647'],
    [
      { User: "0:99999999999999999999999" },
      'the user "0:99999999999999999999999" has an id that is larger than 2147483647',
    ],
    [{ User: "a\nroot" }, 'the user "a\\nroot" has a control character'],
    [{ Env: ["HOME=/x\nroot::0:0:::/bin/sh"] }, 'the variable "HOME" has a control character'],
    [{ Env: ["A\nB=1"] }, 'the variable "A\\nB=1" has no sound name'],
    [{ Env: ["=x"] }, 'the variable "=x" has no sound name'],
    [{ Env: ["A=b\0c"] }, 'the variable "A" has a control character'],
    [{ Volumes: { "/a/../../etc": {} } }, 'the volume "/a/../../etc" leads upwards'],
    [{ WorkingDir: "/proc/self/fd/8" }, 'the working directory "/proc/self/fd/8" is a process\'s own'],
    [{ WorkingDir: "//proc/1/root" }, 'the working directory "//proc/1/root" is a process\'s own'],
    [{ WorkingDir: `/${"a".repeat(300)}\n` }, `the working directory "/${"a".repeat(99)}…" has a control character`],
  ])("%j", (config, hazard) => expect(hazards(config)).toEqual([hazard]));
});
