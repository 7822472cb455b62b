import type { FileHandle } from "node:fs/promises";
import { isPulleyError, PulleyError } from "../support/errors.ts";
import { longestConfigFile, openInput } from "../support/input-file.ts";

/**
 * Reads a file of logins, or a pipe that a shell has opened.
 * @throws PulleyError `CREDENTIALS_INVALID` if it is too large, or no file; otherwise what the file system throws
 */
export async function readSmallFile(path: string): Promise<Buffer> {
  const file = await openInput(path, { mayBePipe: true }).catch((error: unknown) => {
    throw isPulleyError(error) ? new PulleyError("CREDENTIALS_INVALID", error.message) : error;
  });
  try {
    return await readWhole(file, path);
  } finally {
    await file.close();
  }
}

async function readWhole(file: FileHandle, path: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let size = 0; size <= longestConfigFile; ) {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(64 * 1024) });
    if (bytesRead === 0) return Buffer.concat(chunks);
    chunks.push(buffer.subarray(0, bytesRead));
    size += bytesRead;
  }
  throw new PulleyError("CREDENTIALS_INVALID", `${path}: more than the ${longestConfigFile} bytes that it may have`);
}
