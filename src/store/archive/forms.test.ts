/** Archives of many chunks, in every order and every compression. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterEach, beforeEach, expect, describe as group, it } from "vitest";
import { describeWith, run } from "../../../test/tools.ts";
import { ociManifest, parseManifest, parsePlatform } from "../../image/index.ts";
import { openEmbeddedStore } from "../embedded/index.ts";
import type { ImageStore } from "../image-store.ts";
import { loadArchive } from "./index.ts";
import {
  blobsOf,
  describe,
  digestOf,
  dockerEntries,
  dockerList,
  hexOf,
  largeImage,
  layoutIndex,
  layoutMarker,
  named,
  type SampleImage,
  type TarEntry,
  tarOf,
} from "./testing.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pulley-forms-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** Layers of several chunks each, and more than zlib and a stream gather at once. */
const images = ["one", "two"].map((name) => ({
  name: `docker.io/library/${name}:1`,
  image: largeImage(name, 2, 400_000),
}));

interface Form {
  readonly entries: readonly TarEntry[];
  /** Its layers as they will be stored. */
  readonly layers: (image: SampleImage) => readonly Buffer[];
}

/** docker's up to version 24: a folder for each layer, of which those that came before are links to the first one. */
function oldDocker(): Form {
  const shared = images[0]?.image.layers[0] ?? Buffer.alloc(0);
  const entries = images.flatMap(({ image }) =>
    dockerEntries(image, null).filter(({ path }) => path !== "manifest.json"),
  );
  const again: TarEntry = { path: "again/layer.tar", type: "SymbolicLink", linkpath: `../${hexOf(shared)}/layer.tar` };
  const lists = images.map(({ name, image }, at) => ({
    Config: `${hexOf(image.config)}.json`,
    RepoTags: [name],
    Layers: image.layers.map((layer, position) =>
      at === 0 && position === 0 ? again.path : `${hexOf(layer)}/layer.tar`,
    ),
  }));
  return { entries: [...entries, again, dockerList(...lists)], layers: ({ layers }) => layers };
}

function dockerOfCompressedLayers(): Form {
  const files = images.flatMap(({ image }) => image.compressed.map((content) => ({ path: hexOf(content), content })));
  const configs = images.map(({ image }) => ({ path: `${hexOf(image.config)}.json`, content: image.config }));
  const lists = images.map(({ name, image }) => ({
    Config: `${hexOf(image.config)}.json`,
    RepoTags: [name],
    Layers: image.compressed.map(hexOf),
  }));
  return { entries: [...files, ...configs, dockerList(...lists)], layers: ({ compressed }) => compressed };
}

function layout(): Form {
  const index = layoutIndex(
    ...images.map(({ name, image }) => ({ ...describe(ociManifest, image.manifest), ...named(name) })),
  );
  const blobs = images.flatMap(({ image }) => blobsOf(image));
  return { entries: [...blobs, index, layoutMarker], layers: ({ compressed }) => compressed };
}

/** docker's since version 25: both. */
function bothDockerAndLayout(): Form {
  const { entries, layers } = layout();
  const lists = images.map(({ name, image }) => ({
    Config: `blobs/sha256/${hexOf(image.config)}`,
    RepoTags: [name],
    Layers: image.compressed.map((layer) => `blobs/sha256/${hexOf(layer)}`),
  }));
  return { entries: [...entries, dockerList(...lists)], layers };
}

const forms = { oldDocker, dockerOfCompressedLayers, layout, bothDockerAndLayout };
const isSmall = ({ content = "" }: TarEntry) => content.length < 100_000;
const orders: Readonly<Record<string, (entries: readonly TarEntry[]) => readonly TarEntry[]>> = {
  "layers first": (entries) => entries,
  "layers last": (entries) => [...entries].reverse(),
  "layers in the middle": (entries) => {
    const small = entries.filter(isSmall);
    return [...small.slice(0, 2), ...entries.filter((entry) => !isSmall(entry)).reverse(), ...small.slice(2)];
  },
};

/** In members of any length, as pigz and bgzip write them, and some that are empty. */
function inMembers(bytes: Buffer): Buffer {
  const members: Buffer[] = [gzipSync("")];
  for (let at = 0; at < bytes.length; at += 300_001) members.push(gzipSync(bytes.subarray(at, at + 300_001)));
  return Buffer.concat([...members, gzipSync("")]);
}

async function expectLoaded(path: string, { layers }: Form): Promise<void> {
  const store: ImageStore = await openEmbeddedStore(await mkdtemp(join(folder, "store-")));
  try {
    const loaded = await loadArchive(store, path, { platform: parsePlatform("linux/amd64") });
    expect(loaded.map(({ id, names }) => [id, ...names])).toEqual(
      images.map(({ name, image }) => [digestOf(image.config), name]),
    );
    for await (const { state } of store.verify()) expect(state).toBe("sound");
    for (const { name, image } of images) {
      const stored = await store.image(name);
      if (stored === undefined) throw new Error(`${name} is not there`);
      const manifest = parseManifest(await store.read(stored.manifest.digest, 100_000), stored.manifest.mediaType);
      if (manifest.kind !== "manifest") throw new Error("a manifest was expected");
      expect(manifest.layers.map(({ digest }) => digest)).toEqual(layers(image).map(digestOf));
    }
  } finally {
    await store.close();
  }
}

const cases = Object.entries(forms).flatMap(([form, make]) =>
  Object.entries(orders).map(([order, arrange]) => [form, order, make, arrange] as const),
);

group("an archive of many chunks", () => {
  it.each(cases)("is loaded: %s, %s", async (_form, _order, make, arrange) => {
    const form = make();
    const tar = tarOf(...arrange(form.entries));
    for (const bytes of [tar, gzipSync(tar, { level: 1 }), inMembers(tar)]) {
      await writeFile(join(folder, "archive"), bytes);
      await expectLoaded(join(folder, "archive"), form);
    }
  });

  it("is loaded in any order of its entries", async () => {
    const form = oldDocker();
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray([...form.entries], { minLength: form.entries.length }), async (entries) => {
        await writeFile(join(folder, "archive"), gzipSync(tarOf(...entries), { level: 1 }));
        await expectLoaded(join(folder, "archive"), form);
      }),
      { numRuns: 5 },
    );
  });

  it.each(Object.entries(forms))("may be a folder: %s", async (_form, make) => {
    const form = make();
    for (const { path, content = "", type, linkpath } of form.entries) {
      await mkdir(dirname(join(folder, "unpacked", path)), { recursive: true });
      if (type === "SymbolicLink") await symlink(linkpath ?? "", join(folder, "unpacked", path));
      else await writeFile(join(folder, "unpacked", path), content);
    }
    await expectLoaded(join(folder, "unpacked"), form);
  });

  it("that is cut off or damaged is refused as such, wherever that is", async () => {
    const whole = gzipSync(tarOf(...oldDocker().entries), { level: 1 });
    const path = join(folder, "archive");
    for (const share of [0.1, 0.5, 0.9, 0.999]) {
      await writeFile(path, whole.subarray(0, Math.floor(whole.length * share)));
      await expect(expectLoaded(path, oldDocker())).rejects.toThrow("the compressed data is damaged or cut off");
    }
  });
});

describeWith(["zstd", "xz"], "with zstd and xz", ({ zstd, xz }) => {
  it.each(cases.filter(([, order]) => order !== "layers first"))(
    "zstd's is loaded: %s, %s",
    async (_form, _order, make, arrange) => {
      const form = make();
      await writeFile(join(folder, "archive"), tarOf(...arrange(form.entries)));
      await run(zstd, ["-q", "-1", join(folder, "archive")]);
      await expectLoaded(join(folder, "archive.zst"), form);
    },
  );

  it("xz's is refused, with what to do", async () => {
    await writeFile(join(folder, "archive"), tarOf(...oldDocker().entries));
    await run(xz, ["-0", join(folder, "archive")]);
    await expect(expectLoaded(join(folder, "archive.xz"), oldDocker())).rejects.toMatchObject({
      code: "ARCHIVE_INVALID",
      message: expect.stringContaining("compressed in a way that is not read here"),
      advice: "Decompress the archive first, or compress it with gzip or zstd.",
    });
  });
});
