/** Removes names, and with its last name the image: its content and its snapshots. */
import { configLimit, type Digest, parseImageConfig } from "../../image/index.ts";
import { isPulleyError } from "../../support/errors.ts";
import type { Catalog } from "../catalog.ts";
import type { Removal } from "../image-store.ts";
import { type Content, isNameless, needs, type StoredRecord } from "../stored-record.ts";
import { recordsToDrop } from "../untag.ts";
import { Snapshots } from "./api/containerd/services/snapshots/snapshots_pb.js";
import { chainIds } from "./chain-ids.ts";
import type { Contents } from "./contents.ts";
import type { ContainerdContext } from "./context.ts";
import { call, unless } from "./daemon.ts";
import type { ContainerdNames } from "./names.ts";

/** @throws PulleyError `IMAGE_NOT_FOUND`, `REFERENCE_INVALID` */
export async function remove(
  context: ContainerdContext,
  contents: Contents,
  names: ContainerdNames,
  text: string,
): Promise<Removal> {
  const found = (await names.fresh()).require(text);
  const drop = recordsToDrop(found);
  const parts = await partsOf(contents, drop);
  const chains = await sizesOf(context, await chainsOf(contents, found.image.id));
  for (const [at, record] of drop.entries()) await names.remove(record, at === drop.length - 1);
  const after = await withoutRest(names, found.image.id, drop);
  let freed = 0;
  for (const { digest, size } of parts) if ((await contents.size(digest)) === undefined) freed += size;
  for (const [chain, size] of chains) if ((await sizeOf(context, chain)) === undefined) freed += size;
  return {
    untagged: drop.filter((record) => !isNameless(record)).map(({ name }) => name),
    deleted: after.image(found.image.id) === undefined ? [found.image.id] : [],
    freed,
  };
}

/** containerd's CRI may just have been about to note the id of an image that it had seen come. */
async function withoutRest(names: ContainerdNames, id: Digest, dropped: readonly StoredRecord[]): Promise<Catalog> {
  const after = await names.fresh();
  const rest = after.of(id);
  if (rest.length === 0 || !dropped.some(isNameless) || !rest.every(isNameless)) return after;
  for (const record of rest) await names.remove(record, true);
  return names.fresh();
}

/** What of an image is there: it may have been unpacked and its layers removed then. */
async function partsOf(contents: Contents, records: readonly StoredRecord[]): Promise<readonly Content[]> {
  const parts: Content[] = [];
  // Others' images may say anything of their sizes.
  for (const digest of new Set(records.flatMap(needs).map((content) => content.digest))) {
    const size = await contents.size(digest);
    if (size !== undefined) parts.push({ digest, size });
  }
  return parts;
}

async function chainsOf(contents: Contents, id: Digest): Promise<readonly Digest[]> {
  try {
    return chainIds(parseImageConfig(await contents.read(id, configLimit)).diffIds);
  } catch (error) {
    if (isPulleyError(error, "IMAGE_NOT_FOUND", "BLOB_DAMAGED", "TOO_LARGE", "MANIFEST_INVALID")) return [];
    throw error;
  }
}

async function sizesOf(context: ContainerdContext, chains: readonly Digest[]): Promise<ReadonlyMap<Digest, number>> {
  const sizes = new Map<Digest, number>();
  for (const chain of chains) {
    const size = await sizeOf(context, chain);
    if (size !== undefined) sizes.set(chain, size);
  }
  return sizes;
}

/** Bytes; `undefined` if there is no such snapshot. */
async function sizeOf({ daemon, snapshotter }: ContainerdContext, chain: Digest): Promise<number | undefined> {
  const request = { snapshotter, key: chain };
  const usage = await unless(call(daemon, `measure snapshot ${chain}`, Snapshots.method.usage, request), "NOT_FOUND");
  return usage && Number(usage.size);
}
