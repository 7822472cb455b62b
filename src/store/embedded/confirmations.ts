/**
 * When a registry last said that a name still means the same. Kept beside the records, because it changes with every
 * check, and the records must stay as they are for everything that is derived from them to stay as it is. Not synced:
 * what a power cut loses is a confirmation, and an older one only makes an image be checked sooner.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { readDigest } from "../../image/index.ts";
import { isPulleyError } from "../../support/errors.ts";
import { readJson } from "../../support/json-cursor.ts";
import type { Catalog } from "../catalog.ts";
import { readSmall, removeFile } from "../files.ts";
import { type StoredRecord } from "../stored-record.ts";
import { replaceFile, type StorePaths } from "./paths.ts";
import { readTime, recordFile } from "./record.ts";

const limit = 4096;

/** The digest is part of it: it says nothing about what the name may have come to mean since. */
export async function writeConfirmation(paths: StorePaths, { name, target }: StoredRecord, at: number): Promise<void> {
  const text = JSON.stringify({ target: target.digest, at });
  await replaceFile(paths, join(paths.confirmed, recordFile(name)), Buffer.from(text), false);
}

/** The record with its latest confirmation. */
export async function withConfirmation(paths: StorePaths, record: StoredRecord): Promise<StoredRecord> {
  const at = await readConfirmation(paths, record);
  if (at === undefined || at <= (record.confirmedAt ?? Number.NEGATIVE_INFINITY)) return record;
  return { ...record, confirmedAt: at };
}

/** Removes those of names that are gone. */
export async function sweepConfirmations(paths: StorePaths, catalog: Catalog): Promise<void> {
  const files = new Set([...catalog.records.keys()].map(recordFile));
  for (const file of await readdir(paths.confirmed))
    if (!files.has(file)) await removeFile(join(paths.confirmed, file));
}

/** A file that is not whole says nothing. */
async function readConfirmation(paths: StorePaths, { name, target }: StoredRecord): Promise<number | undefined> {
  const bytes = await readSmall(join(paths.confirmed, recordFile(name)), limit);
  if (bytes === undefined) return undefined;
  try {
    const root = readJson(bytes, { name: "confirmation", code: "STORE_INVALID", limit });
    const field = root.object("target", "at");
    return readDigest(field("target")) === target.digest ? readTime(field("at")) : undefined;
  } catch (error) {
    if (isPulleyError(error)) return undefined;
    throw error;
  }
}
