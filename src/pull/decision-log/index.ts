/**
 * What a node decided, in files that only grow: `decisions/decisions.jsonl` below the root, and the one before it. For
 * those who want to know what another policy would have decided.
 */
import { mkdir, open, rename } from "node:fs/promises";
import { join } from "node:path";
import { errorText, PulleyError } from "../../support/errors.ts";
import { encodeRecord } from "./format.ts";
import type { DecisionRecord } from "./types.ts";

export interface DecisionLog {
  /** Takes a record in; it is written in the background, and what cannot be written is lost. */
  append(record: DecisionRecord): void;
  /** Resolves when all that was taken in has been written, or could not be. */
  flush(): Promise<void>;
}

export interface DecisionLogOptions {
  /** Most bytes of both files together. Default 64 MiB. */
  readonly limit?: number;
  /** Called with the first of several failures to write in a row. */
  readonly onFailure?: (failure: PulleyError) => void;
}

/** Bytes of records that wait to be written: what comes beyond them, while a disk does not answer, is lost. */
const mostWaiting = 8 * 1024 * 1024;

/** The files, the older one first. @param root the node's root folder */
export function logFiles(root: string): readonly [older: string, current: string] {
  const folder = join(root, "decisions");
  return [join(folder, "decisions.1.jsonl"), join(folder, "decisions.jsonl")];
}

/**
 * Records that come while others are being written go out together, with one write. They survive the end of the process
 * as soon as they are written, though not that of the machine: nothing is waited for.
 * @param root the node's root folder
 */
export function openDecisionLog(root: string, options: DecisionLogOptions = {}): DecisionLog {
  const { limit = 64 * 1024 * 1024, onFailure } = options;
  const [older, current] = logFiles(root);
  let waiting: string[] = [];
  let waitingLength = 0;
  let writing: Promise<void> | undefined;
  let failing = false;

  /** Begins a turn later, so that the records of one turn are written together. */
  async function writeAll(): Promise<void> {
    await Promise.resolve();
    while (waiting.length > 0) {
      const lines = waiting;
      waiting = [];
      waitingLength = 0;
      try {
        await appendLines(lines, { older, current, limit: limit / 2 });
        failing = false;
      } catch (error) {
        if (!failing) onFailure?.(new PulleyError("STORE_FAILED", `${current}: ${errorText(error)}`, { cause: error }));
        failing = true;
      }
    }
    // At once, and not when somebody hears of the end: what comes in between must begin anew.
    writing = undefined;
  }

  return {
    append: (record) => {
      const line = encodeRecord(record);
      if (waitingLength + line.length > mostWaiting) return;
      waiting.push(line);
      waitingLength += line.length;
      writing ??= writeAll();
    },
    flush: async () => writing,
  };
}

interface Files {
  readonly older: string;
  readonly current: string;
  /** Most bytes of each. */
  readonly limit: number;
}

/** Opens the file anew each time: another process may have put it aside. */
async function appendLines(lines: readonly string[], { older, current, limit }: Files): Promise<void> {
  const bytes = Buffer.from(`${lines.join("\n")}\n`);
  await mkdir(join(current, ".."), { recursive: true, mode: 0o700 });
  const { size, whole } = await endOf(current);
  if (size > 0 && size + bytes.length > limit) await rename(current, older);
  const file = await open(current, "a", 0o600);
  try {
    // What a process that was killed began to write must not run into the next record.
    await file.appendFile(whole || size === 0 ? bytes : Buffer.concat([Buffer.from("\n"), bytes]));
  } finally {
    await file.close();
  }
}

/** How long the file is, and whether its last line is whole. */
async function endOf(path: string): Promise<{ readonly size: number; readonly whole: boolean }> {
  const file = await open(path, "a+", 0o600);
  try {
    const { size } = await file.stat();
    if (size === 0) return { size, whole: true };
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
    return { size, whole: buffer[0] === 0x0a };
  } finally {
    await file.close();
  }
}
