/**
 * The paths of a store. The folder is an OCI image layout that other programs can read (image-spec
 * `image-layout.md`: `oci-layout`, `index.json`, `blobs`), and Pulley's own files beside it:
 *
 *     pulley.json   the version of this arrangement
 *     records/      a file for each name: the truth about what is in the store
 *     confirmed/    a file for each name: when a registry last said that the name still means the same
 *     leases/       a file for each image being brought in: the content that must not be collected meanwhile
 *     ingest/       content as it is being received, and other files that are not whole yet
 *     trash/        content that is being removed; it may be restored
 *     damaged/      damaged files, set aside for inspection
 *
 * No locks: any number of processes may use a folder at once, and any of them may be killed at any time.
 */
import { chmod, mkdir, readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { type Digest, digestAlgorithm, digestHex } from "../../image/index.ts";
import { errorText, PulleyError } from "../../support/errors.ts";
import { readJson } from "../../support/json-cursor.ts";
import { formatOwner, type Owner, thisOwner } from "../../support/owner.ts";
import { fileStatus, randomName, readSmall, requireFolder, syncDirectory, writeNew } from "../files.ts";

/** The paths of an open store, and this process. */
export interface StorePaths {
  readonly root: string;
  readonly blobs: string;
  readonly records: string;
  readonly confirmed: string;
  readonly leases: string;
  readonly ingest: string;
  readonly trash: string;
  readonly damaged: string;
  readonly index: string;
  /** This process. */
  readonly self: Owner;
  /** Called with each damage that was found and set aside. */
  readonly warn: (message: string) => void;
}

const formatVersion = 1;
const formatLimit = 64 * 1024;
const formatFile = "pulley.json";
const layoutFile = "oci-layout";

/** What an empty folder may have in it: the mount point of a disk, and what a killed process left of the first file. */
const ignorable = /^(?:lost\+found|pulley\.json\.[0-9a-f]+\.tmp)$/;

/** Opens the folder of a store, and makes it where there is none. @throws PulleyError `STORE_INVALID` if the folder is not a store */
export async function openStorePaths(root: string, warn: StorePaths["warn"]): Promise<StorePaths> {
  const paths = storePathsAt(root, warn);
  await mkdir(root, { recursive: true, mode: 0o700 });
  const format = await readSmall(join(root, formatFile), formatLimit);
  if (format === undefined) await claim(root);
  else checkFormat(root, format);
  const folders = [paths.records, paths.confirmed, paths.leases, paths.ingest, paths.trash, paths.damaged, paths.blobs];
  await Promise.all(folders.map(requireFolder));
  await requireFolder(join(paths.blobs, "sha256"));
  if ((await fileStatus(join(root, layoutFile))) === undefined) {
    await replaceFile(paths, join(root, layoutFile), Buffer.from('{"imageLayoutVersion":"1.0.0"}'), true);
    await syncDirectory(root);
  }
  return paths;
}

function storePathsAt(root: string, warn: StorePaths["warn"]): StorePaths {
  return {
    root,
    blobs: join(root, "blobs"),
    records: join(root, "records"),
    confirmed: join(root, "confirmed"),
    leases: join(root, "leases"),
    ingest: join(root, "ingest"),
    trash: join(root, "trash"),
    damaged: join(root, "damaged"),
    index: join(root, "index.json"),
    self: thisOwner(),
    warn,
  };
}

export function blobFolder(paths: StorePaths, digest: Digest): string {
  return join(paths.blobs, digestAlgorithm(digest));
}

export function blobPath(paths: StorePaths, digest: Digest): string {
  return join(blobFolder(paths, digest), digestHex(digest));
}

/** A path for a file that is not whole yet; its name says whose it is. */
export function temporaryPath(paths: StorePaths): string {
  return join(paths.ingest, `${formatOwner(paths.self)}.${randomName()}.tmp`);
}

/**
 * Replaces a file in one step: others see the old content or the new. With `durable` that holds after a power cut too,
 * once the folder has been synced.
 */
export async function replaceFile(paths: StorePaths, path: string, bytes: Uint8Array, durable: boolean): Promise<void> {
  const temporary = temporaryPath(paths);
  await writeNew(temporary, bytes, durable);
  await rename(temporary, path);
}

/** Makes an empty folder a store. `pulley.json` comes first, and at once: from then on the folder is ours, whole or not. */
async function claim(root: string): Promise<void> {
  const there = (await readdir(root)).filter((name) => !ignorable.test(name));
  if (there.includes(formatFile)) {
    // Another process was faster; or what has this name is no file, and reads as an empty one here.
    checkFormat(root, (await readSmall(join(root, formatFile), formatLimit)) ?? Buffer.alloc(0));
    return;
  }
  if (there.length > 0) throw notAStore(root, there);
  await chmod(root, 0o700);
  const temporary = join(root, `${formatFile}.${randomName()}.tmp`);
  await writeNew(temporary, Buffer.from(`{"formatVersion":${formatVersion}}\n`), true);
  await rename(temporary, join(root, formatFile));
  await syncDirectory(root);
}

function notAStore(root: string, there: readonly string[]): PulleyError {
  if (!there.includes(layoutFile)) {
    return new PulleyError("STORE_INVALID", `${root} is not empty and not a store of Pulley's`);
  }
  const advice = `Choose an empty folder with --root, and bring the images in with pulley load ${root}.`;
  return new PulleyError("STORE_INVALID", `${root} is an image layout that another program made`, { advice });
}

function checkFormat(root: string, bytes: Buffer): void {
  const version = readVersion(root, bytes);
  if (version <= formatVersion) return;
  const advice = "Use the newer version of Pulley that wrote it, or choose another folder with --root.";
  throw new PulleyError("STORE_INVALID", `${root} has format version ${version}; this version knows ${formatVersion}`, {
    advice,
  });
}

function readVersion(root: string, bytes: Buffer): number {
  try {
    const field = readJson(bytes, { name: formatFile, code: "STORE_INVALID", limit: formatLimit }).object(
      "formatVersion",
    );
    return field("formatVersion").integer(1, Number.MAX_SAFE_INTEGER);
  } catch (cause) {
    throw new PulleyError("STORE_INVALID", `${root} cannot be read: ${errorText(cause)}`, { cause });
  }
}
