/** Pages of lists of tags in a folder, a file each. They are a help, not data: what is wrong with them is left aside. */
import { createHash } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  futimesSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { isTag } from "../image/index.ts";
import { putFile } from "../support/atomic-file.ts";
import { type Json, type JsonMembers, parseJson } from "../support/json.ts";
import { checkedValidators, largestPage, type StoredTagPage, type TagPages } from "./tag-pages.ts";

export interface TagPageLimits {
  /** Most files. Default 4 000. */
  readonly files?: number;
  /** Most bytes of all files together. Default 128 MiB. */
  readonly bytes?: number;
}

const access = { mode: 0o600, folderMode: 0o700 } as const;
const pageName = /^[0-9a-f]{64}\.json$/;
const temporaryName = /^\.pulley-[0-9a-f]{16}$/;
/** Milliseconds after which a file that is still being written is one that a killed process has left. */
const abandonedAfter = 60 * 60_000;

/**
 * A memory of pages in a folder that is this user's alone; it is made when there is something to keep. Where it cannot be
 * used, because it is somebody else's say, nothing is kept. Beyond the limits the pages that were used longest ago go.
 * @public until a command has a use for it
 */
export function openTagPages(folder: string, limits: TagPageLimits = {}): TagPages {
  return new TagPageFolder(folder, limits);
}

class TagPageFolder implements TagPages {
  readonly #folder: string;
  readonly #mostFiles: number;
  readonly #mostBytes: number;
  /** Sizes by name, those used longest ago first; absent until something is kept. */
  #sizes: Map<string, number> | undefined;

  constructor(folder: string, { files = 4_000, bytes = 128 * 1024 * 1024 }: TagPageLimits) {
    this.#folder = folder;
    this.#mostFiles = files;
    this.#mostBytes = bytes;
  }

  get(address: URL): StoredTagPage | undefined {
    try {
      if (!isOurFolder(this.#folder)) return undefined;
      const name = nameOf(address);
      const page = parsePage(readOwn(join(this.#folder, name)), address);
      const size = this.#sizes?.get(name);
      if (size !== undefined) this.#note(name, size);
      return page;
    } catch {
      return undefined;
    }
  }

  put(address: URL, { etag, lastModified, tags, next }: StoredTagPage): void {
    const text = JSON.stringify({ address: address.href, etag, lastModified, tags, next });
    const size = Buffer.byteLength(text);
    if (size > largestPage || size > this.#mostBytes) return;
    try {
      mkdirSync(this.#folder, { recursive: true, mode: access.folderMode });
      if (!isOurFolder(this.#folder)) return;
      this.#sizes ??= listPages(this.#folder);
      const name = nameOf(address);
      putFile(join(this.#folder, name), text, access);
      this.#note(name, size);
      this.#makeRoom();
    } catch {
      // The list is there, and can be asked for again.
    }
  }

  #note(name: string, size: number): void {
    this.#sizes?.delete(name);
    this.#sizes?.set(name, size);
  }

  #makeRoom(): void {
    const sizes = this.#sizes ?? new Map<string, number>();
    let bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
    for (const [name, size] of sizes) {
      if (sizes.size <= this.#mostFiles && bytes <= this.#mostBytes) return;
      rmSync(join(this.#folder, name), { force: true });
      sizes.delete(name);
      bytes -= size;
    }
  }
}

function nameOf(address: URL): string {
  const { origin, pathname, search } = address;
  return `${createHash("sha256").update(`${origin}${pathname}${search}`).digest("hex")}.json`;
}

function isOurs(uid: number): boolean {
  const own = process.getuid?.();
  return own === undefined || uid === own;
}

/** Whether nobody else could put a file there. */
function isOurFolder(folder: string): boolean {
  const stats = statSync(folder, { throwIfNoEntry: false });
  return (
    stats?.isDirectory() === true && isOurs(stats.uid) && (process.platform === "win32" || (stats.mode & 0o022) === 0)
  );
}

/** @throws for what is no file of ours, and for one that is too large */
function readOwn(path: string): Buffer {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | (constants.O_NOFOLLOW ?? 0));
  try {
    const stats = fstatSync(file);
    if (!stats.isFile() || !isOurs(stats.uid) || stats.size > largestPage) throw new Error("not a page of ours");
    const now = new Date();
    futimesSync(file, now, now);
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}

/** Removes what killed processes have left. */
function listPages(folder: string): Map<string, number> {
  const found: { readonly name: string; readonly size: number; readonly usedAt: number }[] = [];
  for (const name of readdirSync(folder)) {
    const stats = lstatSync(join(folder, name), { throwIfNoEntry: false });
    if (stats === undefined) continue;
    if (pageName.test(name)) found.push({ name, size: stats.size, usedAt: stats.mtimeMs });
    const isAbandoned = temporaryName.test(name) && Date.now() - stats.mtimeMs > abandonedAfter;
    if (isAbandoned) rmSync(join(folder, name), { force: true });
  }
  found.sort((one, other) => one.usedAt - other.usedAt);
  return new Map(found.map(({ name, size }) => [name, size]));
}

/** @throws PulleyError for anything but a page of this address, whole and in the form that `put` writes */
function parsePage(bytes: Buffer, address: URL): StoredTagPage | undefined {
  const document = parseJson(bytes, { name: "a page of tags", code: "INPUT_INVALID", limit: largestPage });
  if (!isMembers(document) || document.get("address") !== address.href) return undefined;
  const [tags, next] = [document.get("tags"), document.get("next")];
  const validators = checkedValidators(document.get("etag"), document.get("lastModified"));
  if (validators === undefined || !isTags(tags)) return undefined;
  if (next !== undefined && typeof next !== "string") return undefined;
  return { ...validators, tags, next };
}

function isMembers(value: Json): value is JsonMembers {
  return value instanceof Map;
}

function isTags(value: Json | undefined): value is readonly string[] {
  return Array.isArray(value) && value.every((tag) => typeof tag === "string" && isTag(tag));
}
