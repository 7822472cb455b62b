import { type ErrorCode, PulleyError } from "./errors.ts";
import { quote } from "./go.ts";

/** A JSON document. Objects are maps, so that no key of a document can be mistaken for a property of JavaScript's. */
export type Json = null | boolean | number | string | readonly Json[] | JsonMembers;
export type JsonMembers = ReadonlyMap<string, Json>;

export interface JsonRules {
  /** What the document is, for messages: `manifest`. */
  readonly name: string;
  /** The code of the error for a document that is not what it must be. */
  readonly code: ErrorCode;
  /** Most bytes that the document may have. */
  readonly limit: number;
  /**
   * Reads what is ambiguous without harm as Go's decoder does: of a key that comes twice the last, and U+FFFD for bytes
   * that are not UTF-8. Which keys came twice is remembered, for those places where it may not be. Default: it is refused.
   */
  readonly asGo?: boolean;
}

const repeats = new WeakMap<JsonMembers, ReadonlySet<string>>();

/** Whether a key of an object came more than once, in a document that was read as Go does. */
export function comesTwice(members: JsonMembers, key: string): boolean {
  return repeats.get(members)?.has(key) ?? false;
}

/** Objects and lists within one another; Go's decoder allows 10 000, no document of ours needs more than ten. */
const deepest = 64;

/**
 * Reads a document that another program may read differently: what is ambiguous is refused. That is a key that comes
 * twice (some decoders take the first, some the last), a byte order mark, and bytes that are not UTF-8.
 * @throws PulleyError `TOO_LARGE` or the code of the rules, with the name and the place
 */
export function parseJson(bytes: Uint8Array, { name, code, limit, asGo = false }: JsonRules): Json {
  if (bytes.byteLength > limit) {
    throw new PulleyError("TOO_LARGE", `${name}: ${bytes.byteLength} bytes, more than the ${limit} that it may have`);
  }
  const text = decodeText(bytes, asGo);
  if (text === undefined) throw new PulleyError(code, `${name}: not UTF-8`);
  if (text.startsWith("\uFEFF")) throw new PulleyError(code, `${name}: begins with a byte order mark`);
  const errorAt: ErrorAt = (problem, at) => new PulleyError(code, `${name}: ${problem} at character ${at}`);
  return new Scanner(text, asGo, errorAt).document();
}

function decodeText(bytes: Uint8Array, lenient: boolean): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: !lenient, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

type ErrorAt = (problem: string, at: number) => PulleyError;

const blank = /[ \t\n\r]*/y;
const number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const word = /true|false|null/y;
const words: ReadonlyMap<string, Json> = new Map<string, Json>([
  ["true", true],
  ["false", false],
  ["null", null],
]);

/** RFC 8259, by recursive descent. */
class Scanner {
  readonly #text: string;
  readonly #asGo: boolean;
  readonly #errorAt: ErrorAt;
  #at = 0;

  constructor(text: string, asGo: boolean, errorAt: ErrorAt) {
    this.#text = text;
    this.#asGo = asGo;
    this.#errorAt = errorAt;
  }

  document(): Json {
    const value = this.#value(0);
    this.#skipBlank();
    if (this.#at < this.#text.length) throw this.#unexpected("the end");
    return value;
  }

  #value(depth: number): Json {
    if (depth > deepest) throw this.#errorAt(`more than ${deepest} levels deep`, this.#at);
    this.#skipBlank();
    switch (this.#text[this.#at]) {
      case "{":
        return this.#object(depth);
      case "[":
        return this.#list(depth);
      case '"':
        return this.#string();
      default:
        return this.#scalar();
    }
  }

  #object(depth: number): JsonMembers {
    const members = new Map<string, Json>();
    const twice = new Set<string>();
    this.#at += 1;
    if (this.#take("}")) return members;
    do {
      this.#skipBlank();
      const start = this.#at;
      if (this.#text[start] !== '"') throw this.#unexpected("a key");
      const key = this.#string();
      if (members.has(key)) {
        if (!this.#asGo) throw this.#errorAt(`the key ${quote(key.slice(0, 100))} comes twice`, start);
        twice.add(key);
      }
      if (!this.#take(":")) throw this.#unexpected('":"');
      members.set(key, this.#value(depth + 1));
    } while (this.#take(","));
    if (!this.#take("}")) throw this.#unexpected('"," or "}"');
    if (twice.size > 0) repeats.set(members, twice);
    return members;
  }

  #list(depth: number): readonly Json[] {
    const items: Json[] = [];
    this.#at += 1;
    if (this.#take("]")) return items;
    do items.push(this.#value(depth + 1));
    while (this.#take(","));
    if (!this.#take("]")) throw this.#unexpected('"," or "]"');
    return items;
  }

  #string(): string {
    const start = this.#at;
    let end = start + 1;
    while (end < this.#text.length && this.#text[end] !== '"') end += this.#text[end] === "\\" ? 2 : 1;
    try {
      const value: unknown = JSON.parse(this.#text.slice(start, end + 1));
      if (typeof value !== "string") throw new TypeError("not a string");
      this.#at = end + 1;
      return value;
    } catch {
      throw this.#errorAt("a string that is not well formed", start);
    }
  }

  #scalar(): Json {
    const literal = this.#match(word);
    if (literal !== undefined) return words.get(literal) ?? null;
    const digits = this.#match(number);
    if (digits === undefined) throw this.#unexpected("a value");
    return Number(digits);
  }

  #skipBlank(): void {
    this.#match(blank);
  }

  #take(character: string): boolean {
    this.#skipBlank();
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #unexpected(wanted: string): PulleyError {
    return this.#errorAt(`${wanted} is missing`, this.#at);
  }
}
