/** The memory in a file, for commands that run shortly: `collection.json` in the store's folder. */
import { randomBytes } from "node:crypto";
import { readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { errorText, hasErrno, PulleyError } from "../support/errors.ts";
import { expectFile } from "../support/input-file.ts";
import { type JsonCursor, readJson } from "../support/json-cursor.ts";
import type { Histories, ImageHistory, ImageMemory } from "./memory.ts";

const formatVersion = 1;

/** Bytes; what a hundred thousand images take. */
const limit = 16 * 1024 * 1024;

/** Milliseconds: what a JavaScript date can be. */
const furthestTime = 8.64e15;

interface Remembered {
  readonly began: number;
  readonly images: Histories;
}

/**
 * Opens the memory in a folder. Several processes may have it open: what each has seen last stays, and an image is as
 * old as the first of them saw it.
 * @throws PulleyError `STORE_INVALID`, `STORE_FAILED`
 */
export async function fileMemory(root: string, now: number): Promise<ImageMemory> {
  const path = join(root, "collection.json");
  const began = (await read(path))?.began ?? now;
  return {
    began,
    load: async () => (await read(path))?.images ?? new Map(),
    save: async (images) => {
      const others = (await read(path))?.images ?? new Map<string, ImageHistory>();
      const merged = [...images].map(([id, history]) => [id, older(history, others.get(id))] as const);
      await replace(path, { began, images: new Map(merged) });
    },
  };
}

function older(one: ImageHistory, other: ImageHistory | undefined): ImageHistory {
  if (other === undefined) return one;
  const used = [one.lastUsed, other.lastUsed].filter((time) => time !== undefined);
  return {
    firstDetected: Math.min(one.firstDetected, other.firstDetected),
    lastUsed: used.length === 0 ? undefined : Math.max(...used),
  };
}

async function read(path: string): Promise<Remembered | undefined> {
  try {
    const stats = await stat(path);
    expectFile(stats, path);
    if (stats.size > limit) throw invalid(path, `more than ${limit} bytes`);
    const bytes = await readFile(path);
    const field = readJson(bytes, { name: "collection.json", code: "STORE_INVALID", limit }).object(
      ...(["formatVersion", "began", "images"] as const),
    );
    field("formatVersion").integer(1, formatVersion);
    const images = field("images");
    const entry = images.object(...images.keys());
    return {
      began: field("began").integer(0, furthestTime),
      images: new Map(images.keys().map((id) => [id, readHistory(entry(id))])),
    };
  } catch (error) {
    if (hasErrno(error, "ENOENT")) return undefined;
    if (error instanceof PulleyError) throw invalid(path, error.message);
    throw new PulleyError("STORE_FAILED", `${path}: ${errorText(error)}`, { cause: error });
  }
}

function readHistory(cursor: JsonCursor): ImageHistory {
  const field = cursor.object("firstDetected", "lastUsed");
  return {
    firstDetected: field("firstDetected").integer(0, furthestTime),
    lastUsed: field("lastUsed").optional((time) => time.integer(0, furthestTime)),
  };
}

async function replace(path: string, { began, images }: Remembered): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  const text = JSON.stringify({ formatVersion, began, images: Object.fromEntries(images) });
  try {
    await writeFile(temporary, `${text}\n`, { mode: 0o600, flag: "wx" });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw new PulleyError("STORE_FAILED", `${path}: ${errorText(error)}`, { cause: error });
  }
}

function invalid(path: string, problem: string): PulleyError {
  return new PulleyError("STORE_INVALID", `${path}: ${problem}`, {
    advice: "Delete the file: what is remembered of images begins anew.",
  });
}
