/**
 * JSON as Go's `encoding/json` reads it. A kubelet reports a broken Secret in the decoder's own words, and takes from a
 * Secret what that decoder takes: a key that comes twice, or in other case, is no error there.
 */
import { PulleyError } from "../support/errors.ts";
import { quote } from "../support/go.ts";

/** A value under the name that Go's messages have for its kind; of those that no login is made of, nothing more. */
export type GoJson =
  | { readonly kind: "null" | "bool" | "number" | "array" }
  | { readonly kind: "string"; readonly text: string }
  | { readonly kind: "object"; readonly members: readonly GoMember[] };

export interface GoMember {
  readonly key: string;
  readonly value: GoJson;
}

/** Go stops at 10 000 levels; so many calls would not fit JavaScript's stack, and no login is that deep. */
const deepest = 1000;

const literals: ReadonlyMap<string, readonly [word: string, kind: "null" | "bool"]> = new Map([
  ["t", ["true", "bool"]],
  ["f", ["false", "bool"]],
  ["n", ["null", "null"]],
]);

/** @throws PulleyError `CREDENTIALS_INVALID`, its message in Go's words */
export function parseGoJson(text: string): GoJson {
  return new Scanner(text).document();
}

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): GoJson {
    const value = this.#value(0);
    if (this.#next() !== undefined) throw this.#unexpected("after top-level value");
    return value;
  }

  #value(depth: number): GoJson {
    const first = this.#next() ?? "";
    if ((first === "{" || first === "[") && depth >= deepest) throw this.#unexpected("exceeded max depth");
    if (first === "{") return { kind: "object", members: this.#members(depth) };
    if (first === "[") return this.#array(depth);
    if (first === '"') return { kind: "string", text: this.#string() };
    const literal = literals.get(first);
    if (literal !== undefined) return this.#literal(...literal);
    if (/[-0-9]/.test(first)) return this.#number();
    throw this.#unexpected("looking for beginning of value");
  }

  #members(depth: number): GoMember[] {
    const members: GoMember[] = [];
    this.#at += 1;
    if (this.#take("}")) return members;
    do {
      if (this.#next() !== '"') throw this.#unexpected("looking for beginning of object key string");
      const key = this.#string();
      if (!this.#take(":")) throw this.#unexpected("after object key");
      members.push({ key, value: this.#value(depth + 1) });
    } while (this.#take(","));
    if (!this.#take("}")) throw this.#unexpected("after object key:value pair");
    return members;
  }

  #array(depth: number): GoJson {
    this.#at += 1;
    if (this.#take("]")) return { kind: "array" };
    do this.#value(depth + 1);
    while (this.#take(","));
    if (!this.#take("]")) throw this.#unexpected("after array element");
    return { kind: "array" };
  }

  #string(): string {
    const start = this.#at;
    this.#at += 1;
    for (let character = this.#text[this.#at]; character !== '"'; character = this.#text[this.#at]) {
      if (character === undefined) throw this.#unexpected("in string literal");
      if (character < " ") throw this.#invalid("in string literal");
      this.#at += 1;
      if (character === "\\") this.#escape();
    }
    this.#at += 1;
    return String(JSON.parse(this.#text.slice(start, this.#at)));
  }

  #escape(): void {
    if (!this.#match(/[bfnrtu\\/"]/y)) throw this.#invalid("in string escape code");
    if (this.#text[this.#at - 1] !== "u") return;
    for (let digit = 0; digit < 4; digit += 1) {
      if (!this.#match(/[0-9a-fA-F]/y)) throw this.#invalid("in \\u hexadecimal character escape");
    }
  }

  #literal(word: string, kind: "null" | "bool"): GoJson {
    for (const letter of word) {
      if (this.#text[this.#at] !== letter) throw this.#invalid(`in literal ${word} (expecting '${letter}')`);
      this.#at += 1;
    }
    return { kind };
  }

  #number(): GoJson {
    this.#match(/-/y);
    if (!this.#match(/0|[1-9][0-9]*/y)) throw this.#invalid("in numeric literal");
    if (this.#match(/\./y) && !this.#match(/[0-9]+/y)) {
      throw this.#invalid("after decimal point in numeric literal");
    }
    if (this.#match(/[eE][+-]?/y) && !this.#match(/[0-9]+/y)) throw this.#invalid("in exponent of numeric literal");
    return { kind: "number" };
  }

  /** The next character that is not blank. */
  #next(): string | undefined {
    this.#match(/[ \t\r\n]+/y);
    return this.#text[this.#at];
  }

  #take(character: string): boolean {
    if (this.#next() !== character) return false;
    this.#at += 1;
    return true;
  }

  #match(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    if (!pattern.test(this.#text)) return false;
    this.#at = pattern.lastIndex;
    return true;
  }

  /** For places where a blank may stand: there the end is simply too early. */
  #unexpected(where: string): PulleyError {
    return this.#at < this.#text.length ? this.#invalid(where) : failure("unexpected end of JSON input");
  }

  /** For places where no blank may stand: Go feeds its scanner one at the end. */
  #invalid(where: string): PulleyError {
    return failure(`invalid character ${quoteFirstByte(this.#text.slice(this.#at, this.#at + 2))} ${where}`);
  }
}

/** Go's scanner sees bytes, so of a character of several bytes it names the first. */
function quoteFirstByte(text: string): string {
  const byte = String.fromCharCode(Buffer.from(text)[0] ?? 0x20);
  if (byte === "'") return "'\\''";
  return byte === '"' ? "'\"'" : `'${quote(byte).slice(1, -1)}'`;
}

function failure(message: string): PulleyError {
  return new PulleyError("CREDENTIALS_INVALID", message);
}
