/** Collection on a real store, and on a real disk that is nearly full. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { mkdtemp, readdir, rm, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tool } from "../../test/tools.ts";
import { type ImageStore, openEmbeddedStore } from "../store/index.ts";
import { buildChurn, startChurn } from "../store/testing/child.ts";
import { pullSample, sampleImage } from "../store/testing/sample-image.ts";
import { temporaryRoot } from "../store/testing/temporary-root.ts";
import { systemClock } from "../support/clock.ts";
import { collectableStore } from "./collectable-store.ts";
import { createCollector } from "./collector.ts";
import { dryRunStore } from "./dry-run.ts";
import { confirmedMemory, processMemory } from "./memory.ts";
import { outcomes } from "./testing/fake-store.ts";
import type { CollectableStore, CollectionPolicy, CollectionReport } from "./types.ts";

const MiB = 1024 * 1024;

function collectorOf(store: CollectableStore, policy: Partial<CollectionPolicy> = {}) {
  return createCollector({
    store,
    clock: systemClock,
    pins: [],
    registries: undefined,
    memory: processMemory(0),
    policy: { highThreshold: 85, lowThreshold: 80, minimumAge: 0, maximumAge: 0, ...policy },
    inUse: { images: async () => new Set() },
  });
}

/** Three images of a megabyte and a quarter each, a megabyte of which is one layer that all of them share. */
async function pullSharing(store: ImageStore): Promise<readonly string[]> {
  const shared = Buffer.alloc(MiB, "shared ");
  const ids: string[] = [];
  for (const seed of ["a", "b", "c"]) {
    const image = sampleImage(seed, { layers: [shared, Buffer.alloc(MiB / 4, seed)] });
    await pullSample(store, image, [`docker.io/library/${seed}:1`]);
    ids.push(image.id);
  }
  return ids;
}

function freedIn({ images }: CollectionReport): readonly number[] {
  return images.flatMap(({ outcome }) => (outcome.kind === "deleted" ? (outcome.freed ?? []) : []));
}

/** What a store holds: its blobs and its records, without what a program writes and removes beside them as it goes. */
async function contentsOf(root: string): Promise<readonly string[]> {
  const folders = ["blobs", "records", "trash"].map(async (name) =>
    (await readdir(join(root, name), { recursive: true })).map((path) => join(name, path)).sort(),
  );
  return (await Promise.all(folders)).flat();
}

/** A disk of eight megabytes, where this machine lets us mount one. */
const disk = mountDisk();

function mountDisk(): string | undefined {
  const mount = tool("mount");
  if (process.platform !== "linux" || process.getuid?.() !== 0 || mount === undefined) return undefined;
  const path = mkdtempSync(join(tmpdir(), "pulley-disk-"));
  try {
    execFileSync(mount, ["-t", "tmpfs", "-o", "size=8m", "tmpfs", path], { stdio: "ignore" });
    return path;
  } catch {
    rmSync(path, { recursive: true });
    return undefined;
  }
}

describe.skipIf(disk === undefined)("a disk that is nearly full (needs root, to mount one)", () => {
  let path = "";
  beforeAll(() => {
    path = disk ?? expect.unreachable();
  });
  afterAll(() => {
    execFileSync("umount", [path]);
    rmSync(path, { recursive: true });
  });

  it("is what decides, not the sizes that images report", async () => {
    const store = await openEmbeddedStore(join(path, "store"));
    const ids = await pullSharing(store);
    const { bavail, bsize, blocks } = await statfs(path);
    // 92 % are in use, and a third of a megabyte has to go: two of three images by what is really theirs, one by size.
    const target = Math.floor(blocks * bsize * 0.08);
    await writeFile(join(path, "others"), Buffer.alloc(bavail * bsize - target));
    const report = await collectorOf(collectableStore(store), { highThreshold: 90, lowThreshold: 87 }).collect();
    expect(report.error).toBeUndefined();
    expect(Object.values(outcomes(report)).sort()).toEqual(["deleted", "deleted", "notNeeded"]);
    expect(report.freed.reported).toBeGreaterThan(2 * MiB);
    expect(report.freed.real).toBeGreaterThan(MiB / 2 - 1);
    expect(report.freed.real).toBeLessThan(MiB);
    const { available, capacity } = report.disk.after;
    // Within a few pages: an index that is being replaced was there twice.
    expect(Math.abs(available - (await statfs(path)).bavail * bsize)).toBeLessThanOrEqual(4 * bsize);
    expect(available).toBeGreaterThanOrEqual(capacity * 0.13);
    expect(report.disk.before.used).toBeGreaterThan(report.disk.after.used ?? Number.NaN);
    const [left] = await store.images();
    expect(ids).toContain(left?.id);
    for await (const blob of store.verify()) expect(blob.state).toBe("sound");
    await store.close();
    await rm(join(path, "others"));
  });

  it("without enough to delete says so, and has deleted what it could", async () => {
    const store = await openEmbeddedStore(join(path, "store"));
    await pullSharing(store);
    const { bavail, bsize } = await statfs(path);
    await writeFile(join(path, "others"), Buffer.alloc(bavail * bsize - 64 * 1024));
    const report = await collectorOf(collectableStore(store), { highThreshold: 50, lowThreshold: 10 }).collect();
    expect(report.error).toMatch(
      /^Insufficient free disk space on the node's image filesystem \(100% of 8\.0 MiB used\)\. .*\(freed \d{7} bytes\)/,
    );
    expect(await store.images()).toEqual([]);
    await store.close();
  });
});

describe("a dry run", () => {
  it("comes to the same as what it rehearses, and changes nothing", async () => {
    const root = await temporaryRoot();
    const store = await openEmbeddedStore(root);
    await pullSharing(store);
    const before = await contentsOf(root);
    const planned = await collectorOf(await dryRunStore(store)).deleteUnused();
    expect(await store.images()).toHaveLength(3);
    expect(await contentsOf(root)).toEqual(before);
    const done = await collectorOf(collectableStore(store)).deleteUnused();
    expect(outcomes(planned)).toEqual(outcomes(done));
    expect(planned.images.map(({ image }) => image.id)).toEqual(done.images.map(({ image }) => image.id));
    // With the first image go the indexes that nobody needs any more: small things that only the collection itself finds.
    const missed = freedIn(done).map((freed, at) => freed - (freedIn(planned)[at] ?? 0));
    expect(missed).toEqual([expect.toSatisfy((bytes: number) => bytes > 0 && bytes < 1000), 0, 0]);
    await store.close();
  });

  it("of a damaged image goes by what is known of it", async () => {
    const root = await temporaryRoot();
    const store = await openEmbeddedStore(root);
    const image = sampleImage("damaged");
    await pullSample(store, image, ["docker.io/library/damaged:1"]);
    await rm(join(root, "blobs", image.manifest.descriptor.digest.replace(":", "/")));
    const report = await collectorOf(await dryRunStore(store)).deleteUnused();
    expect(outcomes(report)).toEqual({ [image.id]: "deleted" });
    await store.close();
  });
});

it("knows of an image where it came from, and under which digests it could be had again", async () => {
  const store = await openEmbeddedStore(await temporaryRoot());
  const image = sampleImage("named");
  const { digest } = image.manifest.descriptor;
  await pullSample(store, image, [
    "docker.io/library/named:1",
    "registry.acme.io/named:2",
    `docker.io/library/named@${digest}`,
  ]);
  const [found] = await collectableStore(store).images();
  expect(found?.names).toEqual([
    "docker.io/library/named:1",
    "registry.acme.io/named:2",
    `docker.io/library/named@${digest}`,
  ]);
  expect(found?.sources.map((source) => `${source.repository.name}@${source.digest}`)).toEqual([
    `docker.io/library/named@${digest}`,
    `registry.acme.io/named@${digest}`,
  ]);
  await store.close();
});

it("takes it for a use that an image was confirmed", async () => {
  const store = await openEmbeddedStore(await temporaryRoot());
  const image = sampleImage("confirmed");
  await pullSample(store, image, ["docker.io/library/confirmed:1"]);
  const memory = confirmedMemory(processMemory(0), store);
  expect(await memory.load()).toEqual(new Map());
  await store.confirm("docker.io/library/confirmed:1", 5000);
  expect(await memory.load()).toEqual(new Map([[image.id, { firstDetected: 5000, lastUsed: 5000 }]]));
  await memory.save(new Map([[image.id, { firstDetected: 1000, lastUsed: 9000 }]]));
  expect(await memory.load()).toEqual(new Map([[image.id, { firstDetected: 1000, lastUsed: 9000 }]]));
  await store.close();
});

describe("while other processes pull, tag and remove", () => {
  let folder = "";
  let program = "";

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "pulley-collect-"));
    program = await buildChurn(folder);
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("nothing is lost that a pull has brought, and what is left is sound", async () => {
    const root = await temporaryRoot();
    const others = [1, 2].map((seed) => startChurn(program, root, seed, 60));
    const over = new AbortController();
    // Whoever finds something of its lease gone ends with a failure.
    const ended = Promise.all(others.map((each) => each.ended)).finally(() => over.abort());
    const stores = await Promise.all([openEmbeddedStore(root), openEmbeddedStore(root)]);
    let deleted = 0;
    let failed = 0;
    const collecting = stores.map(async (store) => {
      const collector = collectorOf(collectableStore(store));
      while (!over.signal.aborted) {
        const report = await collector.deleteUnused();
        deleted += report.images.filter(({ outcome }) => outcome.kind === "deleted").length;
        failed += report.images.filter(({ outcome }) => outcome.kind === "failed").length;
      }
    });
    expect(await ended).toEqual([0, 0]);
    await Promise.all(collecting);
    expect(deleted).toBeGreaterThan(0);
    expect(failed).toBe(0);
    const [store] = stores;
    for await (const blob of store?.verify() ?? []) expect(blob.state).toBe("sound");
    await Promise.all(stores.map((each) => each.close()));
  });
});
