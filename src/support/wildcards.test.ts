import fc from "fast-check";
import { expect, test } from "vitest";
import { globMatches } from "./wildcards.ts";

// What Go's filepath.Match says to the same.
test.each([
  ["*", "abc", true],
  ["*", "", true],
  ["", "", true],
  ["", "a", false],
  ["a", "", false],
  ["a*c", "abbc", true],
  ["a*", "b", false],
  ["*a*b*", "xxaxxbx", true],
  ["*b*c", "abcbd", false],
  ["*ab", "aab", true],
  ["*x", "abc", false],
  ["**", "ab", true],
  ["ab*", "ab", true],
  ["a?c*", "abcd", true],
  ["?", "a", true],
  ["?", "", false],
  ["?", "é", true],
  ["?", "😀", true],
  ["[ab]", "a", true],
  ["[^ab]", "a", false],
  ["[^ab]", "c", true],
  ["[!a]", "!", true],
  ["[!a]", "b", false],
  ["[a-c]", "b", true],
  ["[c-a]", "b", false],
  ["[a-cx-z]", "y", true],
  ["[\\]]", "]", true],
  ["\\*", "*", true],
  ["\\*", "a", false],
])("%j and %j: %s", (pattern, text, matches) => {
  expect(globMatches(pattern, text)).toBe(matches);
});

test.each([
  ["[]a]", "]"],
  ["[a", "a"],
  ["a[", "a"],
  ["*[", "x"],
  ["[]", "a"],
  ["[^]", "a"],
  ["[^]]", "a"],
  ["[-]", "-"],
  ["[a-]", "-"],
  ["[-a]", "-"],
  ["a\\", "a"],
])("%j is no pattern and matches nothing", (pattern, text) => {
  expect(globMatches(pattern, text)).toBe(false);
});

test("a pattern matches what its stars and question marks stand for", () => {
  const piece = fc.oneof(
    fc.constantFrom("a", "b", "ab").map((text) => ({ pattern: text, text })),
    fc.constantFrom("a", "b", "c").map((text) => ({ pattern: "?", text })),
    fc.stringMatching(/^[abc]{0,4}$/).map((text) => ({ pattern: "*", text })),
  );
  fc.assert(
    fc.property(fc.array(piece), (pieces) =>
      globMatches(pieces.map(({ pattern }) => pattern).join(""), pieces.map(({ text }) => text).join("")),
    ),
  );
});

test("agrees with the regular expression of the same meaning", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[ab*?]{0,8}$/), fc.stringMatching(/^[ab]{0,8}$/), (pattern, text) => {
      const source = pattern.replaceAll("*", ".*").replaceAll("?", ".");
      return globMatches(pattern, text) === new RegExp(`^${source}$`).test(text);
    }),
  );
});

test("many stars take no more time than few", () => {
  expect(globMatches("*a".repeat(500), "a".repeat(2000))).toBe(true);
  expect(globMatches(`${"*a".repeat(500)}b`, "a".repeat(2000))).toBe(false);
});
