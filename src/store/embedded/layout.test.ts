import { createHash } from "node:crypto";
import { chmod, mkdir, readdir, readFile, rename, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { digestHex, parseDigest } from "../../image/index.ts";
import type { ImageStore } from "../image-store.ts";
import { blobsOf, pullSample, sampleImage } from "../testing/sample-image.ts";
import { temporaryRoot } from "../testing/temporary-root.ts";
import { openEmbeddedStore } from "./index.ts";

const nginx = "docker.io/library/nginx";

async function useStore<Value>(root: string, use: (store: ImageStore) => Promise<Value>): Promise<Value> {
  const store = await openEmbeddedStore(root);
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

/** A store with one image, closed again. */
async function storeWith(name: string, seed: string) {
  const [root, image] = [await temporaryRoot(), sampleImage(seed)];
  await useStore(root, (store) => pullSample(store, image, [name]));
  return { root, image, record: join(root, "records", createHash("sha256").update(name).digest("hex")) };
}

describe("opening", () => {
  test("makes an image layout that nobody else may read", async () => {
    const { root, image, record } = await storeWith(`${nginx}:latest`, "modes");
    expect(JSON.parse(await readFile(join(root, "oci-layout"), "utf8"))).toEqual({ imageLayoutVersion: "1.0.0" });
    const folders = ["", "blobs", "blobs/sha256", "records", "leases", "ingest", "trash", "damaged", "confirmed"];
    for (const folder of folders) expect((await stat(join(root, folder))).mode & 0o777, folder).toBe(0o700);
    const files = ["oci-layout", "index.json", "pulley.json", `blobs/sha256/${digestHex(image.id)}`];
    for (const file of files) expect((await stat(join(root, file))).mode & 0o777, file).toBe(0o600);
    expect((await stat(record)).mode & 0o777).toBe(0o600);
  });

  test("takes an empty folder, a disk's mount point too, and closes it to others", async () => {
    const root = await temporaryRoot();
    await mkdir(join(root, "lost+found"), { recursive: true });
    await writeFile(join(root, "pulley.json.0123.tmp"), "what a process left that was killed over its first file");
    await chmod(root, 0o755);
    await useStore(root, async (store) => expect(await store.images()).toEqual([]));
    expect((await stat(root)).mode & 0o777).toBe(0o700);
  });

  test("leaves a folder alone that holds something else", async () => {
    const root = await temporaryRoot();
    await mkdir(root);
    await writeFile(join(root, "thesis.txt"), "all of it");
    await expect(openEmbeddedStore(root)).rejects.toMatchObject({ code: "STORE_INVALID" });
    expect(await readdir(root)).toEqual(["thesis.txt"]);
  });

  test("leaves another program's image layout alone, and says what to do with it", async () => {
    const root = await temporaryRoot();
    await mkdir(root);
    await writeFile(join(root, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
    const failure = { code: "STORE_INVALID", advice: expect.stringContaining("pulley load") };
    await expect(openEmbeddedStore(root)).rejects.toMatchObject(failure);
  });

  test.each([
    ['{"formatVersion":2}', "format version 2"],
    ['{"formatVersion":0}', "pulley.json.formatVersion"],
    ["{}", "pulley.json.formatVersion"],
    ["", "pulley.json"],
    ["\u0000".repeat(100), "pulley.json"],
  ])("refuses the format %j", async (text, message) => {
    const { root } = await storeWith(`${nginx}:latest`, "format");
    await writeFile(join(root, "pulley.json"), text);
    const failure = { code: "STORE_INVALID", message: expect.stringContaining(message) };
    await expect(openEmbeddedStore(root)).rejects.toMatchObject(failure);
  });

  test("refuses a format file that is not a file", async () => {
    const { root } = await storeWith(`${nginx}:latest`, "format");
    await rename(join(root, "pulley.json"), join(root, "moved.json"));
    await symlink("moved.json", join(root, "pulley.json"));
    await expect(openEmbeddedStore(root)).rejects.toMatchObject({ code: "STORE_INVALID" });
  });

  test.each(["blobs", "blobs/sha256", "records", "leases", "trash"])(
    "refuses a link in place of %s",
    async (folder) => {
      const { root } = await storeWith(`${nginx}:latest`, "link");
      await rename(join(root, folder), join(root, "moved"));
      await symlink(join(root, "moved"), join(root, folder));
      await expect(openEmbeddedStore(root)).rejects.toMatchObject({ code: "STORE_INVALID" });
    },
  );

  test("says that the folder cannot be made", async () => {
    const root = await temporaryRoot();
    await writeFile(root, "a file");
    await expect(openEmbeddedStore(root)).rejects.toMatchObject({ code: "STORE_FAILED" });
  });
});

describe("damaged content", () => {
  test.each<[string, (path: string) => Promise<void>]>([
    ["shorter", (path) => writeFile(path, "short")],
    ["empty, as after a power cut", (path) => writeFile(path, "")],
    [
      "a link",
      async (path) => {
        await rename(path, `${path}.moved`);
        await symlink(`${path}.moved`, path);
      },
    ],
    ["a folder", async (path) => rename(path, `${path}.moved`).then(() => mkdir(path))],
  ])("that is %s is seen at once and fetched anew", async (_, damage) => {
    const { root, image } = await storeWith(`${nginx}:latest`, "damaged");
    const layer = image.layers[0]?.descriptor ?? expect.unreachable();
    await damage(join(root, "blobs", "sha256", digestHex(layer.digest)));
    await useStore(root, async (store) => {
      await expect(store.open(layer)).rejects.toMatchObject({ code: "BLOB_DAMAGED" });
      expect(await readdir(join(root, "damaged"))).toHaveLength(1);
      const lease = await store.lease();
      expect(await lease.has(layer)).toBe(false);
      await lease.release();
      await pullSample(store, image, [`${nginx}:latest`]);
      expect(new Set((await verifyAll(store)).map(({ state }) => state))).toEqual(new Set(["sound"]));
    });
  });

  test.each([-1, 0, 1, 1_000_000])(
    "that is cut off is told from a wrong claim, also if somebody makes one of %i bytes more",
    async (more) => {
      const { root, image } = await storeWith(`${nginx}:latest`, "cut");
      const layer = image.layers[0]?.descriptor ?? expect.unreachable();
      await writeFile(join(root, "blobs", "sha256", digestHex(layer.digest)), "short");
      await useStore(root, async (store) => {
        const lease = await store.lease();
        expect(await lease.has({ ...layer, size: layer.size + more })).toBe(false);
        expect(await readdir(join(root, "damaged"))).toHaveLength(1);
        await lease.release();
        await pullSample(store, image, [`${nginx}:latest`]);
        expect(new Set((await verifyAll(store)).map(({ state }) => state))).toEqual(new Set(["sound"]));
      });
    },
  );

  test("is not what a record makes of it that has a wrong size", async () => {
    const { root, image, record } = await storeWith(`${nginx}:latest`, "misrecorded");
    const text = await readFile(record, "utf8");
    await writeFile(record, text.replaceAll(/"size":\d+/g, '"size":5'));
    await useStore(root, async (store) => {
      await pullSample(store, sampleImage("next"), [`${nginx}:latest`]);
      expect(await readdir(join(root, "damaged"))).toEqual([]);
      expect((await store.image(image.id))?.repoTags).toEqual([]);
      const lease = await store.lease();
      for (const { descriptor } of blobsOf(image).slice(0, -1)) expect(await lease.has(descriptor)).toBe(true);
      for (const { descriptor } of blobsOf(image).slice(0, -1)) {
        await expect(lease.has({ ...descriptor, size: 5 })).rejects.toMatchObject({ code: "SIZE_MISMATCH" });
      }
      await lease.release();
      expect(new Set((await verifyAll(store)).map(({ state }) => state))).toEqual(new Set(["sound"]));
    });
  });

  test("in sha512 is told from a wrong claim, too", async () => {
    const root = await temporaryRoot();
    const bytes = Buffer.from("content with a longer name");
    const digest = parseDigest(`sha512:${createHash("sha512").update(bytes).digest("hex")}`);
    await useStore(root, async (store) => {
      const lease = await store.lease();
      const descriptor = { mediaType: "text/plain", digest, size: bytes.length };
      await lease.put(descriptor, bytes);
      await expect(lease.has({ ...descriptor, size: 1 })).rejects.toMatchObject({ code: "SIZE_MISMATCH" });
      expect(await store.read(digest, 1000)).toEqual(bytes);
      await lease.release();
    });
  });

  test("of the right size is found by reading it, and named with the images that need it", async () => {
    const { root, image } = await storeWith(`${nginx}:latest`, "flipped");
    const [lower, upper] = image.layers.map(({ descriptor }) => descriptor);
    if (lower === undefined || upper === undefined) expect.unreachable();
    for (const { digest, size } of [lower, upper, image.manifest.descriptor]) {
      await writeFile(join(root, "blobs", "sha256", digestHex(digest)), Buffer.alloc(size, "x"));
    }
    await useStore(root, async (store) => {
      await expect(drain(await store.open(lower))).rejects.toMatchObject({ code: "BLOB_DAMAGED" });
      await expect(store.read(image.manifest.descriptor.digest, 10_000)).rejects.toMatchObject({
        code: "BLOB_DAMAGED",
      });
      const verified = await verifyAll(store);
      const neededBy = [`${nginx}:latest`];
      expect(verified).toContainEqual({ digest: upper.digest, state: "damaged", neededBy });
      expect(verified).toContainEqual({ digest: lower.digest, state: "missing", neededBy });
      expect(verified).toContainEqual({ digest: image.manifest.descriptor.digest, state: "missing", neededBy });
      expect(verified).toContainEqual({ digest: image.id, state: "sound", neededBy });
      expect(verified.filter(({ digest }) => digest === upper.digest)).toHaveLength(1);
    });
  });

  test("gives out nothing of a small blob that is not what it should be", async () => {
    const { root, image } = await storeWith(`${nginx}:latest`, "small");
    const layer = image.layers[0]?.descriptor ?? expect.unreachable();
    await writeFile(join(root, "blobs", "sha256", digestHex(layer.digest)), Buffer.alloc(layer.size, "x"));
    await useStore(root, async (store) => {
      const chunks: Buffer[] = [];
      const read = async () => {
        for await (const chunk of await store.open(layer)) chunks.push(chunk);
      };
      await expect(read()).rejects.toMatchObject({ code: "BLOB_DAMAGED" });
      expect(chunks).toEqual([]);
    });
  });

  test("does not cost an image its other layers", async () => {
    const { root, image } = await storeWith(`${nginx}:latest`, "spared");
    await writeFile(join(root, "blobs", "sha256", digestHex(image.manifest.descriptor.digest)), "damaged");
    await useStore(root, async (store) => {
      await pullSample(store, sampleImage("another"), [`${nginx}:another`]);
      await store.remove("nginx:another");
      const lease = await store.lease();
      for (const { descriptor } of image.layers) expect(await lease.has(descriptor)).toBe(true);
      await lease.release();
    });
  });
});

describe("damaged records", () => {
  test.each<[string, (text: string) => string]>([
    ["truncated", (text) => text.slice(0, 100)],
    ["empty", () => ""],
    ["another name's", (text) => text.replace("nginx:latest", "nginx:others")],
    ["with a path for a digest", (text) => text.replace(/"image":"[^"]*"/, '"image":"sha256:../../../etc/passwd"')],
    ["without its contents", (text) => text.replace(/"contents":\[.*\]/, '"contents":null')],
    ["with a negative size", (text) => text.replaceAll(/"size":/g, '"size":-')],
  ])("a record that is %s is set aside and told of; the others stay", async (_, damage) => {
    const { root, record } = await storeWith(`${nginx}:latest`, "one");
    await useStore(root, (store) => pullSample(store, sampleImage("other"), [`${nginx}:other`]));
    await writeFile(record, damage(await readFile(record, "utf8")));
    const warnings: string[] = [];
    const store = await openEmbeddedStore(root, { warn: (message) => warnings.push(message) });
    expect((await store.images()).map(({ repoTags }) => repoTags)).toEqual([[`${nginx}:other`]]);
    expect(await store.image("nginx")).toBeUndefined();
    expect(warnings).toEqual([expect.stringContaining(join(root, "damaged", "record-"))]);
    await store.close();
    expect(await namesIn(root)).toEqual([`${nginx}:other`]);
  });

  test("a record that is set aside goes from index.json too, however long that was up to date", async () => {
    const { root, record } = await storeWith(`${nginx}:latest`, "one");
    const past = new Date(Date.now() - 60_000);
    await utimes(join(root, "records"), past, past);
    await useStore(root, () => Promise.resolve());
    await writeFile(record, "damaged");
    await useStore(root, async (store) => expect(await store.images()).toEqual([]));
    expect(await namesIn(root)).toEqual([]);
  });

  test("files with other names do no harm", async () => {
    const { root } = await storeWith(`${nginx}:latest`, "strange");
    for (const folder of ["records", "blobs/sha256", "leases", "ingest", "trash", "confirmed"]) {
      await writeFile(join(root, folder, "README"), "a note");
      await writeFile(join(root, folder, "sha256-12.part"), "a note");
    }
    await useStore(root, async (store) => {
      await pullSample(store, sampleImage("other"), [`${nginx}:other`]);
      expect(await store.remove("nginx:latest")).toMatchObject({ untagged: [`${nginx}:latest`] });
      expect(new Set((await verifyAll(store)).map(({ state }) => state))).toEqual(new Set(["sound"]));
    });
  });

  test("a confirmation that is not whole says nothing", async () => {
    const { root, record } = await storeWith(`${nginx}:latest`, "confirmed");
    await useStore(root, (store) => store.confirm(`${nginx}:latest`, 1_700_000_000_000));
    await writeFile(record.replace("records", "confirmed"), '{"target":"sha256:');
    await useStore(root, async (store) => {
      expect((await store.record(`${nginx}:latest`))?.confirmedAt).toBeUndefined();
    });
  });
});

describe("index.json", () => {
  test.each<[string, (path: string) => Promise<void>]>([
    ["garbage", (path) => writeFile(path, "\u0000garbage")],
    ["absent", (path) => rename(path, `${path}.moved`)],
    ["another program's", (path) => writeFile(path, '{"schemaVersion":2,"manifests":[]}')],
    ["a link", async (path) => rename(path, `${path}.moved`).then(() => symlink("pulley.json", path))],
  ])("that is %s is written anew when the store is opened", async (_, damage) => {
    const { root } = await storeWith(`${nginx}:latest`, "index");
    const sound = await readFile(join(root, "index.json"), "utf8");
    // Whatever another program writes, it does not write it in the same tick of the clock as we did.
    const past = new Date(Date.now() - 60_000);
    await utimes(join(root, "records"), past, past);
    await damage(join(root, "index.json"));
    await useStore(root, () => Promise.resolve());
    expect(await readFile(join(root, "index.json"), "utf8")).toBe(sound);
    expect((await stat(join(root, "pulley.json"))).size).toBeLessThan(100);
  });

  test("is left alone where it is up to date", async () => {
    const { root } = await storeWith(`${nginx}:latest`, "settled");
    const past = new Date(Date.now() - 60_000);
    await utimes(join(root, "records"), past, past);
    await useStore(root, () => Promise.resolve());
    const { ino, mtimeMs } = await stat(join(root, "index.json"));
    expect(Math.abs(mtimeMs - past.getTime())).toBeLessThan(2);
    await useStore(root, () => Promise.resolve());
    expect((await stat(join(root, "index.json"))).ino).toBe(ino);
  });

  test("names every image, by what is in the store", async () => {
    const { root, image } = await storeWith(`${nginx}:latest`, "annotated");
    expect(JSON.parse(await readFile(join(root, "index.json"), "utf8"))).toEqual({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.index.v1+json",
      manifests: [
        {
          ...image.manifest.descriptor,
          platform: { architecture: "amd64", os: "linux" },
          annotations: {
            "io.containerd.image.name": `${nginx}:latest`,
            "org.opencontainers.image.ref.name": `${nginx}:latest`,
          },
        },
      ],
    });
  });
});

test("two stores in one folder see each other's changes", async () => {
  const root = await temporaryRoot();
  await useStore(root, (one) =>
    useStore(root, async (other) => {
      for (let round = 0; round < 20; round += 1) {
        const image = sampleImage(`round ${round}`);
        await pullSample(one, image, [`${nginx}:latest`]);
        expect((await other.image("nginx"))?.id).toBe(image.id);
        await other.remove(image.id);
        expect(await one.image(image.id)).toBeUndefined();
        const lease = await one.lease();
        expect(await lease.has(blobsOf(image)[0]?.descriptor ?? expect.unreachable())).toBe(false);
        await lease.release();
      }
    }),
  );
});

async function verifyAll(store: ImageStore) {
  const verified = [];
  for await (const blob of store.verify()) verified.push(blob);
  return verified;
}

async function drain(chunks: AsyncIterable<Buffer>): Promise<void> {
  for await (const chunk of chunks) expect(chunk.length).toBeGreaterThan(0);
}

async function namesIn(root: string): Promise<string[]> {
  const index = JSON.parse(await readFile(join(root, "index.json"), "utf8")) as {
    manifests: { annotations: Record<string, string> }[];
  };
  return index.manifests.map(({ annotations }) => annotations["org.opencontainers.image.ref.name"] ?? "");
}
