/** Small files of configuration, certificates and keys: read as a whole, never without end. */
import { closeSync, constants, fstatSync, openSync, readSync, statSync } from "node:fs";
import { PulleyError } from "./errors.ts";
import { expectFile } from "./input-file.ts";

/** Bytes: what people write by hand is shorter. */
export const longestConfigFile = 1024 * 1024;

/**
 * @throws PulleyError `INPUT_UNREADABLE` for a file that is too long, or none but a pipe, a device or a folder; otherwise what
 * the file system throws
 */
export function readConfigFile(path: string, limit = longestConfigFile): Buffer {
  expectFile(statSync(path), path);
  // Opening a pipe waits for its other end without O_NONBLOCK.
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const status = fstatSync(file);
    // It may have become another between the two looks.
    expectFile(status, path);
    if (status.size > limit) throw tooLong(path, `${status.size}`, limit);
    return readWhole(file, path, limit);
  } finally {
    closeSync(file);
  }
}

/** A file may grow meanwhile, and those below `/proc` say that they have no length. */
function readWhole(file: number, path: string, limit: number): Buffer {
  const pieces: Buffer[] = [];
  for (let length = 0; ; ) {
    const piece = Buffer.alloc(64 * 1024);
    const read = readSync(file, piece);
    if (read === 0) return Buffer.concat(pieces);
    length += read;
    if (length > limit) throw tooLong(path, `more than ${limit}`, limit);
    pieces.push(piece.subarray(0, read));
  }
}

function tooLong(path: string, size: string, limit: number): PulleyError {
  return new PulleyError("INPUT_UNREADABLE", `${path} has ${size} bytes, and may have ${limit}`, {
    advice: "Check that it is the file that is meant, and make it shorter.",
  });
}
