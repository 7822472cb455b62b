import { mkdir, readdir, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { expiry, formatOwner, type Owner, thisOwner } from "../../support/owner.ts";
import { flatName } from "../files.ts";
import type { ImageStore, Lease } from "../image-store.ts";
import { receive, sampleImage } from "../testing/sample-image.ts";
import { temporaryRoot } from "../testing/temporary-root.ts";
import { openEmbeddedStore } from "./index.ts";

const { descriptor, bytes } = sampleImage("ingest").layers[0] ?? expect.unreachable();
/** Of an earlier boot. */
const dead: Owner = { ...thisOwner(), boot: "f".repeat(32) };
/** In a container of its own. */
const elsewhere: Owner = { ...thisOwner(), namespace: "1" };
const day = 24 * 3600 * 1000;

/** A store in which parts were left: owner, number of bytes, milliseconds since. */
async function storeWithParts(...parts: readonly (readonly [Owner | "kept", number, number])[]) {
  const root = await temporaryRoot();
  await (await openEmbeddedStore(root)).close();
  const folder = join(root, "ingest", `${flatName(descriptor.digest)}-${descriptor.size}`);
  await mkdir(folder);
  for (const [position, [owner, size, age]] of parts.entries()) {
    const name = owner === "kept" ? owner : formatOwner(owner);
    const path = join(folder, `${name}.0${position}.part`);
    await writeFile(path, Buffer.alloc(size, bytes.subarray(0, size)));
    const time = new Date(Date.now() - age);
    await utimes(path, time, time);
  }
  return { root, folder };
}

async function withLease(root: string, use: (lease: Lease, store: ImageStore) => Promise<void>): Promise<void> {
  const store = await openEmbeddedStore(root);
  try {
    await use(await store.lease(), store);
  } finally {
    await store.close();
  }
}

describe("taking over what was received", () => {
  test("takes the most that dead processes left, and deletes the rest", async () => {
    const { root, folder } = await storeWithParts([dead, 5, 0], ["kept", 9, 0], [dead, 3, 0]);
    await withLease(root, async (lease) => {
      const ingest = await lease.ingest(descriptor);
      expect(ingest.received).toBe(9);
      expect(await readdir(folder)).toHaveLength(1);
      await receive(ingest, bytes);
      await ingest.commit();
      expect(await lease.has(descriptor)).toBe(true);
    });
    expect(await readdir(join(root, "ingest"))).toEqual([]);
  });

  test("leaves alone what a living process is receiving", async () => {
    const { root, folder } = await storeWithParts([thisOwner(), 5, 2 * expiry], [elsewhere, 5, expiry - 60_000]);
    await withLease(root, async (lease) => {
      expect((await lease.ingest(descriptor)).received).toBe(0);
      expect(await readdir(folder)).toHaveLength(3);
    });
    expect(await readdir(folder)).toHaveLength(2);
  });

  test("takes from a process that cannot be asked after what it has not touched for long", async () => {
    const { root } = await storeWithParts([elsewhere, 5, expiry + 60_000]);
    await withLease(root, async (lease) => {
      expect((await lease.ingest(descriptor)).received).toBe(5);
    });
  });

  test("takes nothing that is longer than the content, or is no file", async () => {
    const { root, folder } = await storeWithParts([dead, bytes.length, 0]);
    await writeFile(join(folder, `${formatOwner(dead)}.1.part`), Buffer.alloc(bytes.length + 1));
    await symlink("/etc/passwd", join(folder, `${formatOwner(dead)}.2.part`));
    await withLease(root, async (lease) => {
      const ingest = await lease.ingest(descriptor);
      expect(ingest.received).toBe(bytes.length);
      expect((await stat(ingest.path)).size).toBe(bytes.length);
    });
  });

  test("of two at once, one gets it and the other begins from nothing", async () => {
    const { root } = await storeWithParts([dead, 5, 0]);
    await withLease(root, async (lease, store) => {
      const other = await store.lease();
      const ingests = await Promise.all([lease.ingest(descriptor), other.ingest(descriptor)]);
      expect(ingests.map(({ received }) => received).toSorted()).toEqual([0, 5]);
    });
  });

  test("goes on after a release in the middle of it", async () => {
    const { root } = await storeWithParts();
    await withLease(root, async (lease) => receive(await lease.ingest(descriptor), bytes, 11));
    await withLease(root, async (lease) => {
      expect((await lease.ingest(descriptor)).received).toBe(11);
    });
  });
});

describe("opening the store", () => {
  test("deletes what nobody came back for in a week", async () => {
    const { root, folder } = await storeWithParts([dead, 1, 8 * day], ["kept", 2, 8 * day], [dead, 3, 6 * day]);
    await withLease(root, async () => {
      expect(await readdir(folder)).toEqual([`${formatOwner(dead)}.02.part`]);
    });
  });

  test("deletes what dead processes had not finished writing, and their leases", async () => {
    const { root } = await storeWithParts();
    const files = [`ingest/${formatOwner(dead)}.0a.tmp`, `ingest/${formatOwner(elsewhere)}.0b.tmp`];
    files.push(`leases/${formatOwner(dead)}.0c`, `leases/${formatOwner(elsewhere)}.0d`);
    for (const file of files) await writeFile(join(root, file), "");
    await withLease(root, async () => {
      expect(await readdir(join(root, "ingest"))).toEqual([`${formatOwner(elsewhere)}.0b.tmp`]);
      expect(await readdir(join(root, "leases"))).toContain(`${formatOwner(elsewhere)}.0d`);
      expect(await readdir(join(root, "leases"))).not.toContain(`${formatOwner(dead)}.0c`);
    });
  });
});
