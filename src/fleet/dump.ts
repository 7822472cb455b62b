/**
 * Lists as `kubectl get … -o json` prints them, read object by object: memory is bounded by the largest object, however
 * long the list is. What comes from a live list goes the same way afterwards, into `createInventory`.
 */
import { plural } from "../support/format.ts";
import { jsonByte as code, isJsonSpace } from "../support/json-bytes.ts";
import type { Problem } from "../workload/index.ts";

/** One object of a list. */
export interface DumpedObject {
  readonly value: unknown;
  /** What the list says of its objects, where it stands before them: `Pod` for a `PodList`. */
  readonly impliedKind: string | undefined;
  readonly place: Place;
}

/** Counted from 1; the column in bytes. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface ReadDump {
  /** How many objects were read. */
  readonly objects: number;
  /** Where the file is damaged, if it is; nothing after that was read. */
  readonly problem: Problem | undefined;
}

/** Bytes of one object: etcd takes 1.5 MiB, and JSON with indentation is longer. */
const longestObject = 8 * 1024 * 1024;
/** Levels within an object; the deepest that clusters hold have about sixty. */
const deepest = 200;

class Damage extends Error {
  readonly place: Place;
  constructor(message: string, place: Place) {
    super(message);
    this.place = place;
  }
}

/**
 * Gives each object to `onObject` as it is read. The memory of a piece of `bytes` may be used again for the next one. A damaged or truncated file is a problem with its place; what was read
 * before counts. Several lists may follow one another. Throws what `bytes` or `onObject` throw.
 */
export async function readDump(
  bytes: AsyncIterable<Uint8Array>,
  file: string,
  onObject: (object: DumpedObject) => void,
): Promise<ReadDump> {
  const reader = new DumpReader(onObject);
  try {
    for await (const piece of bytes) reader.push(piece);
    reader.end();
    return { objects: reader.objects, problem: undefined };
  } catch (error) {
    if (!(error instanceof Damage)) throw error;
    const before =
      reader.objects === 0
        ? "nothing before it was read"
        : `before it, ${plural(reader.objects, "object")} could be read`;
    const problem = { source: { file, ...error.place }, message: `${error.message}; ${before}` };
    return { objects: reader.objects, problem };
  }
}

/** The byte order mark of UTF-8. */
const mark: readonly number[] = [0xef, 0xbb, 0xbf];

/** What is expected next; `first…` where the object or list may also end. */
type State = "document" | "firstKey" | "key" | "colon" | "value" | "afterValue" | "firstItem" | "item" | "afterItem";

const expected: Readonly<Record<State, string>> = {
  document: "a list as kubectl get -o json prints it, which begins with {",
  firstKey: "a key or }",
  key: "a key",
  colon: "a colon",
  value: "a value",
  afterValue: "a comma or }",
  firstItem: "an object or ]",
  item: "an object",
  afterItem: "a comma or ]",
};

class DumpReader {
  objects = 0;
  readonly #onObject: (object: DumpedObject) => void;
  readonly #utf8 = new TextDecoder("utf-8", { fatal: true });
  #state: State = "document";
  #documents = 0;
  #hasItems = false;
  #key = "";
  #kind: string | undefined;
  /** Bytes before the current piece, lines before its current byte, and where that line begins. */
  #before = 0;
  #line = 1;
  #lineStart = 0;
  /** The value that is being read, if any. */
  #value:
    | { readonly place: Place; readonly isScalar: boolean; readonly pieces: Uint8Array[]; length: number }
    | undefined;
  #depth = 0;
  #inString = false;
  #escaped = false;

  constructor(onObject: (object: DumpedObject) => void) {
    this.#onObject = onObject;
  }

  push(piece: Uint8Array): void {
    let at = 0;
    while (at < piece.length) at = this.#value === undefined ? this.#step(piece, at) : this.#readValue(piece, at);
    this.#before += piece.length;
  }

  end(): void {
    const place = this.#place(0);
    if (this.#value !== undefined) throw new Damage("the file ends here, in the middle of an object", place);
    if (this.#state !== "document")
      throw new Damage(`the file ends here, where ${expected[this.#state]} must be`, place);
    if (this.#documents === 0) throw new Damage(`${expected.document}, must be here, and there is nothing`, place);
  }

  /** Whether a byte is part of a byte order mark; that of UTF-16, as PowerShell writes files, is told of. */
  #isMark(byte: number, at: number): boolean {
    const offset = this.#before + at;
    if (offset === 0 && (byte === 0xff || byte === 0xfe)) {
      throw new Damage("the file is UTF-16; save it as UTF-8", this.#place(0));
    }
    return offset < mark.length && byte === mark[offset];
  }

  #place(at: number): Place {
    return { line: this.#line, column: this.#before + at - this.#lineStart + 1 };
  }

  /** One byte between values. */
  #step(piece: Uint8Array, at: number): number {
    const byte = piece[at] ?? 0;
    if (byte === code.lineFeed) {
      this.#line += 1;
      this.#lineStart = this.#before + at + 1;
    }
    if (isJsonSpace(byte)) return at + 1;
    if (this.#isMark(byte, at)) return at + 1;
    const next = this.#next(byte);
    if (next === undefined) throw new Damage(`${expected[this.#state]} must be here`, this.#place(at));
    if (next === "read") return this.#begin(piece, at);
    this.#state = next;
    return at + 1;
  }

  #next(byte: number): State | "read" | undefined {
    switch (this.#state) {
      case "document":
        if (byte !== code.open) return undefined;
        this.#hasItems = false;
        this.#kind = undefined;
        return "firstKey";
      case "firstKey":
        if (byte === code.close) return this.#endDocument();
        return byte === code.quote ? "read" : undefined;
      case "key":
        return byte === code.quote ? "read" : undefined;
      case "colon":
        return byte === code.colon ? "value" : undefined;
      case "value":
        if (this.#key !== "items" || byte !== code.openList) return "read";
        this.#hasItems = true;
        return "firstItem";
      case "afterValue":
        if (byte === code.close) return this.#endDocument();
        return byte === code.comma ? "key" : undefined;
      case "firstItem":
        if (byte === code.closeList) return "afterValue";
        return byte === code.open ? "read" : undefined;
      case "item":
        return byte === code.open ? "read" : undefined;
      case "afterItem":
        if (byte === code.closeList) return "afterValue";
        return byte === code.comma ? "item" : undefined;
    }
  }

  /** `undefined` for a document that is no list. */
  #endDocument(): State | undefined {
    if (!this.#hasItems) return undefined;
    this.#documents += 1;
    return "document";
  }

  #begin(piece: Uint8Array, at: number): number {
    const first = piece[at];
    const isScalar = first !== code.open && first !== code.openList && first !== code.quote;
    this.#value = { place: this.#place(at), isScalar, pieces: [], length: 0 };
    this.#depth = 0;
    this.#inString = false;
    this.#escaped = false;
    return this.#readValue(piece, at);
  }

  #readValue(piece: Uint8Array, from: number): number {
    const value = this.#value;
    if (value === undefined) return from;
    const end = value.isScalar ? endOfScalar(piece, from) : this.#endOfValue(piece, from);
    const part = piece.subarray(from, end ?? piece.length);
    // The caller may read its next piece into the same memory.
    value.pieces.push(end === undefined ? Buffer.from(part) : part);
    value.length += part.length;
    if (value.length > longestObject) {
      throw new Damage(`the object that begins here is longer than ${longestObject / 1024 / 1024} MiB`, value.place);
    }
    if (end === undefined) return piece.length;
    this.#value = undefined;
    this.#take(parsed(this.#utf8, value.pieces, value.place), value.place);
    return end;
  }

  /** Where the string, object or list ends; `undefined` if that is in a later piece. */
  #endOfValue(piece: Uint8Array, from: number): number | undefined {
    for (let at = from; at < piece.length; at += 1) {
      const byte = piece[at] ?? 0;
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (byte === code.backslash) this.#escaped = true;
        else if (byte === code.quote) {
          this.#inString = false;
          if (this.#depth === 0) return at + 1;
        }
        continue;
      }
      switch (byte) {
        case code.quote:
          this.#inString = true;
          break;
        case code.open:
        case code.openList:
          this.#depth += 1;
          if (this.#depth > deepest) throw new Damage(`there are more than ${deepest} levels`, this.#place(at));
          break;
        case code.close:
        case code.closeList:
          this.#depth -= 1;
          if (this.#depth === 0) return at + 1;
          break;
        case code.lineFeed:
          this.#line += 1;
          this.#lineStart = this.#before + at + 1;
          break;
      }
    }
    return undefined;
  }

  #take(value: unknown, place: Place): void {
    switch (this.#state) {
      case "firstKey":
      case "key":
        this.#key = String(value);
        this.#state = "colon";
        return;
      case "value":
        if (this.#key === "kind" && typeof value === "string") this.#kind = /^(.+)List$/.exec(value)?.[1];
        if (this.#key === "items") throw new Damage("items must be a list", place);
        this.#state = "afterValue";
        return;
      default:
        this.#state = "afterItem";
        this.objects += 1;
        this.#onObject({ value, impliedKind: this.#kind, place });
    }
  }
}

function endOfScalar(piece: Uint8Array, from: number): number | undefined {
  for (let at = from; at < piece.length; at += 1) {
    const byte = piece[at];
    const isWord = byte !== undefined && byte > 0x20 && byte !== code.comma && byte !== code.close;
    if (!isWord || byte === code.closeList) return at;
  }
  return undefined;
}

function parsed(utf8: InstanceType<typeof TextDecoder>, pieces: readonly Uint8Array[], place: Place): unknown {
  const [only] = pieces;
  try {
    const value: unknown = JSON.parse(utf8.decode(pieces.length === 1 ? only : Buffer.concat(pieces)));
    return value;
  } catch {
    // What the parser says quotes the text, and that of a cluster may have secrets in it.
    throw new Damage("what begins here is not JSON", place);
  }
}
