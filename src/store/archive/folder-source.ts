import { constants, createReadStream } from "node:fs";
import { lstat, open, realpath } from "node:fs/promises";
import { join } from "node:path";
import { errorText, PulleyError } from "../../support/errors.ts";
import { quote } from "../../support/go.ts";
import { type ArchiveFile, type ArchiveSource, innerPath, invalid } from "./source.ts";

const chunkSize = 256 * 1024;

/** The folder of an OCI image layout. Links are not followed. @throws PulleyError `INPUT_UNREADABLE` */
export async function openFolder(path: string): Promise<ArchiveSource> {
  const root = await realpath(path).catch((cause: unknown) => {
    throw new PulleyError("INPUT_UNREADABLE", `${path}: ${errorText(cause)}`, { cause });
  });
  return { find: (inner) => findFile(root, inner), close: () => Promise.resolve() };
}

async function findFile(root: string, path: string): Promise<ArchiveFile | undefined> {
  const inner = innerPath(path);
  if (inner === undefined) throw invalid(`${quote(path)} leads out of the archive`);
  const full = join(root, inner);
  const stats = await lstat(full).catch(() => undefined);
  if (stats === undefined) return undefined;
  if (!stats.isFile() || (await realpath(full)) !== full) throw invalid(`${quote(path)} is not a regular file`);
  const { size } = stats;
  return {
    path: inner,
    size,
    position: 0,
    chunks: () => readWhole(full, inner, size),
    start: async (length) => {
      const file = await openNoFollow(full);
      try {
        return (await file.read(Buffer.alloc(Math.min(length, size)), 0, Math.min(length, size), 0)).buffer;
      } finally {
        await file.close();
      }
    },
  };
}

async function* readWhole(full: string, path: string, size: number): AsyncIterable<Buffer> {
  const file = await openNoFollow(full);
  let received = 0;
  for await (const chunk of createReadStream(full, { fd: file, highWaterMark: chunkSize })) {
    if (!Buffer.isBuffer(chunk)) continue;
    received += chunk.length;
    yield chunk;
  }
  if (received !== size) throw invalid(`${quote(path)} changed while it was read`);
}

function openNoFollow(path: string) {
  return open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
}
