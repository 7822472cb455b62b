/** What is saved can be loaded again: whatever the digests, the names and the number of bytes. */
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, describe as group, it } from "vitest";
import { describeWith, run } from "../../../test/tools.ts";
import { type Digest, type DigestAlgorithm, ociManifest, parseManifest, parsePlatform } from "../../image/index.ts";
import { openEmbeddedStore } from "../embedded/index.ts";
import type { ImageStore } from "../image-store.ts";
import { type ArchiveFormat, loadArchive, saveArchive } from "./index.ts";
import {
  blobsOf,
  describe,
  digestIn,
  imageOf,
  layoutIndex,
  layoutMarker,
  named,
  type SampleImage,
  tarOf,
} from "./testing.ts";

const formats: readonly ArchiveFormat[] = ["docker-archive", "oci-archive"];
const algorithms: readonly DigestAlgorithm[] = ["sha256", "sha384", "sha512"];
const platform = parsePlatform("linux/amd64");

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pulley-round-trip-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function inNewStore<Result>(use: (store: ImageStore) => Promise<Result>): Promise<Result> {
  const store = await openEmbeddedStore(await mkdtemp(join(folder, "store-")));
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

interface Written {
  readonly image: SampleImage;
  readonly algorithm: DigestAlgorithm;
  readonly name: string;
}

async function writeOci(path: string, images: readonly Written[]): Promise<void> {
  const entries = images.map(({ image, algorithm, name }) => ({
    ...describe(ociManifest, image.manifest, algorithm),
    ...named(name),
  }));
  const blobs = images.flatMap(({ image, algorithm }) => blobsOf(image, algorithm));
  await writeFile(path, tarOf(layoutMarker, layoutIndex(...entries), ...blobs));
}

/** What an image is: its id, its names, and the digests of its layers as they are stored, each read again. */
async function contentOf(store: ImageStore): Promise<unknown> {
  for await (const { state } of store.verify()) expect(state).toBe("sound");
  const images = await store.images();
  return Promise.all(
    images.map(async ({ id, repoTags, manifest }) => {
      const parsed = parseManifest(await store.read(manifest.digest, 1_000_000), manifest.mediaType);
      return { id, repoTags, layers: parsed.kind === "manifest" && parsed.layers.map(({ digest }) => digest) };
    }),
  );
}

/** Through both stores; of the docker format layers come out unpacked, and are told by the digests of that. */
async function roundTrip(images: readonly Written[], format: ArchiveFormat): Promise<void> {
  const [first, second] = [join(folder, "first.tar"), join(folder, "second.tar")];
  await writeOci(first, images);
  await inNewStore(async (store) => {
    await loadArchive(store, first, { platform });
    await saveArchive(
      store,
      images.map(({ name }) => name),
      second,
      format,
    );
  });
  const found = await inNewStore(async (store) => {
    await loadArchive(store, second, { platform });
    return contentOf(store);
  });
  const expected = images.map(({ image, algorithm, name }) => ({
    id: digestIn(algorithm, image.config),
    repoTags: [name],
    layers: (format === "oci-archive" ? image.compressed : image.layers).map((layer) => digestIn(algorithm, layer)),
  }));
  expect(found).toHaveLength(expected.length);
  expect(found).toEqual(expect.arrayContaining(expected));
}

/** A name of so many characters, of parts as long as a registry may have them. */
function nameOf(length: number, position: number): string {
  const path = Array.from({ length }, (_, at) => (at % 60 === 59 && at < length - 1 ? "/" : "n")).join("");
  return `quay.io/${position}/${path}:${"t".repeat(1 + (length % 128))}`;
}

const layer = fc
  .tuple(fc.integer({ min: 1, max: 180 }), fc.uint8Array({ maxLength: 2000 }))
  .map(([length, bytes]) => tarOf({ path: "p".repeat(length % 100 || 1), content: Buffer.from(bytes) }));
const image = fc.record({
  algorithm: fc.constantFrom(...algorithms),
  layers: fc.array(layer, { maxLength: 4 }),
  length: fc.integer({ min: 1, max: 230 }),
});

group.each(formats)("a saved %s", (format) => {
  it("is loaded with the same digests and names, whatever they are", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(image, { minLength: 1, maxLength: 3 }), async (drawn) => {
        const images = drawn.map(({ algorithm, layers, length }, at) => ({
          image: imageOf([tarOf({ path: `image-${at}` }), ...layers], { algorithm }),
          algorithm,
          name: nameOf(length, at),
        }));
        await roundTrip(images, format);
      }),
      { numRuns: 12 },
    );
  });

  it("is not begun where its list would be too long to be loaded again", async () => {
    const app: Written = { image: imageOf([tarOf({ path: "a" })]), algorithm: "sha256", name: "app:0" };
    await writeOci(join(folder, "in.tar"), [app]);
    await inNewStore(async (store) => {
      await loadArchive(store, join(folder, "in.tar"), { platform });
      const names = Array.from({ length: 1001 }, (_, at) => `docker.io/library/app:${at}`);
      // An image with so many names, without the time that it takes to give it them.
      const manyNames: ImageStore = Object.assign(Object.create(store), {
        image: async (text: string) => {
          const image = await store.image(text.replace(/:\d+$/, ":0"));
          return image && { ...image, repoTags: names };
        },
        lease: () => store.lease(),
        read: (digest: Digest, limit: number) => store.read(digest, limit),
      });
      const path = join(folder, "out.tar");
      await expect(saveArchive(manyNames, names, path, format)).rejects.toMatchObject({
        code: "USAGE",
        message: expect.stringContaining("too many images for one archive"),
      });
      expect(await readdir(folder)).not.toContain("out.tar");
    });
  });
});

describeWith(["skopeo", "tar", "python3"], "with skopeo, GNU tar and Python", ({ skopeo, tar, python3 }) => {
  const saved = async (algorithm: DigestAlgorithm, format: ArchiveFormat) => {
    const name = nameOf(200, 1);
    const app: Written = {
      image: imageOf([tarOf({ path: "a", content: "a".repeat(9000) })], { algorithm }),
      algorithm,
      name,
    };
    await writeOci(join(folder, "in.tar"), [app]);
    await inNewStore(async (store) => {
      await loadArchive(store, join(folder, "in.tar"), { platform });
      await saveArchive(store, [name], join(folder, "out.tar"), format);
    });
    return { app, path: join(folder, "out.tar") };
  };

  it.each(formats.flatMap((format) => algorithms.map((algorithm) => [format, algorithm] as const)))(
    "tar and Python read a %s with %s digests",
    async (format, algorithm) => {
      const { app, path } = await saved(algorithm, format);
      const listed = (await run(tar, ["-tf", path])).trim().split("\n");
      const hexes = format === "oci-archive" ? app.image.compressed : app.image.layers;
      for (const bytes of [app.image.config, ...hexes]) {
        const hex = digestIn(algorithm, bytes).slice("sha256:".length);
        expect(listed.some((line) => line.includes(hex))).toBe(true);
      }
      const script = "import sys,tarfile\nfor m in tarfile.open(sys.argv[1]): print(m.name)";
      expect((await run(python3, ["-c", script, path])).trim().split("\n")).toEqual(
        listed.map((name) => name.replace(/\/$/, "")),
      );
    },
  );

  // skopeo takes configs of other algorithms for damaged: it hashes them with sha256 whatever their names say.
  it.each(formats)("skopeo reads a %s with a long name", async (format) => {
    const { app, path } = await saved("sha256", format);
    const inspected = await run(skopeo, ["inspect", "--config", `${format}:${path}`]);
    expect(JSON.parse(inspected)).toMatchObject(JSON.parse(app.image.config.toString()));
    await run(skopeo, ["--insecure-policy", "copy", "--quiet", `${format}:${path}`, `oci:${join(folder, "copy")}:x`]);
  });
});
