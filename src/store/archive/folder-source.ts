import { constants } from "node:fs";
import { lstat, open, realpath } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { errorText, PulleyError } from "../../support/errors.ts";
import { quote } from "../../support/go.ts";
import { type ArchiveFile, type ArchiveSource, innerPath, invalid } from "./source.ts";

const chunkSize = 256 * 1024;

/**
 * A folder that holds an OCI image layout, or what an archive of docker's unpacks to. Links are followed within it, as
 * docker has made them for layers that came before. @throws PulleyError `INPUT_UNREADABLE`
 */
export async function openFolder(path: string): Promise<ArchiveSource> {
  const root = await realpath(path).catch((cause: unknown) => {
    throw new PulleyError("INPUT_UNREADABLE", `${path}: ${errorText(cause)}`, { cause });
  });
  return { find: (inner) => findFile(root, inner), close: () => Promise.resolve() };
}

async function findFile(root: string, path: string): Promise<ArchiveFile | undefined> {
  const inner = innerPath(path);
  if (inner === undefined) throw invalid(`${quote(path)} leads out of the archive`);
  if ((await lstat(join(root, inner)).catch(() => undefined)) === undefined) return undefined;
  const full = await realpath(join(root, inner)).catch(() => undefined);
  const stats = full !== undefined && full.startsWith(root + sep) ? await lstat(full) : undefined;
  if (full === undefined || !stats?.isFile()) throw invalid(`${quote(path)} is not a regular file of the archive`);
  const found = relative(root, full);
  const { size } = stats;
  return {
    path: found,
    size,
    position: 0,
    chunks: () => readWhole(full, found, size),
    start: async (length) => {
      const file = await openNoFollow(full);
      try {
        const start = Buffer.alloc(Math.min(length, size));
        return start.subarray(0, (await file.read(start, 0, start.length, 0)).bytesRead);
      } finally {
        await file.close();
      }
    },
  };
}

async function* readWhole(full: string, path: string, size: number): AsyncIterable<Buffer> {
  const file = await openNoFollow(full);
  try {
    for (let received = 0; received < size; ) {
      const chunk = Buffer.allocUnsafe(Math.min(chunkSize, size - received));
      const { bytesRead } = await file.read(chunk, 0, chunk.length, received);
      if (bytesRead === 0) throw invalid(`${quote(path)} changed while it was read`);
      received += bytesRead;
      yield chunk.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

function openNoFollow(path: string) {
  return open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
}
