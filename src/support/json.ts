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
  /**
   * Says what is wrong with the text as Go's decoder does, without the document's name: for documents of which a kubelet
   * says so, a broken Secret say. Objects and lists may be 1 000 levels deep then, and it implies `asGo`.
   */
  readonly inGoWords?: boolean;
}

type JsonMember = readonly [key: string, value: Json];

/** All members of those objects in which a key came more than once. */
const repeats = new WeakMap<JsonMembers, readonly JsonMember[]>();

/** Every member of an object in its order, those of one key included, in a document that was read as Go does. */
export function allMembers(members: JsonMembers): readonly JsonMember[] {
  return repeats.get(members) ?? [...members];
}

/** Whether a key of an object came more than once, in a document that was read as Go does. */
export function comesTwice(members: JsonMembers, key: string): boolean {
  return (repeats.get(members)?.filter(([name]) => name === key).length ?? 0) > 1;
}

/** Objects and lists within one another; no document of ours needs more than ten. */
const deepest = 64;
/** Go's decoder allows 10 000; so many calls would not fit JavaScript's stack. */
const deepestAsGo = 999;

/**
 * Reads a document that another program may read differently: what is ambiguous is refused. That is a key that comes
 * twice (some decoders take the first, some the last), a byte order mark, and bytes that are not UTF-8.
 * @throws PulleyError `TOO_LARGE` or the code of the rules, with the name and the place
 */
export function parseJson(bytes: Uint8Array, rules: JsonRules): Json {
  const { name, code, limit, inGoWords = false, asGo = inGoWords } = rules;
  if (bytes.byteLength > limit) {
    throw new PulleyError("TOO_LARGE", `${name}: ${bytes.byteLength} bytes, more than the ${limit} that it may have`);
  }
  const text = decodeText(bytes, asGo);
  if (text === undefined) throw new PulleyError(code, `${name}: not UTF-8`);
  if (inGoWords) return new Scanner(text, asGo, (problem) => new PulleyError(code, problem), true).document();
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
  readonly #inGoWords: boolean;
  #at = 0;

  constructor(text: string, asGo: boolean, errorAt: ErrorAt, inGoWords = false) {
    this.#text = text;
    this.#asGo = asGo;
    this.#errorAt = errorAt;
    this.#inGoWords = inGoWords;
  }

  document(): Json {
    const value = this.#value(0);
    this.#skipBlank();
    if (this.#at < this.#text.length) throw this.#missing("the end", "after top-level value");
    return value;
  }

  #value(depth: number): Json {
    this.#skipBlank();
    switch (this.#text[this.#at]) {
      case "{":
        this.#goDown(depth);
        return this.#object(depth);
      case "[":
        this.#goDown(depth);
        return this.#list(depth);
      case '"':
        return this.#string();
      default:
        return this.#scalar();
    }
  }

  #goDown(depth: number): void {
    if (this.#inGoWords && depth > deepestAsGo) throw this.#invalid("exceeded max depth");
    if (!this.#inGoWords && depth > deepest) throw this.#errorAt(`more than ${deepest} levels deep`, this.#at);
  }

  #object(depth: number): JsonMembers {
    const members = new Map<string, Json>();
    const all: JsonMember[] = [];
    this.#at += 1;
    if (this.#take("}")) return members;
    do {
      this.#skipBlank();
      const start = this.#at;
      if (this.#text[start] !== '"') throw this.#missing("a key", "looking for beginning of object key string");
      const key = this.#string();
      if (!this.#asGo && members.has(key)) {
        throw this.#errorAt(`the key ${quote(key.slice(0, 100))} comes twice`, start);
      }
      if (!this.#take(":")) throw this.#missing('":"', "after object key");
      const value = this.#value(depth + 1);
      members.set(key, value);
      if (this.#asGo) all.push([key, value]);
    } while (this.#take(","));
    if (!this.#take("}")) throw this.#missing('"," or "}"', "after object key:value pair");
    if (all.length > members.size) repeats.set(members, all);
    return members;
  }

  #list(depth: number): readonly Json[] {
    const items: Json[] = [];
    this.#at += 1;
    if (this.#take("]")) return items;
    do items.push(this.#value(depth + 1));
    while (this.#take(","));
    if (!this.#take("]")) throw this.#missing('"," or "]"', "after array element");
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
      if (this.#inGoWords) throw this.#stringProblem();
      throw this.#errorAt("a string that is not well formed", start);
    }
  }

  #scalar(): Json {
    const literal = this.#match(word);
    if (literal !== undefined) return words.get(literal) ?? null;
    const digits = this.#match(number);
    const problem = this.#inGoWords ? this.#scalarProblem(digits) : undefined;
    if (problem !== undefined) throw problem;
    if (digits === undefined) throw this.#missing("a value", "looking for beginning of value");
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

  /** @param where in Go's words, where the decoder is when something else comes */
  #missing(wanted: string, where: string): PulleyError {
    if (!this.#inGoWords) return this.#errorAt(`${wanted} is missing`, this.#at);
    if (this.#at < this.#text.length) return this.#invalid(where);
    return this.#errorAt("unexpected end of JSON input", this.#at);
  }

  /** Go feeds its scanner a blank at the end: where none may stand, that is the wrong character. */
  #invalid(where: string): PulleyError {
    const wrong = quoteFirstByte(this.#text.slice(this.#at, this.#at + 2));
    return this.#errorAt(`invalid character ${wrong} ${where}`, this.#at);
  }

  /** What Go says of a string that is not well formed. */
  #stringProblem(): PulleyError {
    this.#at += 1;
    this.#match(/(?:[^"\\\u0000-\u001f]|\\(?:[bfnrt\\/"]|u[0-9a-fA-F]{4}))*/y);
    if (this.#text[this.#at] !== "\\") return this.#missing("", "in string literal");
    this.#at += 1;
    if (this.#text[this.#at] !== "u") return this.#invalid("in string escape code");
    this.#match(/u[0-9a-fA-F]*/y);
    return this.#invalid("in \\u hexadecimal character escape");
  }

  /** What Go says of what begins as a number or a literal, and goes on in another way. */
  #scalarProblem(digits: string | undefined): PulleyError | undefined {
    const next = this.#text[this.#at] ?? "";
    if (digits === undefined) {
      const literal = [...words.keys()].find((each) => each[0] === next);
      if (literal !== undefined) return this.#literalProblem(literal);
      if (next !== "-") return undefined;
      this.#at += 1;
      return this.#invalid("in numeric literal");
    }
    if (next === "." && !/[.eE]/.test(digits)) {
      this.#at += 1;
      return this.#invalid("after decimal point in numeric literal");
    }
    if (/[eE]/.test(digits) || this.#match(/[eE][+-]?/y) === undefined) return undefined;
    return this.#invalid("in exponent of numeric literal");
  }

  #literalProblem(literal: string): PulleyError {
    const wrong = [...literal].findIndex((letter, at) => this.#text[this.#at + at] !== letter);
    this.#at += wrong;
    return this.#invalid(`in literal ${literal} (expecting '${literal[wrong]}')`);
  }
}

/** Go's scanner sees bytes, so of a character of several bytes it names the first. */
function quoteFirstByte(text: string): string {
  const byte = String.fromCharCode(new TextEncoder().encode(text)[0] ?? 0x20);
  if (byte === "'") return "'\\''";
  return byte === '"' ? "'\"'" : `'${quote(byte).slice(1, -1)}'`;
}
