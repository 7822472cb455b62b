/** The progress of scrubbing, kept over restarts: `scrub.json` in the store's folder. */
import { join } from "node:path";
import { type Digest, readDigest } from "../image/index.ts";
import { readSmall } from "../store/index.ts";
import { putFile } from "../support/atomic-file.ts";
import { isPulleyError } from "../support/errors.ts";
import { readJson } from "../support/json-cursor.ts";

export interface ScrubProgress {
  /** When everything had been read last, in milliseconds since the epoch; `undefined`: never. */
  readonly finishedAt: number | undefined;
  /** The last content that was read in a pass that goes on; `undefined`: none is under way. */
  readonly after: Digest | undefined;
}

export interface ScrubMemory {
  load(): Promise<ScrubProgress>;
  save(progress: ScrubProgress): Promise<void>;
}

const limit = 64 * 1024;
/** Milliseconds: what a JavaScript date can be. */
const furthestTime = 8.64e15;

/** A file that cannot be read counts as absent; then the whole store is read again. */
export function scrubMemory(root: string): ScrubMemory {
  const path = join(root, "scrub.json");
  return {
    load: async () => {
      const bytes = await readSmall(path, limit);
      return (bytes && read(bytes)) ?? { finishedAt: undefined, after: undefined };
    },
    save: async (progress) => putFile(path, `${JSON.stringify(progress)}\n`),
  };
}

function read(bytes: Buffer): ScrubProgress | undefined {
  try {
    const field = readJson(bytes, { name: "scrub.json", code: "STORE_INVALID", limit }).object("finishedAt", "after");
    return {
      finishedAt: field("finishedAt").optional((time) => time.integer(0, furthestTime)),
      after: field("after").optional(readDigest),
    };
  } catch (error) {
    if (isPulleyError(error)) return undefined;
    throw error;
  }
}
