/** Manifests that are not what they should be: each is refused, by its right name, and nothing is kept. */
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type BuiltImage, buildImage, digestOf } from "../../examples/world/image-builder.ts";
import type { ErrorCode } from "../../src/support/errors.ts";
import { document, indexOf, manifestOf, nowhere, pointerTo, serving, types } from "./documents.ts";
import { body, type Fault, status, when } from "./faults.ts";
import { expectEmpty, expectFailure, login, openVictim, type Victim, type Weather, weather } from "./victim.ts";

let image: BuiltImage;
let victim: Victim;
let sky: Weather;
beforeAll(async () => {
  image = await buildImage({ layers: [{ files: { "etc/motd": "hello\n" } }, { filler: 3000 }] });
});
beforeEach(async () => {
  sky = weather();
  victim = await openVictim();
});
afterEach(async () => {
  await victim.close();
  await sky.clear();
});

type Json = Record<string, unknown>;

interface Row {
  readonly name: string;
  readonly serve: (good: ReturnType<typeof manifestOf>) => Fault;
  readonly code: ErrorCode;
  readonly says?: RegExp;
}

/** Instead of the image's manifest, this one. */
function changed(change: (good: ReturnType<typeof manifestOf>) => string | Buffer | Json): Row["serve"] {
  return (good) => serving(document(change(good)));
}

/** The manifest with another digest, or other fields, for its first layer. */
function firstLayer(fields: Json): Row["serve"] {
  return changed((good) => ({ ...good, layers: [{ ...good.layers[0], ...fields }, ...good.layers.slice(1)] }));
}

const rows: readonly Row[] = [
  {
    name: "a manifest that is an index as well (CVE-2021-41190)",
    serve: changed((good) => ({ ...good, manifests: [] })),
    code: "MANIFEST_INVALID",
    says: /manifests/,
  },
  {
    name: "an index that is a manifest as well",
    serve: (good) => serving(document({ ...good, mediaType: types.index, manifests: [nowhere] }, types.index)),
    code: "MANIFEST_INVALID",
    says: /config|layers/,
  },
  {
    name: "a manifest with schema 1's layers beside its own",
    serve: changed((good) => ({ ...good, fsLayers: [] })),
    code: "MANIFEST_INVALID",
    says: /fsLayers/,
  },
  {
    name: "a manifest whose body says that it is an index",
    serve: changed((good) => ({ ...good, mediaType: types.index })),
    code: "MANIFEST_INVALID",
    says: /image\.index/,
  },
  {
    name: "a key that comes twice",
    serve: changed((good) => JSON.stringify(good).replace('"layers"', '"layers":[],"layers"')),
    code: "MANIFEST_INVALID",
    says: /layers/,
  },
  {
    name: "a key that comes a second time in other letters",
    serve: changed((good) => ({ ...good, Layers: [] })),
    code: "MANIFEST_INVALID",
    says: /layers/i,
  },
  {
    name: "a key that comes a second time, written with an escape",
    serve: changed((good) => JSON.stringify(good).replace('"layers"', '"l\\u0061yers":[],"layers"')),
    code: "MANIFEST_INVALID",
    says: /layers/,
  },
  {
    name: "schema version 1",
    serve: changed((good) => ({ ...good, schemaVersion: 1 })),
    code: "MANIFEST_UNSUPPORTED",
    says: /schema 1/,
  },
  {
    name: "schema version 3",
    serve: changed((good) => ({ ...good, schemaVersion: 3 })),
    code: "MANIFEST_INVALID",
    says: /schemaVersion/,
  },
  {
    name: "a hundred thousand brackets",
    serve: changed(() => `{"schemaVersion":2,"layers":${"[".repeat(100_000)}${"]".repeat(100_000)}}`),
    code: "MANIFEST_INVALID",
    says: /deep/,
  },
  {
    name: "a byte order mark",
    serve: changed((good) => `\uFEFF${JSON.stringify(good)}`),
    code: "MANIFEST_INVALID",
    says: /byte order mark/,
  },
  {
    name: "bytes that are not UTF-8",
    serve: changed((good) => Buffer.concat([Buffer.from(JSON.stringify(good)), Buffer.from([0xff, 0xfe])])),
    code: "MANIFEST_INVALID",
    says: /UTF-8/,
  },
  {
    name: "half a document",
    serve: changed((good) => JSON.stringify(good).slice(0, -20)),
    code: "MANIFEST_INVALID",
  },
  {
    name: "a list instead of an object",
    serve: changed(() => "[]"),
    code: "MANIFEST_INVALID",
  },
  {
    name: "one byte more than 4 MiB",
    serve: changed((good) => JSON.stringify(good).padEnd(4 * 1024 * 1024 + 1)),
    code: "TOO_LARGE",
  },
  {
    name: "a digest in upper case",
    serve: firstLayer({ digest: `sha256:${"A".repeat(64)}` }),
    code: "MANIFEST_INVALID",
    says: /layers\[0\]\.digest/,
  },
  {
    name: "a digest that is too short",
    serve: firstLayer({ digest: "sha256:abcd" }),
    code: "MANIFEST_INVALID",
    says: /layers\[0\]\.digest/,
  },
  {
    name: "a digest that is a path (CVE-2024-3727)",
    serve: firstLayer({ digest: "sha256:../../../../etc/passwd" }),
    code: "MANIFEST_INVALID",
    says: /layers\[0\]\.digest/,
  },
  {
    name: "a digest of an algorithm that is broken",
    serve: firstLayer({ digest: "md5:d41d8cd98f00b204e9800998ecf8427e" }),
    code: "MANIFEST_INVALID",
    says: /layers\[0\]\.digest/,
  },
  {
    name: "a digest that is a number",
    serve: firstLayer({ digest: 5 }),
    code: "MANIFEST_INVALID",
    says: /layers\[0\]\.digest/,
  },
  ...[-1, 1.5, 2 ** 60, "10", null].map((size) => ({
    name: `a layer of ${JSON.stringify(size)} bytes`,
    serve: firstLayer({ size }),
    code: "MANIFEST_INVALID" as const,
    says: /layers\[0\]\.size/,
  })),
  {
    name: "a layer that is larger than announced",
    serve: firstLayer({ size: 10 }),
    code: "SIZE_MISMATCH",
  },
  {
    name: "a layer that is smaller than announced",
    serve: firstLayer({ size: 100_000 }),
    code: "SIZE_MISMATCH",
  },
  {
    name: "no layers at all, where the config has two",
    serve: changed((good) => ({ ...good, layers: [] })),
    code: "MANIFEST_INVALID",
    says: /2 layers/,
  },
  {
    name: "layers: null",
    serve: changed((good) => ({ ...good, layers: null })),
    code: "MANIFEST_INVALID",
    says: /layers/,
  },
  {
    name: "ten thousand layers",
    serve: changed((good) => ({ ...good, layers: Array.from({ length: 10_000 }, () => nowhere) })),
    code: "MANIFEST_INVALID",
    says: /layers/,
  },
  {
    name: "one layer twice, with two sizes",
    serve: changed((good) => ({ ...good, layers: [good.layers[0], { ...good.layers[0], size: 1 }] })),
    code: "MANIFEST_INVALID",
    says: /two sizes/,
  },
  {
    name: "a layer that is the config",
    serve: changed((good) => ({
      ...good,
      layers: [{ ...(good["config"] as Json), mediaType: types.layer }, good.layers[1]],
    })),
    code: "MANIFEST_INVALID",
    says: /config/,
  },
  {
    name: "a config of 5 MiB",
    serve: changed((good) => ({ ...good, config: { ...(good["config"] as Json), size: 5 * 1024 * 1024 } })),
    code: "TOO_LARGE",
  },
  {
    name: "an artifact that is no image",
    serve: changed((good) => ({
      ...good,
      config: { mediaType: "application/vnd.oci.empty.v1+json", digest: digestOf("{}"), size: 2 },
      artifactType: "application/vnd.example.report",
    })),
    code: "NOT_AN_IMAGE",
  },
  {
    name: "an encrypted layer",
    serve: firstLayer({ mediaType: `${types.layer}+encrypted` }),
    code: "MANIFEST_UNSUPPORTED",
    says: /encrypted/,
  },
];

test.each(rows)("$name", async ({ serve, code, says }) => {
  const storm = await sky.storm({ image, faults: { manifest: serve(manifestOf(image)) } });
  const error = await victim.failure(`${storm.host}/team/app:1`);
  expectFailure(error, { code, side: storm.host, ...(says && { says }) });
  await expectEmpty(victim);
});

test("a layer that is elsewhere, at an address of the manifest's choosing (CVE-2020-15157)", async () => {
  const elsewhere = await sky.storm({ image });
  const good = manifestOf(image);
  const foreign = {
    ...good.layers[0],
    mediaType: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
    urls: [`${elsewhere.url}/v2/team/app/blobs/${String(good.layers[0]?.["digest"])}`],
  };
  const manifest = serving(document({ ...good, layers: [foreign, ...good.layers.slice(1)] }));
  const storm = await sky.storm({
    image,
    faults: { manifest, layer: when(({ path }) => path.endsWith(String(good.layers[0]?.["digest"])), status(404)) },
  });
  const error = await victim.failure(`${storm.host}/team/app:1`, login);
  expectFailure(error, { code: "REGISTRY_NOT_FOUND", side: storm.host, says: /foreign layer/ });
  expect(elsewhere.asked).toEqual([]);
  await expectEmpty(victim);
});

describe("configs", () => {
  test.each<{ name: string; bytes: Parameters<typeof body>[0]; code: ErrorCode }>([
    {
      name: "another content of the same length",
      bytes: (good) => good.map((byte) => byte ^ 1),
      code: "DIGEST_MISMATCH",
    },
    { name: "the manifest instead", bytes: (good) => `${good} `, code: "SIZE_MISMATCH" },
    { name: "nothing", bytes: "", code: "SIZE_MISMATCH" },
  ])("$name", async ({ bytes, code }) => {
    const storm = await sky.storm({ image, faults: { config: body(bytes) } });
    expectFailure(await victim.failure(`${storm.host}/team/app:1`), { code, side: storm.host });
    await expectEmpty(victim);
  });
});

describe("what is unusual, but right", () => {
  test("an image without layers", async () => {
    const empty = await buildImage({ layers: [] });
    const storm = await sky.storm({ image: empty });
    expect(await victim.pull(`${storm.host}/team/app:1`)).toBe(empty.manifests[0]?.config.digest);
  });

  test("a layer that comes twice is fetched once", async () => {
    const twice = await buildImage({ layers: [{ files: { a: "b" } }, { files: { a: "b" } }] });
    const storm = await sky.storm({ image: twice });
    await victim.pull(`${storm.host}/team/app:1`);
    expect(storm.about("layer")).toHaveLength(1);
  });

  test("an index in an index", async () => {
    const manifest = document(manifestOf(image));
    const inner = indexOf({ ...pointerTo(manifest), platform: { os: "linux", architecture: "amd64" } });
    const outer = indexOf(pointerTo(inner));
    const storm = await sky.storm({ image, faults: { manifest: serving(outer, inner, manifest) } });
    expect(await victim.pull(`${storm.host}/team/app:1`)).toBe(image.manifests[0]?.config.digest);
  });
});
