/**
 * Content while it is being received: `ingest/<algorithm>-<hex>-<size>-<whose>/<owner>.<random>.part`, private to one call,
 * so that two processes that fetch the same content do not write into one file. What a dead process had received is taken
 * over by renaming it: of several that try, one gets it, and the others begin from nothing. Whoever comes for a digest with
 * another size, or for another repository, gets, and can spoil, nothing of it, and cannot tell that it is there.
 */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { open, readdir, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { hasErrno, PulleyError } from "../support/errors.ts";
import { formatOwner, isLeftBehind, type Owner, parseOwner } from "../support/owner.ts";
import {
  fileStatus,
  flatName,
  guarded,
  ifPresent,
  moveFile,
  randomName,
  removeFile,
  requireFolder,
  writeNew,
} from "./files.ts";
import type { Ingest } from "./image-store.ts";
import type { Content } from "./stored-record.ts";

/** Milliseconds after which bytes of an abandoned download are deleted: a week. */
const stale = 7 * 24 * 3600 * 1000;

/** In place of an owner: left by a living process for the next attempt. */
const kept = "kept";

/** Where content is received, and by whom. */
export interface IngestFolder {
  /** Of the store, for messages. */
  readonly root: string;
  /** The folder that holds what is being received. */
  readonly ingest: string;
  /** This process. */
  readonly self: Owner;
}

/** Makes a whole, verified file the content of a digest; the file is not there under this path any more then. */
export type PlaceContent = (path: string, content: Content) => Promise<void>;

interface PartialFile {
  readonly path: string;
  readonly size: number;
  readonly modifiedAt: number;
}

/** @param scope whose bytes it may go on with: see `Lease.ingest` */
export async function beginIngest(
  where: IngestFolder,
  place: PlaceContent,
  content: Content,
  scope: string,
): Promise<Ingest> {
  const folder = partsFolder(where, content, scope);
  const path = join(folder, `${formatOwner(where.self)}.${randomName()}.part`);
  await requireFolder(folder);
  const received = await adopt(where, folder, path, content.size);
  if (received === undefined) await createIn(folder, path);
  return new PartFile(where, place, content, folder, path, received ?? 0);
}

/** Deletes abandoned downloads, and incomplete files of dead processes. */
export async function sweepIngest(where: IngestFolder): Promise<void> {
  for (const name of await readdir(where.ingest)) {
    const path = join(where.ingest, name);
    if (name.endsWith(".tmp")) {
      const owner = parseOwner(name.split(".")[0] ?? "");
      const look = owner && (await fileStatus(path));
      if (look && isLeftBehind(owner, look.modifiedAt, where.self, Date.now())) await removeFile(path);
    } else if ((await fileStatus(path))?.isFolder) {
      const parts = await leftParts(where, path);
      for (const part of parts) if (Date.now() - part.modifiedAt > stale) await removeFile(part.path);
      await removeFolder(path);
    }
  }
}

/** Leaves a file, complete or not, for the next download of its content from the same repository. */
export async function leavePart(path: string): Promise<void> {
  await moveFile(path, join(dirname(path), `${kept}.${randomName()}.part`));
}

/** Deletes what was left of some content for a repository. */
export async function dropParts(where: IngestFolder, content: Content, scope: string): Promise<void> {
  const folder = partsFolder(where, content, scope);
  for (const part of await leftParts(where, folder)) await removeFile(part.path);
  await removeFolder(folder);
}

function partsFolder(where: IngestFolder, { digest, size }: Content, scope: string): string {
  const whose = scope === "" ? "" : `-${createHash("sha256").update(scope).digest("hex").slice(0, 32)}`;
  return join(where.ingest, `${flatName(digest)}-${size}${whose}`);
}

class PartFile implements Ingest {
  readonly path: string;
  readonly received: number;
  readonly #where: IngestFolder;
  readonly #place: PlaceContent;
  readonly #content: Content;
  readonly #folder: string;
  #ended = false;

  constructor(
    where: IngestFolder,
    place: PlaceContent,
    content: Content,
    folder: string,
    path: string,
    received: number,
  ) {
    this.#where = where;
    this.#place = place;
    this.#content = content;
    this.#folder = folder;
    this.path = path;
    this.received = received;
  }

  /** Durable in its bytes; its name becomes so when the image is published. */
  commit(): Promise<void> {
    return guarded(this.#where.root, async () => {
      await this.#sync();
      await this.#place(this.path, this.#content);
      this.#ended = true;
      await removeFolder(this.#folder);
    });
  }

  abandon(bytes: "keep" | "discard"): Promise<void> {
    return guarded(this.#where.root, async () => {
      if (this.#ended) return;
      this.#ended = true;
      const empty = (await fileStatus(this.path))?.size === 0;
      if (bytes === "keep" && !empty) await moveFile(this.path, join(this.#folder, `${kept}.${randomName()}.part`));
      else await removeFile(this.path);
      await removeFolder(this.#folder);
    });
  }

  /** Cheap where the writer has synced the file already. */
  async #sync(): Promise<void> {
    const { digest, size } = this.#content;
    const file = await open(this.path, constants.O_RDWR | constants.O_NOFOLLOW);
    try {
      const found = await file.stat();
      if (found.size !== size) {
        throw new PulleyError("SIZE_MISMATCH", `expected ${size} bytes for ${digest}, received ${found.size}`);
      }
      await file.datasync();
    } finally {
      await file.close();
    }
  }
}

/** Takes over the most that was left, and deletes the rest of it. Returns the bytes, or `undefined` if there is nothing. */
async function adopt(where: IngestFolder, folder: string, path: string, size: number): Promise<number | undefined> {
  const parts = await leftParts(where, folder);
  const usable = parts.filter((part) => part.size <= size).sort((one, other) => other.size - one.size);
  for (const part of usable) {
    if (!(await moveFile(part.path, path))) continue;
    for (const other of parts) if (other !== part) await removeFile(other.path);
    return part.size;
  }
  return undefined;
}

/** Parts that no living process writes to. */
async function leftParts(where: IngestFolder, folder: string): Promise<PartialFile[]> {
  const parts: PartialFile[] = [];
  for (const name of (await ifPresent(readdir(folder))) ?? []) {
    const path = join(folder, name);
    const look = await fileStatus(path);
    const first = name.split(".")[0] ?? "";
    const owner = parseOwner(first);
    if (!name.endsWith(".part") || !look?.isFile) continue;
    const left = owner === undefined ? first === kept : isLeftBehind(owner, look.modifiedAt, where.self, Date.now());
    if (left) parts.push({ path, size: look.size, modifiedAt: look.modifiedAt });
  }
  return parts;
}

/** Another process may remove the folder, as it finds it empty, before there is a file in it. */
async function createIn(folder: string, path: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await writeNew(path, new Uint8Array(), false);
    } catch (error) {
      if (!hasErrno(error, "ENOENT") || attempt === 100) throw error;
      await requireFolder(folder);
    }
  }
}

/** If it is empty. */
async function removeFolder(path: string): Promise<void> {
  await rmdir(path).catch((error: unknown) => {
    if (!hasErrno(error, "ENOENT", "ENOTEMPTY", "EEXIST")) throw error;
  });
}
