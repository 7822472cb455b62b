import { Header, type HeaderData, Pax } from "tar";
import { PulleyError } from "../../support/errors.ts";

/** A regular file of a tar that is being written. */
export interface TarFile {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly content: AsyncIterable<Buffer> | Iterable<Buffer>;
}

const block = 512;
/** Bytes; a name of one hundred has no end mark, which some readers miss. */
const longestName = 99;

/**
 * A tar of regular files, each folder before what is in it: programs that find none make it themselves, and some want to
 * give it to root, which only root can. The same files give the same bytes: nothing of the machine, the user or the time
 * is in it.
 * @throws PulleyError `BLOB_DAMAGED` if a file has another number of bytes than was said of it
 */
export async function* formatTar(files: Iterable<TarFile>): AsyncIterable<Buffer> {
  const folders = new Set<string>();
  for (const { path, size, content } of files) {
    for (const folder of foldersOf(path)) {
      if (!folders.has(folder)) yield formatHeader(folder, 0, "Directory");
      folders.add(folder);
    }
    yield formatHeader(path, size);
    let written = 0;
    for await (const chunk of content) {
      written += chunk.length;
      if (written > size) throw wrongSize(path, size, "more");
      yield chunk;
    }
    if (written !== size) throw wrongSize(path, size, `only ${written}`);
    yield Buffer.alloc((block - (size % block)) % block);
  }
  yield Buffer.alloc(2 * block);
}

/** `a/` and `a/b/` for `a/b/c`. */
function foldersOf(path: string): readonly string[] {
  return [...path.matchAll(/\//g)].map(({ index }) => path.slice(0, index + 1));
}

function wrongSize(path: string, size: number, found: string): PulleyError {
  return new PulleyError(
    "BLOB_DAMAGED",
    `${path} should have ${size} bytes, and has ${found}: the archive is not whole`,
  );
}

/**
 * A header says names of up to 100 characters and sizes below 8 GiB. Before one that cannot say what it should, an
 * extended header says it: pax's (POSIX.1-2001), which every program reads that reads images.
 */
export function formatHeader(path: string, size: number, type: "File" | "Directory" = "File"): Buffer {
  const mode = type === "File" ? 0o644 : 0o755;
  const common: HeaderData = { path, size, mode, uid: 0, gid: 0, mtime: new Date(0) };
  const bytes = Buffer.alloc(block);
  // What is longer is not cut in two either, as ustar has it: the library begins some of those names with "./".
  const fits = Buffer.byteLength(path) <= longestName;
  const short = fits ? path : Buffer.from(path).subarray(0, longestName).toString();
  const tooMuch = new Header({ ...common, path: short, type }).encode(bytes) || !fits;
  return tooMuch ? Buffer.concat([new Pax(common).encode(), bytes]) : bytes;
}
