/**
 * What repositories have shown, for the time until it belongs to an image: a pull that is killed, or fails on its last
 * layer, is gone on with by another process, which has to know whose the other layers are. A file for each repository,
 * to which each digest is added as a line; forgotten after a week, as what was received is.
 */
import { createHash } from "node:crypto";
import { appendFile, mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Digest, isDigest, type Repository } from "../image/index.ts";

export interface ProofFiles {
  read(repository: Repository): Promise<ReadonlySet<Digest>>;
  add(repository: Repository, digest: Digest): Promise<void>;
}

/** Milliseconds: a week. */
const stale = 7 * 24 * 3600 * 1000;
/** Bytes of a file: of more than that, which are some 10 000 digests, nothing is kept. */
const largest = 1024 * 1024;

/** @param folder made when there is something to write; what cannot be read or written is fetched again, and nothing worse */
export function openProofFiles(folder: string): ProofFiles {
  let swept: Promise<void> | undefined;
  const pathOf = ({ name }: Repository) => join(folder, createHash("sha256").update(name).digest("hex"));

  async function sweep(): Promise<void> {
    for (const name of await readdir(folder).catch(() => [])) {
      const path = join(folder, name);
      const found = await stat(path).catch(() => undefined);
      const old = found !== undefined && (Date.now() - found.mtimeMs > stale || found.size > largest);
      if (old) await rm(path, { force: true });
    }
  }

  return {
    read: async (repository) => {
      swept ??= sweep().catch(() => undefined);
      await swept;
      const path = pathOf(repository);
      const found = await stat(path).catch(() => undefined);
      if (found === undefined || !found.isFile() || found.size > largest) return new Set();
      const lines = (await readFile(path, "utf8").catch(() => "")).split("\n");
      // A line that was cut off, as it was written when the machine went down, is none.
      return new Set(lines.filter(isDigest));
    },
    add: async (repository, digest) => {
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await appendFile(pathOf(repository), `\n${digest}\n`, { mode: 0o600 });
      } catch {
        // A full disk is told of where content is written.
      }
    },
  };
}
