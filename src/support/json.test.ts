import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Json } from "./json.ts";
import { parseJson } from "./json.ts";

const rules = { name: "document", code: "INPUT_INVALID", limit: 1_000_000 } as const;
const encode = (text: string) => new TextEncoder().encode(text);

/** As `JSON.parse` would give it. */
function plain(value: Json): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, member]) => [key, plain(member)]));
  return Array.isArray(value) ? value.map(plain) : value;
}

describe("a JSON document", () => {
  it("is read as JSON.parse reads it", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), fc.constantFrom(undefined, 1, "\t"), (text, space) => {
        const spaced = JSON.stringify(JSON.parse(text), null, space);
        expect(plain(parseJson(encode(spaced), rules))).toEqual(JSON.parse(text));
      }),
    );
  });

  it("is refused where JSON.parse refuses it, with an error of ours", () => {
    const part = fc.constantFrom(...'{}[]",:\\0-1.eE+ntf \n\0x', "true", "null", '"a"');
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 12 }).map((parts) => parts.join("")),
        (text) => {
          let expected: unknown;
          let sound = true;
          try {
            expected = JSON.parse(text);
          } catch {
            sound = false;
          }
          if (/"a".*"a"/s.test(text)) return;
          if (sound) expect(plain(parseJson(encode(text), rules))).toEqual(expected);
          else expect(() => parseJson(encode(text), rules)).toThrow(expect.objectContaining({ code: "INPUT_INVALID" }));
        },
      ),
      { numRuns: 3000 },
    );
  });

  it("keeps keys that mean something to JavaScript as keys", () => {
    const value = parseJson(encode('{"__proto__": {"x": 1}, "constructor": 2}'), rules);
    expect(value instanceof Map && [...value.keys()]).toEqual(["__proto__", "constructor"]);
  });

  it.each([
    ['{"a": 1, "a": 1}', 'document: the key "a" comes twice at character 9'],
    ['{"a": 1, "\\u0061": 2}', 'document: the key "a" comes twice at character 9'],
    ['[{"x": {"b\\n": 1, "b\\n": 2}}]', 'document: the key "b\\n" comes twice at character 18'],
    ["\uFEFF{}", "document: begins with a byte order mark"],
    ["", "document: a value is missing at character 0"],
    ["{} {}", "document: the end is missing at character 3"],
    ['{"a"', 'document: ":" is missing at character 4'],
    ["[1,]", "document: a value is missing at character 3"],
    ['"a\nb"', "document: a string that is not well formed at character 0"],
    ['"abc', "document: a string that is not well formed at character 0"],
    ["[01]", 'document: "," or "]" is missing at character 2'],
    [`${"[".repeat(65)}${"]".repeat(65)}`, undefined],
    [`${"[".repeat(66)}${"]".repeat(66)}`, "document: more than 64 levels deep at character 65"],
    ["[".repeat(900_000), "document: more than 64 levels deep at character 65"],
    ['{"a":'.repeat(100_000), "document: more than 64 levels deep at character 325"],
  ])("%.60j", (text, message) => {
    if (message === undefined) expect(parseJson(encode(text), rules)).toHaveLength(1);
    else expect(() => parseJson(encode(text), rules)).toThrow(message);
  });

  it("must be UTF-8", () => {
    for (const bytes of [
      [0x22, 0xff, 0x22],
      [0x22, 0xc0, 0xaf, 0x22],
      [0xff, 0xfe, 0x7b, 0],
      [0x22, 0xed, 0xa0, 0x80, 0x22],
    ]) {
      expect(() => parseJson(Uint8Array.from(bytes), rules)).toThrow("document: not UTF-8");
    }
  });

  it("must not be larger than its limit", () => {
    const text = `"${"a".repeat(10)}"`;
    expect(parseJson(encode(text), { ...rules, limit: 12 })).toHaveLength(10);
    expect(() => parseJson(encode(text), { ...rules, limit: 11 })).toThrow(
      expect.objectContaining({ code: "TOO_LARGE" }),
    );
  });
});
