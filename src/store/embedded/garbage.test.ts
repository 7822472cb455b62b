import { appendFile, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Digest } from "../../image/index.ts";
import { expiry, formatOwner, type Owner, thisOwner } from "../../support/owner.ts";
import type { ImageStore } from "../image-store.ts";
import { blobsOf, bring, pullSample, recordOf, type SampleImage, sampleImage } from "../testing/sample-image.ts";
import { temporaryRoot } from "../testing/temporary-root.ts";
import { Blobs } from "./blobs.ts";
import { collect, discard, neededDigests, restore, sweepTrash } from "./garbage.ts";
import { openEmbeddedStore } from "./index.ts";
import { openStorePaths, type StorePaths } from "./paths.ts";
import { Records } from "./records.ts";

const name = "docker.io/library/collected:latest";
const image = sampleImage("collected");
const digests = blobsOf(image).map(({ descriptor }) => descriptor.digest);

interface Ground {
  readonly root: string;
  readonly paths: StorePaths;
  readonly blobs: Blobs;
  readonly records: Records;
  readonly store: ImageStore;
}

/** A store, as its callers have it and as another process sees it. */
async function openBoth(): Promise<Ground> {
  const root = await temporaryRoot();
  const store = await openEmbeddedStore(root);
  onTestFinished(() => store.close());
  const paths = await openStorePaths(root, () => undefined);
  return { root, paths, blobs: new Blobs(paths), records: new Records(paths), store };
}

/** Content that no name and no lease needs. */
async function leaveGarbage({ store }: Ground, garbage: SampleImage): Promise<void> {
  const lease = await store.lease();
  await bring(lease, garbage);
  await lease.release();
}

describe("collection", () => {
  test("takes everything that nobody needs, and says how much that was", async () => {
    const deps = await openBoth();
    await leaveGarbage(deps, image);
    await pullSample(deps.store, sampleImage("needed"), ["docker.io/library/needed:latest"]);
    const size = blobsOf(image).reduce((sum, { descriptor }) => sum + descriptor.size, 0);
    const index = sampleImage("needed").index.descriptor.size;
    expect(await collect(deps.paths, deps.blobs, deps.records)).toBe(size + index);
    expect(await deps.blobs.list()).toHaveLength(4);
    expect(await readdir(deps.paths.trash)).toEqual([]);
  });

  test("gives back what was named while it was being taken", async () => {
    const deps = await openBoth();
    await leaveGarbage(deps, image);
    const list = async () => {
      const found = await deps.blobs.list();
      await pullSample(deps.store, image, [name]);
      return found;
    };
    await collect(deps.paths, { list }, deps.records);
    for (const { descriptor } of [image.manifest, image.config, ...image.layers]) {
      expect(await deps.blobs.check(descriptor.digest)).toBe("sound");
    }
  });

  test("gives back what a lease found while it was being taken", async () => {
    const deps = await openBoth();
    await leaveGarbage(deps, image);
    const lease = await deps.store.lease();
    const list = async () => {
      const found = await deps.blobs.list();
      for (const { descriptor } of blobsOf(image)) expect(await lease.has(descriptor)).toBe(true);
      return found;
    };
    await collect(deps.paths, { list }, deps.records);
    expect((await deps.blobs.list()).toSorted()).toEqual(digests.toSorted());
    await lease.publish([recordOf(image, name, "index")]);
    await lease.release();
  });

  test("reads the leases before the records: a lease that ends in between has left its records", async () => {
    const deps = await openBoth();
    const lease = await deps.store.lease();
    await bring(lease, image);
    const publishing: Pick<Records, "current"> = {
      current: async () => {
        await lease.publish([recordOf(image, name)]);
        await lease.release();
        return deps.records.current();
      },
    };
    expect(await neededDigests(deps.paths, publishing)).toEqual(new Set(digests));
  });
});

describe("the trash", () => {
  test("is looked into by everybody who looks for content", async () => {
    const deps = await openBoth();
    await pullSample(deps.store, image, [name]);
    const discardAll = async () => {
      for (const digest of digests) await discard(deps.paths, digest);
      expect(await deps.blobs.list()).toEqual([]);
    };
    await discardAll();
    expect(await deps.store.read(image.manifest.descriptor.digest, 10_000)).toEqual(image.manifest.bytes);
    await discardAll();
    for await (const { state } of deps.store.verify()) expect(state).toBe("sound");
    await discardAll();
    const lease = await deps.store.lease();
    for (const { descriptor } of blobsOf(image)) expect(await lease.has(descriptor)).toBe(true);
    await lease.release();
  });

  test("of a process that was killed over it is settled when the store is opened", async () => {
    const deps = await openBoth();
    const garbage = sampleImage("garbage");
    await pullSample(deps.store, image, [name]);
    await leaveGarbage(deps, garbage);
    for (const { descriptor } of [...blobsOf(image), ...blobsOf(garbage)]) await discard(deps.paths, descriptor.digest);
    const other = await openEmbeddedStore(deps.root);
    await other.close();
    expect(await readdir(deps.paths.trash)).toEqual([]);
    const kept = [image.manifest, image.config, ...image.layers].map(({ descriptor }) => descriptor.digest);
    expect((await deps.blobs.list()).toSorted()).toEqual(kept.toSorted());
  });

  test("keeps two stays of the same content apart", async () => {
    const deps = await openBoth();
    const [digest] = digests as [Digest];
    await leaveGarbage(deps, image);
    await discard(deps.paths, digest);
    const decideLate = async () => {
      // While somebody decides about the first stay, the content comes back, is found, and goes out again.
      expect(await restore(deps.paths, digest)).toBe(true);
      await discard(deps.paths, digest);
      return new Set<Digest>();
    };
    expect(await sweepTrash(deps.paths, decideLate)).toBe(0);
    expect(await restore(deps.paths, digest)).toBe(true);
    expect(await restore(deps.paths, digest)).toBe(false);
  });
});

describe("leases of other processes", () => {
  const elsewhere: Owner = { ...thisOwner(), namespace: "1" };
  const dead: Owner = { ...thisOwner(), boot: "f".repeat(32) };

  async function leaseOf(deps: Ground, owner: Owner, text: string, age: number): Promise<ReadonlySet<Digest>> {
    const path = join(deps.paths.leases, `${formatOwner(owner)}.0123`);
    await writeFile(path, text);
    const time = new Date(Date.now() - age);
    await utimes(path, time, time);
    return neededDigests(deps.paths, deps.records);
  }

  const all = digests.map((digest) => `${digest}\n`).join("");

  test("count while their owners live, or have lived lately as far as can be told", async () => {
    const deps = await openBoth();
    expect(await leaseOf(deps, thisOwner(), all, 2 * expiry)).toEqual(new Set(digests));
    await rm(join(deps.paths.leases, `${formatOwner(thisOwner())}.0123`));
    expect(await leaseOf(deps, elsewhere, all, expiry - 60_000)).toEqual(new Set(digests));
    expect(await leaseOf(deps, elsewhere, all, expiry + 60_000)).toEqual(new Set());
    expect(await leaseOf(deps, dead, all, 0)).toEqual(new Set());
    expect(await readdir(deps.paths.leases)).toEqual([]);
  });

  test("count line by line, the last one once it is whole", async () => {
    const deps = await openBoth();
    const [first = "", second = ""] = digests;
    expect(await leaseOf(deps, elsewhere, `${first}\nnonsense\n${second}`, 0)).toEqual(new Set([first]));
  });

  test("are taken out again by their owner if somebody took it for dead", async () => {
    const deps = await openBoth();
    const lease = await deps.store.lease();
    await bring(lease, image);
    for (const file of await readdir(deps.paths.leases)) await rm(join(deps.paths.leases, file));
    await collect(deps.paths, deps.blobs, deps.records);
    await expect(lease.publish([recordOf(image, name)])).rejects.toMatchObject({ code: "CONTENT_MISSING" });
    await bring(lease, image);
    await collect(deps.paths, deps.blobs, deps.records);
    expect((await lease.publish([recordOf(image, name)])).id).toBe(image.id);
    await lease.release();
    expect(await readdir(deps.paths.leases)).toEqual([]);
  });
});

test("removing leaves a name that another process has given to another image meanwhile", async () => {
  const deps = await openBoth();
  const [old, fresh] = [sampleImage("old"), sampleImage("fresh")];
  await pullSample(deps.store, old, [name]);
  const seen = [...(await deps.records.current()).records.values()];
  await pullSample(deps.store, fresh, [name, "docker.io/library/collected:other"]);
  expect(await deps.records.drop(seen)).toEqual([]);
  expect((await deps.store.image(name))?.id).toBe(fresh.id);
  await deps.store.close();
  expect(await readdir(deps.paths.ingest)).toEqual([]);
});

test("a damaged lease file is no reason to fail", async () => {
  const deps = await openBoth();
  await appendFile(join(deps.paths.leases, `${formatOwner(thisOwner())}.0f`), Buffer.alloc(1000, 0xff));
  expect(await neededDigests(deps.paths, deps.records)).toEqual(new Set());
});
