import { Header } from "tar";

/** A regular file of a tar that is being written. */
export interface TarFile {
  /** At most 100 characters. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly content: AsyncIterable<Buffer> | Iterable<Buffer>;
}

const block = 512;

/** A tar of regular files. The same files give the same bytes: nothing of the machine, the user or the time is in it. */
export async function* formatTar(files: Iterable<TarFile>): AsyncIterable<Buffer> {
  for (const { path, size, content } of files) {
    yield formatHeader(path, size);
    let written = 0;
    for await (const chunk of content) {
      written += chunk.length;
      yield chunk;
    }
    if (written !== size) throw new Error(`${path} has ${written} bytes, not ${size} as announced`);
    yield Buffer.alloc((block - (size % block)) % block);
  }
  yield Buffer.alloc(2 * block);
}

function formatHeader(path: string, size: number): Buffer {
  const header = new Header({ path, size, type: "File", mode: 0o644, uid: 0, gid: 0, mtime: new Date(0) });
  const bytes = Buffer.alloc(block);
  header.encode(bytes);
  return bytes;
}
