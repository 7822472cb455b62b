import { open } from "node:fs/promises";
import { Header, Pax } from "tar";
import { magicLength } from "../../support/decompress.ts";
import { errorText, PulleyError } from "../../support/errors.ts";
import { quote } from "../../support/go.ts";
import { openReader, type RandomReader } from "./random-reader.ts";
import { type ArchiveFile, type ArchiveSource, innerPath, invalid, linkTarget } from "./source.ts";

const block = 512;
const chunkSize = 256 * 1024;
/** Bytes of an extended header: names, mostly. */
const largestExtension = 1024 * 1024;
const mostEntries = 200_000;
const mostLinks = 10;
/** Bytes of the files that are kept whole as a compressed archive's headers are read, each and together. */
const smallFile = 4 * 1024 * 1024;
const largestHeads = 64 * 1024 * 1024;

/**
 * A tar, plain, in gzip or in zstd. Only its headers are read at first; contents are read from where they lie, and nothing is
 * ever extracted.
 * @throws PulleyError `INPUT_UNREADABLE`, `ARCHIVE_INVALID`
 */
export async function openTar(path: string): Promise<ArchiveSource> {
  const file = await open(path, "r").catch((cause: unknown) => {
    throw new PulleyError("INPUT_UNREADABLE", `${path}: ${errorText(cause)}`, { cause });
  });
  try {
    const reader = await openReader(path, file);
    return new TarSource(reader, await readEntries(reader));
  } catch (error) {
    await file.close();
    throw error;
  }
}

interface FileEntry {
  readonly kind: "file";
  readonly position: number;
  readonly size: number;
  /** Its first bytes, as many as were kept: see {@link readHead}. */
  readonly head: Buffer;
}

type TarEntry =
  | FileEntry
  /** Its target is where it leads in the archive; `undefined` if that is outside. */
  | { readonly kind: "link"; readonly target: string | undefined };

class TarSource implements ArchiveSource {
  readonly #reader: RandomReader;
  readonly #entries: ReadonlyMap<string, TarEntry>;

  constructor(reader: RandomReader, entries: ReadonlyMap<string, TarEntry>) {
    this.#reader = reader;
    this.#entries = entries;
  }

  async find(path: string): Promise<ArchiveFile | undefined> {
    let at = innerPath(path);
    for (let links = 0; links <= mostLinks; links += 1) {
      if (at === undefined) throw invalid(`${quote(path)} leads out of the archive`);
      const entry = this.#entries.get(at);
      if (entry === undefined) {
        if (links > 0) throw invalid(`${quote(path)} is a link to ${quote(at)}, which is missing`);
        return undefined;
      }
      if (entry.kind === "file") return this.#file(at, entry);
      at = entry.target;
    }
    throw invalid(`${quote(path)} is a link that leads nowhere`);
  }

  close(): Promise<void> {
    return this.#reader.close();
  }

  #file(path: string, { position, size, head }: FileEntry): ArchiveFile {
    const reader = this.#reader;
    const cutOff = () => invalid(`ends in the middle of ${quote(path)}`);
    async function* chunks(): AsyncIterable<Buffer> {
      if (size > 0 && head.length === size) return yield head;
      for (let done = 0; done < size; done += chunkSize) {
        const wanted = Math.min(chunkSize, size - done);
        const chunk = await reader.read(position + done, wanted);
        if (chunk.length < wanted) throw cutOff();
        yield chunk;
      }
    }
    const start = async (length: number): Promise<Buffer> => {
      const wanted = Math.min(length, size);
      return head.length >= wanted ? head.subarray(0, wanted) : reader.read(position, wanted);
    };
    return { path, size, position, chunks, start };
  }
}

async function readEntries(reader: RandomReader): Promise<ReadonlyMap<string, TarEntry>> {
  const entries = new Map<string, TarEntry>();
  let extended: ExtendedHeader = {};
  let at = 0;
  let room = largestHeads;
  let header = await readHeader(reader, at, extended);
  if (header === undefined) throw invalid("is empty");
  while (header !== undefined) {
    const size = header.size ?? 0;
    if (!Number.isSafeInteger(size)) throw invalid(`has a header with an impossible size at byte ${at}`);
    const extension = await readExtension(reader, header, at + block, size);
    if (extension !== undefined) extended = { ...extended, ...extension };
    else {
      const head = await readHead(reader, at + block, size, room);
      room -= head.length;
      addEntry(entries, header, extended, { position: at + block, size, head });
      extended = {};
    }
    if (entries.size > mostEntries) throw invalid(`has more than ${mostEntries} entries`);
    at += block + Math.ceil(size / block) * block;
    header = await readHeader(reader, at, extended);
  }
  return entries;
}

/**
 * What is kept of a file as the headers are read. Of a compressed archive, documents and the beginnings of layers are
 * asked for in an order that is not the archive's; going back for each would mean to decompress everything again.
 */
async function readHead(reader: RandomReader, at: number, size: number, room: number): Promise<Buffer> {
  if (!reader.forwards) return Buffer.alloc(0);
  const wanted = size <= Math.min(smallFile, room) ? size : Math.min(size, magicLength);
  const head = await reader.read(at, wanted);
  return head.length < wanted ? Buffer.alloc(0) : Buffer.from(head);
}

/** What an extended header says of the entry behind it. */
interface ExtendedHeader {
  readonly path?: string;
  readonly linkpath?: string;
  readonly size?: number;
}

async function readHeader(reader: RandomReader, at: number, extended: ExtendedHeader): Promise<Header | undefined> {
  const bytes = await reader.read(at, block);
  if (bytes.length === 0) return undefined;
  if (bytes.length < block) throw invalid(at === 0 ? "is not a tar archive" : "ends in the middle of a header");
  const header = decodeHeader(bytes, extended);
  if (header?.nullBlock) return undefined;
  if (!header?.cksumValid) {
    throw invalid(at === 0 ? "is not a tar archive" : `has a damaged header at byte ${at}`);
  }
  return header;
}

/** `undefined` where a number is larger than JavaScript's integers. */
function decodeHeader(bytes: Buffer, extended: ExtendedHeader): Header | undefined {
  try {
    return new Header(bytes, 0, extended);
  } catch {
    return undefined;
  }
}

/** `undefined` for what is no extended header. A global one has nothing of the names and sizes that matter here. */
async function readExtension(
  reader: RandomReader,
  { type }: Header,
  at: number,
  size: number,
): Promise<ExtendedHeader | undefined> {
  const kinds = ["ExtendedHeader", "OldExtendedHeader", "GlobalExtendedHeader", "OldGnuLongPath"] as const;
  const gnuKinds = ["NextFileHasLongPath", "NextFileHasLongLinkpath"] as const;
  if (![...kinds, ...gnuKinds].some((kind) => kind === type)) return undefined;
  if (size > largestExtension) throw invalid(`has an extended header of ${size} bytes`);
  const bytes = await reader.read(at, size);
  if (bytes.length < size) throw invalid("ends in the middle of an extended header");
  const text = bytes.toString();
  switch (type) {
    case "GlobalExtendedHeader":
      return {};
    case "NextFileHasLongPath":
    case "OldGnuLongPath":
      return { path: beforeNul(text) };
    case "NextFileHasLongLinkpath":
      return { linkpath: beforeNul(text) };
    default:
      return definedOnly(Pax.parse(text));
  }
}

function beforeNul(text: string): string {
  return text.split("\0", 1)[0] ?? "";
}

function definedOnly({ path, linkpath, size }: ExtendedHeader): ExtendedHeader {
  return {
    ...(path === undefined ? {} : { path }),
    ...(linkpath === undefined ? {} : { linkpath }),
    ...(size === undefined ? {} : { size }),
  };
}

/** Of two entries with one path the later counts, as when a tar is extracted. Folders and devices do not matter. */
function addEntry(
  entries: Map<string, TarEntry>,
  header: Header,
  extended: ExtendedHeader,
  content: Omit<FileEntry, "kind">,
): void {
  const path = innerPath(extended.path ?? header.path ?? "");
  if (path === undefined) return;
  const target = extended.linkpath ?? header.linkpath ?? "";
  switch (header.type) {
    case "File":
    case "OldFile":
    case "ContiguousFile":
      entries.set(path, { kind: "file", ...content });
      return;
    case "SymbolicLink":
      entries.set(path, { kind: "link", target: linkTarget(path, target) });
      return;
    case "Link":
      entries.set(path, { kind: "link", target: innerPath(target) });
      return;
    default:
      entries.delete(path);
  }
}
