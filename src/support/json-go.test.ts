import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { errorText, isPulleyError } from "./errors.ts";
import { allMembers, type Json, parseJson } from "./json.ts";

function parseAsGo(text: string): Json {
  const bytes = new TextEncoder().encode(text);
  return parseJson(bytes, { name: "text", code: "CREDENTIALS_INVALID", limit: bytes.length, inGoWords: true });
}

function problemOf(text: string): string | undefined {
  try {
    parseAsGo(text);
    return undefined;
  } catch (error) {
    expect(isPulleyError(error, "CREDENTIALS_INVALID")).toBe(true);
    return errorText(error);
  }
}

// What Go 1.26 says to the same texts.
const problems: readonly (readonly [text: string, problem: string])[] = [
  ["", "unexpected end of JSON input"],
  ["  ", "unexpected end of JSON input"],
  ["{", "unexpected end of JSON input"],
  ["[", "unexpected end of JSON input"],
  ["[1", "unexpected end of JSON input"],
  ['{"a"', "unexpected end of JSON input"],
  ['{"auths":', "unexpected end of JSON input"],
  ['"a', "unexpected end of JSON input"],
  ["x", "invalid character 'x' looking for beginning of value"],
  ["'", "invalid character '\\'' looking for beginning of value"],
  ["\ufeff{}", "invalid character 'ï' looking for beginning of value"],
  ["[1,]", "invalid character ']' looking for beginning of value"],
  ["{x", "invalid character 'x' looking for beginning of object key string"],
  ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
  ['{"a"x', "invalid character 'x' after object key"],
  ['{"a" "b"}', "invalid character '\"' after object key"],
  ['{"a":1x', "invalid character 'x' after object key:value pair"],
  ['{"a":"é"é}', "invalid character 'Ã' after object key:value pair"],
  ["[1 2]", "invalid character '2' after array element"],
  ["{} {}", "invalid character '{' after top-level value"],
  ["01", "invalid character '1' after top-level value"],
  ['"a\nb"', "invalid character '\\n' in string literal"],
  ['"\\q"', "invalid character 'q' in string escape code"],
  ['"\\', "invalid character ' ' in string escape code"],
  ['"\\u12g4"', "invalid character 'g' in \\u hexadecimal character escape"],
  ["-", "invalid character ' ' in numeric literal"],
  ["-x", "invalid character 'x' in numeric literal"],
  ["1.x", "invalid character 'x' after decimal point in numeric literal"],
  ["1ex", "invalid character 'x' in exponent of numeric literal"],
  ["1e+x", "invalid character 'x' in exponent of numeric literal"],
  ["trux", "invalid character 'x' in literal true (expecting 'e')"],
  ["nulx", "invalid character 'x' in literal null (expecting 'l')"],
  ["falsy", "invalid character 'y' in literal false (expecting 'e')"],
  ["tr", "invalid character ' ' in literal true (expecting 'u')"],
];

test.each(problems)("%j: %s", (text, problem) => {
  expect(problemOf(text)).toBe(problem);
});

test("stops at a depth that no login has", () => {
  expect(problemOf("[".repeat(100_000))).toBe("invalid character '[' exceeded max depth");
  expect(problemOf("[".repeat(1000) + "]".repeat(1000))).toBeUndefined();
});

test("keeps the members of an object in their order, those of one name too", () => {
  const value = parseAsGo('{"b": 1, "a": "\\u00e9\\n", "b": null}');
  expect(value instanceof Map && allMembers(value)).toEqual([
    ["b", 1],
    ["a", "é\n"],
    ["b", null],
  ]);
});

describe("takes the texts that JSON.parse takes, and no others", () => {
  const isJson = (text: string) => {
    try {
      JSON.parse(text);
      return true;
    } catch {
      return false;
    }
  };

  test("documents", () => {
    fc.assert(fc.property(fc.json(), (text) => problemOf(text) === undefined));
  });

  test("damaged documents", () => {
    const damaged = fc
      .tuple(
        fc.json(),
        fc.nat(),
        fc.constantFrom('"', "{", "}", "[", "]", ",", ":", "\\", "-", ".", "e", "0", "\t", "n"),
      )
      .map(
        ([text, at, inserted]) => text.slice(0, at % (text.length + 1)) + inserted + text.slice(at % (text.length + 1)),
      );
    fc.assert(fc.property(damaged, (text) => (problemOf(text) === undefined) === isJson(text)));
  });
});
