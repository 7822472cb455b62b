/**
 * Which repository has shown that it has which content. A digest is no secret, and whoever runs a registry can have it
 * answer that it has whatever is asked for: so what is on this machine is used for an image only after the image's own
 * repository has given those very bytes. containerd calls that `isolated` (`content_sharing_policy`), and the other way,
 * in which it is enough to name the digest, `shared`.
 */

import { createHash } from "node:crypto";
import { appendFile, mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Digest, isDigest, type Repository } from "../image/index.ts";
import type { ImageStore } from "../store/index.ts";
import { createRepositoryContents } from "./repository-contents.ts";

/** What one repository has shown. */
export interface RepositoryProofs {
  /** Whose downloads it may take part in, and go on with where they were broken off: those with the same word. */
  readonly scope: string;
  /** Whether what is here under the digest may be used for the repository. */
  has(digest: Digest): boolean;
  /** Notes that a source of the repository has just given the content itself, and that it was verified. */
  note(digest: Digest): Promise<void>;
}

export interface ContentProofs {
  /** What has been shown so far: by the images that the repository has here, and by what came for others that are not whole. */
  of(repository: Repository): Promise<RepositoryProofs>;
}

/** Whose content may be used for whom, in containerd's words (`content_sharing_policy`). */
export const contentSharings = ["isolated", "shared"] as const;

export type ContentSharing = (typeof contentSharings)[number];

/** Contents that are remembered until they belong to an image; the oldest goes first, and is fetched again. */
const mostRemembered = 50_000;

/** @param folder for what is to outlive the process; absent: nothing does */
export function createContentProofs(store: ImageStore, folder?: string): ContentProofs {
  const stored = createRepositoryContents(store);
  const files = folder === undefined ? undefined : openProofFiles(folder);
  const noted = new Set<string>();

  return {
    of: async (repository) => {
      const [recorded, kept] = await Promise.all([stored.contents(repository), files?.read(repository)]);
      const keyOf = (digest: Digest) => `${repository.name}@${digest}`;
      return {
        scope: repository.name,
        has: (digest) => recorded.has(digest) || noted.has(keyOf(digest)) || kept?.has(digest) === true,
        note: async (digest) => {
          const key = keyOf(digest);
          noted.delete(key);
          noted.add(key);
          const [oldest] = noted;
          if (noted.size > mostRemembered && oldest !== undefined) noted.delete(oldest);
          await files?.add(repository, digest);
        },
      };
    },
  };
}

/** Where a store's folder has what is kept. */
export function proofsFolder(root: string): string {
  return join(root, "content_proofs");
}

/** Takes whatever is here for everybody's who can name it. What is fetched is noted all the same. */
export function sharing({ of }: ContentProofs): ContentProofs {
  return {
    of: async (repository) => ({ ...(await of(repository)), scope: "", has: () => true }),
  };
}

// What repositories have shown, for the time until it belongs to an image: a pull that is killed, or fails on its last
// layer, is gone on with by another process, which has to know whose the other layers are. A file for each repository,
// to which each digest is added as a line; forgotten after a week, as what was received is.

interface ProofFiles {
  read(repository: Repository): Promise<ReadonlySet<Digest>>;
  add(repository: Repository, digest: Digest): Promise<void>;
}

/** Milliseconds: a week. */
const stale = 7 * 24 * 3600 * 1000;
/** Bytes of a file: of more than that, which are some 10 000 digests, nothing is kept. */
const largest = 1024 * 1024;

/** @param folder made when there is something to write; what cannot be read or written is fetched again, and nothing worse */
function openProofFiles(folder: string): ProofFiles {
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
