/**
 * Leases on disk: a file for each, named after its owner, a line for each digest that must not be collected. Lines are
 * only ever added, and a line counts from its line feed on: who wrote it did not look for the content before.
 */
import type { FileHandle } from "node:fs/promises";
import { open, readdir, utimes } from "node:fs/promises";
import { join } from "node:path";
import { type Digest, isDigest } from "../../image/index.ts";
import { expiry, formatOwner, isLeftBehind, parseOwner } from "../../support/owner.ts";
import { fileStatus, randomName, readSmall, removeFile } from "../files.ts";
import type { StorePaths } from "./paths.ts";

/** Bytes; more than the content of a few hundred of the largest images. */
const leaseLimit = 16 * 1024 * 1024;

/** Content that living leases protect. Removes what dead owners left. */
export async function leasedDigests(paths: StorePaths): Promise<Set<Digest>> {
  const digests = new Set<Digest>();
  for (const name of await readdir(paths.leases)) {
    const path = join(paths.leases, name);
    const look = await fileStatus(path);
    const owner = parseOwner(name.split(".")[0] ?? "");
    if (look === undefined || owner === undefined) continue;
    if (isLeftBehind(owner, look.modifiedAt, paths.self, Date.now())) {
      await removeFile(path);
      continue;
    }
    const text = (await readSmall(path, leaseLimit))?.toString("latin1") ?? "";
    for (const line of text.slice(0, text.lastIndexOf("\n") + 1).split("\n")) if (isDigest(line)) digests.add(line);
  }
  return digests;
}

/** The file of one lease of this process. */
export class LeaseFile {
  readonly #path: string;
  readonly #digests = new Set<Digest>();
  readonly #timer: NodeJS.Timeout;
  #file: FileHandle;

  /** Others that cannot ask after this process see by the file's age that it is still there. */
  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
    this.#timer = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => undefined), expiry / 10);
    this.#timer.unref();
  }

  static async create(paths: StorePaths): Promise<LeaseFile> {
    const path = join(paths.leases, `${formatOwner(paths.self)}.${randomName()}`);
    return new LeaseFile(path, await open(path, "ax", 0o600));
  }

  /** From when this returns, the content stays where it is, if it is there. */
  async add(digests: readonly Digest[]): Promise<void> {
    const fresh = digests.filter((digest) => !this.#digests.has(digest));
    if (fresh.length > 0) await this.#file.appendFile(linesOf(fresh));
    for (const digest of fresh) this.#digests.add(digest);
    if ((await this.#file.stat()).nlink === 0) await this.#renew();
  }

  /** Somebody took this process for dead, as after a long sleep of the machine. */
  async #renew(): Promise<void> {
    const old = this.#file;
    this.#file = await open(this.#path, "a", 0o600);
    await this.#file.appendFile(linesOf(this.#digests));
    await old.close();
  }

  async remove(): Promise<void> {
    clearInterval(this.#timer);
    await this.#file.close();
    await removeFile(this.#path);
  }
}

function linesOf(digests: Iterable<Digest>): string {
  return [...digests].map((digest) => `${digest}\n`).join("");
}
