import { type ErrorCode, PulleyError } from "./errors.ts";
import { quote } from "./go.ts";
import { comesTwice, type Json, type JsonMembers, type JsonRules, parseJson } from "./json.ts";

/** Parses a document and stands at its root. @throws PulleyError as {@link parseJson} */
export function readJson(bytes: Uint8Array, rules: JsonRules): JsonCursor {
  return new JsonCursor(parseJson(bytes, rules), rules.name, rules.code);
}

/**
 * A place in a JSON document, from which values are read with the type that they must have. What is not as it must be
 * is an error that names the place: `manifest.layers[3].size: must be …`.
 */
export class JsonCursor {
  /** `manifest.layers[3]` */
  readonly at: string;
  readonly #value: Json | undefined;
  readonly #code: ErrorCode;

  constructor(value: Json | undefined, at: string, code: ErrorCode) {
    this.#value = value;
    this.at = at;
    this.#code = code;
  }

  /** Whether there is a value; `null` is none, as Go's decoder has it. */
  get present(): boolean {
    return this.#value !== undefined && this.#value !== null;
  }

  /** Whether the key is written at all, be it with `null`. */
  get written(): boolean {
    return this.#value !== undefined;
  }

  /** The error that says what is wrong here. */
  failure(problem: string, code: ErrorCode = this.#code): PulleyError {
    return new PulleyError(code, `${this.at}: ${problem}`);
  }

  /**
   * Goes into an object, all of whose known keys are given. Go's decoder takes `Layers`, and `layerſ`, for `layers`: a
   * key that differs from a known one in case alone would be read by some programs and overlooked by others, and is
   * refused; so is a known one that comes twice.
   */
  object<Key extends string>(...known: readonly Key[]): (key: Key) => JsonCursor {
    const members = this.#members();
    const spelling = new Map<string, string>(known.map((key) => [foldCase(key), key]));
    for (const key of members.keys()) {
      const right = spelling.get(foldCase(key));
      if (right !== undefined && right !== key)
        throw this.failure(`the key ${quote(key)} must be spelt ${quote(right)}`);
    }
    const twice = known.find((key) => comesTwice(members, key));
    if (twice !== undefined) throw this.failure(`the key ${quote(twice)} comes twice`);
    return (key) => new JsonCursor(members.get(key), `${this.at}.${key}`, this.#code);
  }

  /** As {@link JsonCursor.object}; where there is no value, an object without keys. */
  objectOrEmpty<Key extends string>(...known: readonly Key[]): (key: Key) => JsonCursor {
    return (this.present ? this : new JsonCursor(new Map(), this.at, this.#code)).object(...known);
  }

  /** The elements of a list of at most `most`. */
  list(most: number): JsonCursor[] {
    const value = this.#value;
    if (!isList(value)) throw this.failure(this.#wanted("a list"));
    if (value.length > most) throw this.failure(`has ${value.length} elements, more than the ${most} that it may have`);
    return value.map((item, position) => new JsonCursor(item, `${this.at}[${position}]`, this.#code));
  }

  /** The strings of a list, `most` of them at most; none where there is something else. */
  someStrings(most: number): readonly string[] {
    const value = this.#value;
    return isList(value) ? value.filter((item) => typeof item === "string").slice(0, most) : [];
  }

  string(): string {
    if (typeof this.#value !== "string") throw this.failure(this.#wanted("a string"));
    return this.#value;
  }

  /** A whole number from `least` to `most`. */
  integer(least: number, most: number): number {
    const value = this.#value;
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < least || value > most) {
      throw this.failure(`must be a whole number from ${least} to ${most}`);
    }
    return value;
  }

  /** An object all of whose values are strings; `null` reads as an empty one, as in Go. */
  strings(): Readonly<Record<string, string>> {
    return Object.fromEntries(
      [...this.#members()].map(([key, given]) => {
        const value = given ?? "";
        if (typeof value !== "string") throw this.failure(`the value of ${quote(key.slice(0, 200))} must be a string`);
        return [key, value];
      }),
    );
  }

  /** The keys of an object. */
  keys(): string[] {
    return [...this.#members().keys()];
  }

  /** What `read` finds here, or `undefined` where there is no value. */
  optional<Value>(read: (here: JsonCursor) => Value): Value | undefined {
    return this.present ? read(this) : undefined;
  }

  #members(): JsonMembers {
    if (!(this.#value instanceof Map)) throw this.failure(this.#wanted("an object"));
    return this.#value;
  }

  #wanted(kind: string): string {
    return this.#value === undefined ? "is missing" : `must be ${kind}`;
  }
}

/**
 * As Go's decoder compares keys (encoding/json `fold.go`): besides the two cases of a letter, the long s is an s and the
 * Kelvin sign a k, of which lower case knows the second alone.
 */
export function foldCase(key: string): string {
  return key.toLowerCase().replaceAll("\u017f", "s");
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}
