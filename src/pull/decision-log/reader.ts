import { errorText, hasErrno, PulleyError } from "../../support/errors.ts";
import { openInput } from "../../support/input-file.ts";
import { decodeRecord, longestLine } from "./format.ts";
import { logFiles } from "./index.ts";
import type { DecisionRecord } from "./types.ts";

/** One line of a log: a record, or what is wrong with it. */
export type LogEntry =
  | { readonly kind: "record"; readonly record: DecisionRecord }
  | {
      readonly kind: "unreadable";
      readonly file: string;
      /** From 1. */
      readonly line: number;
      readonly problem: string;
    };

/**
 * All that a node wrote down, the oldest first; nothing where it wrote nothing. Memory is needed for one line at a time.
 * @param root the node's root folder
 * @throws PulleyError `INPUT_UNREADABLE`
 */
export async function* readDecisions(root: string): AsyncGenerator<LogEntry> {
  for (const file of logFiles(root)) yield* readDecisionFile(file, true);
}

/**
 * The records of one file. A last line without its line break was being written when the process ended, and is left out.
 * @param optional whether the file need not be there
 * @throws PulleyError `INPUT_UNREADABLE`
 */
export async function* readDecisionFile(file: string, optional = false): AsyncGenerator<LogEntry> {
  let line = 0;
  try {
    for await (const text of lines(file)) {
      line += 1;
      yield entryOf(text, file, line);
    }
  } catch (error) {
    if (optional && hasErrno(error, "ENOENT")) return;
    if (!(error instanceof Error && "code" in error && "syscall" in error)) throw error;
    throw new PulleyError("INPUT_UNREADABLE", `${file}: ${errorText(error)}`, { cause: error });
  }
}

function entryOf(text: Buffer | "tooLong", file: string, line: number): LogEntry {
  if (text === "tooLong") {
    return { kind: "unreadable", file, line, problem: `more than the ${longestLine} bytes that a line may have` };
  }
  try {
    return { kind: "record", record: decodeRecord(text) };
  } catch (error) {
    return { kind: "unreadable", file, line, problem: errorText(error) };
  }
}

const lineBreak = 0x0a;

/** The lines that are ended, without their line breaks. */
async function* lines(file: string): AsyncGenerator<Buffer | "tooLong"> {
  const pieces: Buffer[] = [];
  let length = 0;
  const take = (piece: Buffer) => {
    length += piece.length;
    if (length > longestLine) pieces.length = 0;
    else pieces.push(piece);
  };
  for await (const chunk of (await openInput(file, { mayBePipe: true })).createReadStream()) {
    if (!Buffer.isBuffer(chunk)) continue;
    let start = 0;
    for (let end = chunk.indexOf(lineBreak); end >= 0; end = chunk.indexOf(lineBreak, start)) {
      take(chunk.subarray(start, end));
      yield length > longestLine ? "tooLong" : Buffer.concat(pieces);
      pieces.length = 0;
      length = 0;
      start = end + 1;
    }
    take(chunk.subarray(start));
  }
}
