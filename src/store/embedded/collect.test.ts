import { appendFile, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Digest } from "../../image/index.ts";
import { expiry, formatOwner, type Owner, thisOwner } from "../../support/owner.ts";
import type { ImageStore } from "../image-store.ts";
import { blobsOf, bring, pullSample, recordOf, type SampleImage, sampleImage } from "../testing/sample-image.ts";
import { temporaryRoot } from "../testing/temporary-root.ts";
import { Blobs } from "./blobs.ts";
import { collect, neededDigests } from "./collect.ts";
import { openEmbeddedStore } from "./index.ts";
import { Records } from "./records.ts";
import { openSite, type Site } from "./site.ts";
import { discard, restore, settle } from "./trash.ts";

const name = "docker.io/library/collected:latest";
const image = sampleImage("collected");
const digests = blobsOf(image).map(({ descriptor }) => descriptor.digest);

interface Ground {
  readonly root: string;
  readonly site: Site;
  readonly blobs: Blobs;
  readonly records: Records;
  readonly store: ImageStore;
}

/** A store, as its callers have it and as another process sees it. */
async function openBoth(): Promise<Ground> {
  const root = await temporaryRoot();
  const store = await openEmbeddedStore(root);
  onTestFinished(() => store.close());
  const site = await openSite(root, () => undefined);
  return { root, site, blobs: new Blobs(site), records: new Records(site), store };
}

/** Content that no name and no lease needs. */
async function leaveGarbage({ store }: Ground, garbage: SampleImage): Promise<void> {
  const lease = await store.lease();
  await bring(lease, garbage);
  await lease.release();
}

describe("collection", () => {
  test("takes everything that nobody needs, and says how much that was", async () => {
    const ground = await openBoth();
    await leaveGarbage(ground, image);
    await pullSample(ground.store, sampleImage("needed"), ["docker.io/library/needed:latest"]);
    const size = blobsOf(image).reduce((sum, { descriptor }) => sum + descriptor.size, 0);
    const index = sampleImage("needed").index.descriptor.size;
    expect(await collect(ground.site, ground.blobs, ground.records)).toBe(size + index);
    expect(await ground.blobs.list()).toHaveLength(4);
    expect(await readdir(ground.site.trash)).toEqual([]);
  });

  test("gives back what was named while it was being taken", async () => {
    const ground = await openBoth();
    await leaveGarbage(ground, image);
    const list = async () => {
      const found = await ground.blobs.list();
      await pullSample(ground.store, image, [name]);
      return found;
    };
    await collect(ground.site, { list }, ground.records);
    for (const { descriptor } of [image.manifest, image.config, ...image.layers]) {
      expect(await ground.blobs.check(descriptor.digest)).toBe("sound");
    }
  });

  test("gives back what a lease found while it was being taken", async () => {
    const ground = await openBoth();
    await leaveGarbage(ground, image);
    const lease = await ground.store.lease();
    const list = async () => {
      const found = await ground.blobs.list();
      for (const { descriptor } of blobsOf(image)) expect(await lease.has(descriptor)).toBe(true);
      return found;
    };
    await collect(ground.site, { list }, ground.records);
    expect((await ground.blobs.list()).toSorted()).toEqual(digests.toSorted());
    await lease.publish([recordOf(image, name, "index")]);
    await lease.release();
  });

  test("reads the leases before the records: a lease that ends in between has left its records", async () => {
    const ground = await openBoth();
    const lease = await ground.store.lease();
    await bring(lease, image);
    const publishing: Pick<Records, "current"> = {
      current: async () => {
        await lease.publish([recordOf(image, name)]);
        await lease.release();
        return ground.records.current();
      },
    };
    expect(await neededDigests(ground.site, publishing)).toEqual(new Set(digests));
  });
});

describe("the trash", () => {
  test("is looked into by everybody who looks for content", async () => {
    const ground = await openBoth();
    await pullSample(ground.store, image, [name]);
    const discardAll = async () => {
      for (const digest of digests) await discard(ground.site, digest);
      expect(await ground.blobs.list()).toEqual([]);
    };
    await discardAll();
    expect(await ground.store.read(image.manifest.descriptor.digest, 10_000)).toEqual(image.manifest.bytes);
    await discardAll();
    for await (const { state } of ground.store.verify()) expect(state).toBe("sound");
    await discardAll();
    const lease = await ground.store.lease();
    for (const { descriptor } of blobsOf(image)) expect(await lease.has(descriptor)).toBe(true);
    await lease.release();
  });

  test("of a process that was killed over it is settled when the store is opened", async () => {
    const ground = await openBoth();
    const garbage = sampleImage("garbage");
    await pullSample(ground.store, image, [name]);
    await leaveGarbage(ground, garbage);
    for (const { descriptor } of [...blobsOf(image), ...blobsOf(garbage)])
      await discard(ground.site, descriptor.digest);
    const other = await openEmbeddedStore(ground.root);
    await other.close();
    expect(await readdir(ground.site.trash)).toEqual([]);
    const kept = [image.manifest, image.config, ...image.layers].map(({ descriptor }) => descriptor.digest);
    expect((await ground.blobs.list()).toSorted()).toEqual(kept.toSorted());
  });

  test("keeps two stays of the same content apart", async () => {
    const ground = await openBoth();
    const [digest] = digests as [Digest];
    await leaveGarbage(ground, image);
    await discard(ground.site, digest);
    const decideLate = async () => {
      // While somebody decides about the first stay, the content comes back, is found, and goes out again.
      expect(await restore(ground.site, digest)).toBe(true);
      await discard(ground.site, digest);
      return new Set<Digest>();
    };
    expect(await settle(ground.site, decideLate)).toBe(0);
    expect(await restore(ground.site, digest)).toBe(true);
    expect(await restore(ground.site, digest)).toBe(false);
  });
});

describe("leases of other processes", () => {
  const elsewhere: Owner = { ...thisOwner(), namespace: "1" };
  const dead: Owner = { ...thisOwner(), boot: "f".repeat(32) };

  async function leaseOf(ground: Ground, owner: Owner, text: string, age: number): Promise<ReadonlySet<Digest>> {
    const path = join(ground.site.leases, `${formatOwner(owner)}.0123`);
    await writeFile(path, text);
    const time = new Date(Date.now() - age);
    await utimes(path, time, time);
    return neededDigests(ground.site, ground.records);
  }

  const all = digests.map((digest) => `${digest}\n`).join("");

  test("count while their owners live, or have lived lately as far as can be told", async () => {
    const ground = await openBoth();
    expect(await leaseOf(ground, thisOwner(), all, 2 * expiry)).toEqual(new Set(digests));
    await rm(join(ground.site.leases, `${formatOwner(thisOwner())}.0123`));
    expect(await leaseOf(ground, elsewhere, all, expiry - 60_000)).toEqual(new Set(digests));
    expect(await leaseOf(ground, elsewhere, all, expiry + 60_000)).toEqual(new Set());
    expect(await leaseOf(ground, dead, all, 0)).toEqual(new Set());
    expect(await readdir(ground.site.leases)).toEqual([]);
  });

  test("count line by line, the last one once it is whole", async () => {
    const ground = await openBoth();
    const [first = "", second = ""] = digests;
    expect(await leaseOf(ground, elsewhere, `${first}\nnonsense\n${second}`, 0)).toEqual(new Set([first]));
  });

  test("are taken out again by their owner if somebody took it for dead", async () => {
    const ground = await openBoth();
    const lease = await ground.store.lease();
    await bring(lease, image);
    for (const file of await readdir(ground.site.leases)) await rm(join(ground.site.leases, file));
    await collect(ground.site, ground.blobs, ground.records);
    await expect(lease.publish([recordOf(image, name)])).rejects.toMatchObject({ code: "CONTENT_MISSING" });
    await bring(lease, image);
    await collect(ground.site, ground.blobs, ground.records);
    expect((await lease.publish([recordOf(image, name)])).id).toBe(image.id);
    await lease.release();
    expect(await readdir(ground.site.leases)).toEqual([]);
  });
});

test("removing leaves a name that another process has given to another image meanwhile", async () => {
  const ground = await openBoth();
  const [old, fresh] = [sampleImage("old"), sampleImage("fresh")];
  await pullSample(ground.store, old, [name]);
  const seen = [...(await ground.records.current()).records.values()];
  await pullSample(ground.store, fresh, [name, "docker.io/library/collected:other"]);
  expect(await ground.records.drop(seen)).toEqual([]);
  expect((await ground.store.image(name))?.id).toBe(fresh.id);
  await ground.store.close();
  expect(await readdir(ground.site.ingest)).toEqual([]);
});

test("a damaged lease file is no reason to fail", async () => {
  const ground = await openBoth();
  await appendFile(join(ground.site.leases, `${formatOwner(thisOwner())}.0f`), Buffer.alloc(1000, 0xff));
  expect(await neededDigests(ground.site, ground.records)).toEqual(new Set());
});
