import { randomUUID } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import type { Writable } from "node:stream";
import { errorText, hasErrno, PulleyError } from "../../support/errors.ts";

/**
 * Writes to a stream, which stays open, or to a file, which appears under its path only when it is whole and durable.
 * @throws PulleyError `OUTPUT_UNWRITABLE`, `DISK_FULL`
 */
export async function writeTo(destination: string | Writable, chunks: AsyncIterable<Buffer>): Promise<void> {
  if (typeof destination !== "string") return writeStream(destination, chunks);
  const temporary = `${destination}.${randomUUID()}.partial`;
  try {
    await writeFile(temporary, chunks);
    await attempt(destination, rename(temporary, destination));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function writeFile(path: string, chunks: AsyncIterable<Buffer>): Promise<void> {
  const file = await attempt(path, open(path, "wx"));
  try {
    for await (const chunk of chunks) await attempt(path, file.appendFile(chunk));
    await attempt(path, file.sync());
  } finally {
    await file.close();
  }
}

async function writeStream(stream: Writable, chunks: AsyncIterable<Buffer>): Promise<void> {
  // Without a listener of its own a stream's failure would end the process before the write's callback reports it.
  const reported = () => undefined;
  stream.on("error", reported);
  try {
    for await (const chunk of chunks) await attempt("the output", writeChunk(stream, chunk));
  } finally {
    stream.off("error", reported);
  }
}

function writeChunk(stream: Writable, chunk: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(chunk, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

function attempt<Result>(place: string, writing: Promise<Result>): Promise<Result> {
  return writing.catch((cause: unknown) => {
    const code = hasErrno(cause, "ENOSPC", "EDQUOT") ? "DISK_FULL" : "OUTPUT_UNWRITABLE";
    throw new PulleyError(code, `${place}: ${errorText(cause)}`, { cause });
  });
}
