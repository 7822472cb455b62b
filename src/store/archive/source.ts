import { PulleyError } from "../../support/errors.ts";
import { quote } from "../../support/go.ts";

/** Where an image is loaded from: a tar, or a folder. */
export interface ArchiveSource {
  /**
   * A regular file. Links within a tar are followed: the file then has another path than was asked for.
   * @throws PulleyError `ARCHIVE_INVALID` for a link that leads out or nowhere
   */
  find(path: string): Promise<ArchiveFile | undefined>;
  close(): Promise<void>;
}

export interface ArchiveFile {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Where it lies: files are read fastest in ascending order. */
  readonly position: number;
  /** All its bytes, once; fails if there are fewer than its size. */
  chunks(): AsyncIterable<Buffer>;
  /** Its first bytes. */
  start(length: number): Promise<Buffer>;
}

/** @throws PulleyError `ARCHIVE_INVALID` if it is missing */
export async function requireFile(source: ArchiveSource, path: string, wantedBy: string): Promise<ArchiveFile> {
  const file = await source.find(path);
  if (file === undefined) throw invalid(`${quote(path)} is missing, which ${wantedBy} names`);
  return file;
}

/** The bytes of a file that must be small. @throws PulleyError `ARCHIVE_INVALID` */
export async function readSmall(file: ArchiveFile, limit: number): Promise<Buffer> {
  if (file.size > limit) {
    throw invalid(`${quote(file.path)} has ${file.size} bytes, more than the ${limit} that it may have`);
  }
  const chunks: Buffer[] = [];
  for await (const chunk of file.chunks()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The caller adds which archive it is. */
export function invalid(problem: string): PulleyError {
  return new PulleyError("ARCHIVE_INVALID", problem);
}

/** One spelling for each path within an archive; `undefined` if it leads out of it. */
export function innerPath(path: string): string | undefined {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  const sound = parts.length > 0 && !path.startsWith("/") && !path.includes("\0") && !parts.includes("..");
  return sound ? parts.join("/") : undefined;
}

/** Where a link leads, seen from the path that it has; `undefined` if that is outside of the archive. */
export function linkTarget(path: string, target: string): string | undefined {
  if (target.startsWith("/")) return undefined;
  const parts = path.split("/").slice(0, -1);
  for (const part of target.split("/")) {
    if (part === "..") {
      if (parts.pop() === undefined) return undefined;
    } else if (part !== "" && part !== ".") parts.push(part);
  }
  return innerPath(parts.join("/"));
}
