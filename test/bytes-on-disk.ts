/**
 * What is on the disk, read again. A store says of itself that it is sound; this says it without the store: every file
 * that is named after a digest is read and hashed here, with Node's own hash, byte by byte.
 */
import { createHash, getHashes } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { pipeline } from "node:stream/promises";

/** How deep below a folder the blobs of a store may lie: containerd's are in a plugin's folder of its root. */
const deepest = 4;

/** Folders of containerd's other plugins, with hundreds of snapshots and containers, in which no blob is. */
const otherPlugin = /^io\.containerd\.(?!content\.)/;

/** Files that are not what they are named after, one line each, of every store below a folder. */
export async function wrongBytes(folder: string): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const path of await blobsBelow(folder)) {
    const found = await digestOf(path);
    if (found !== undefined && !path.endsWith(found)) wrong.push(`${relative(folder, path)}: ${found}`);
  }
  return wrong;
}

const watched = new Set<string>();
/** Folders that many tests have in common. */
const shared = new Set<string>();
/** Files that were right and have not changed since: any writing, of whatever kind, changes the time of the inode. */
const known = new Map<string, string>();

/** Reads every store below the folder again after this test; a wrong byte makes the test fail. */
export function readAgainAfterTest(folder: string): void {
  watched.add(folder);
}

/** The same after each test from now on, until {@link readLast}. */
export function readAgainAfterEachTest(folder: string): void {
  shared.add(folder);
}

/** Before the folder is removed. @throws as {@link readAgain} */
export async function readLast(folder: string): Promise<void> {
  if (shared.delete(folder)) await read([folder]);
}

/** For tests that damage a store and leave it so. */
export function leaveDamaged(folder: string): void {
  watched.delete(folder);
  shared.delete(folder);
}

/** @throws Error that names each file with wrong bytes */
export async function readAgain(): Promise<void> {
  const folders = [...watched, ...shared];
  watched.clear();
  await read(folders);
}

async function read(folders: readonly string[]): Promise<void> {
  const wrong = (await Promise.all(folders.map(wrongBytes))).flat();
  if (wrong.length > 0) throw new Error(`wrong bytes on the disk:\n${wrong.join("\n")}`);
}

async function blobsBelow(folder: string, depth = 0): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const folders = entries.filter((entry) => entry.isDirectory() && !otherPlugin.test(entry.name));
  const found = await Promise.all(
    folders.map(async ({ name }) => {
      if (name === "blobs") return blobsIn(join(folder, name));
      return depth < deepest ? blobsBelow(join(folder, name), depth + 1) : [];
    }),
  );
  return found.flat();
}

async function blobsIn(blobs: string): Promise<readonly string[]> {
  const algorithms = (await readdir(blobs).catch(() => [])).filter((name) => getHashes().includes(name));
  const found = await Promise.all(
    algorithms.map(async (algorithm) => {
      const names = await readdir(join(blobs, algorithm)).catch(() => []);
      return names.filter((name) => /^[0-9a-f]{64,128}$/.test(name)).map((name) => join(blobs, algorithm, name));
    }),
  );
  return found.flat();
}

/** As the file is named, `sha256/…`; undefined if it has gone, or is no file. */
async function digestOf(path: string): Promise<string | undefined> {
  const algorithm = path.split("/").at(-2) ?? "";
  const status = await stat(path, { bigint: true }).catch(() => undefined);
  if (status === undefined || !status.isFile()) return undefined;
  const stamp = `${path} ${status.ino} ${status.ctimeNs} ${status.size}`;
  const before = known.get(stamp);
  if (before !== undefined) return before;
  const hash = createHash(algorithm);
  try {
    await pipeline(createReadStream(path), hash);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  const digest = `${algorithm}/${hash.digest("hex")}`;
  if (path.endsWith(digest)) known.set(stamp, digest);
  return digest;
}
