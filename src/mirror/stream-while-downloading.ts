/**
 * Streams content while it is still being downloaded. A client that waited for a whole large layer would give up first
 * (containerd: when no byte has come for five minutes). What is sent is hashed as it is sent, and the last piece is held
 * back until both that and the download have turned out to be the content: wrong bytes can reach a client, as they can
 * from any registry, but never all of them, and never as an answer that came to its end.
 */
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import type { Descriptor } from "../image/index.ts";
import type { Receiving } from "../pull/index.ts";
import { partOf } from "../store/index.ts";
import { hasErrno } from "../support/errors.ts";
import { Verifier } from "../support/verifier.ts";

/** Bytes below which content is sent when all of it is here. */
const small = 4 * 1024 * 1024;
const chunkSize = 1024 * 1024;
/** Milliseconds: of bytes that come all at once, and then no more for a while, not every one is reported. */
const lookEvery = 100;

type Fetch = (report: (receiving: Receiving) => void) => Promise<void>;
type OpenStored = () => Promise<AsyncIterable<Buffer>>;

/** A download, as seen by a stream that follows it. */
interface Download {
  readonly landing: Promise<void>;
  readonly landed: () => boolean;
  readonly file: () => string | undefined;
  /** Resolves when there may be more to read. */
  change(): Promise<void>;
}

/**
 * @param fetch brings the content into the store, and tells of the file that it comes into
 * @throws whatever `fetch` throws before any content has come
 */
export async function streamWhileDownloading(
  descriptor: Descriptor,
  fetch: Fetch,
  stored: OpenStored,
): Promise<AsyncIterable<Buffer>> {
  const download = begin(fetch);
  if (descriptor.size > small) while (download.file() === undefined && !download.landed()) await download.change();
  else await download.landing;
  if (!download.landed()) return streamDownload(descriptor, download, stored);
  await download.landing;
  return stored();
}

function begin(fetch: Fetch): Download {
  let file: string | undefined;
  let landed = false;
  let wake = () => {};
  let changed = new Promise<void>((resolve) => {
    wake = resolve;
  });
  const notify = () => {
    wake();
    changed = new Promise((resolve) => {
      wake = resolve;
    });
  };
  const landing = fetch(({ path, received }) => {
    // The file of which nothing is there yet may not be there either.
    if (received > 0) file = path;
    notify();
  }).finally(() => {
    landed = true;
    notify();
  });
  // Streams that follow fail too; those that have ended need not.
  landing.catch(() => undefined);
  return { landing, landed: () => landed, file: () => file, change: () => changed };
}

async function* streamDownload(
  descriptor: Descriptor,
  download: Download,
  stored: OpenStored,
): AsyncGenerator<Buffer, void> {
  const verifier = new Verifier(descriptor);
  const reader = createReader(download);
  let held: Buffer | undefined;
  try {
    while (!verifier.complete) {
      // Taken before the file is read, so that no progress in between is missed.
      const [landed, changed] = [download.landed(), download.change()];
      const piece = await reader.read(verifier.received, descriptor.size);
      if (piece === undefined && landed) break;
      if (piece === undefined) {
        await Promise.race([changed, delay(lookEvery, undefined, { ref: false })]);
        continue;
      }
      verifier.update(piece);
      if (held !== undefined) yield held;
      held = piece;
    }
    await download.landing;
    // The download may have begun a new file at the last moment; then the store has the content by now.
    const rest = { first: verifier.received, last: descriptor.size - 1 };
    for await (const piece of verifier.complete ? [] : partOf(await stored(), rest)) {
      verifier.update(piece);
      if (held !== undefined) yield held;
      held = piece;
    }
    verifier.finish();
    if (held !== undefined) yield held;
  } finally {
    await reader.close();
  }
}

/** Reads from the current file of the download: a download that is restarted may use a new one. */
function createReader({ file }: Download) {
  let opened: { readonly path: string; readonly handle: FileHandle } | undefined;

  async function current(): Promise<FileHandle | undefined> {
    const path = file();
    if (path === undefined || path === opened?.path) return opened?.handle;
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch((error: unknown) => {
      // It was verified meanwhile, and moved into the store.
      if (hasErrno(error, "ENOENT")) return undefined;
      throw error;
    });
    if (handle === undefined) return opened?.handle;
    await opened?.handle.close();
    opened = { path, handle };
    return handle;
  }

  return {
    read: async (at: number, size: number): Promise<Buffer | undefined> => {
      const handle = await current();
      const piece = Buffer.allocUnsafe(Math.min(chunkSize, size - at));
      const { bytesRead } = (await handle?.read(piece, 0, piece.length, at)) ?? { bytesRead: 0 };
      return bytesRead === 0 ? undefined : piece.subarray(0, bytesRead);
    },
    close: async () => opened?.handle.close(),
  };
}
