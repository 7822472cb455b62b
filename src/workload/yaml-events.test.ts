import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SyntaxProblem } from "./problem.ts";
import type { Value } from "./value.ts";
import { readYamlTree } from "./yaml.ts";
import { readPlainYaml } from "./yaml-events.ts";

const samples = [
  "apiVersion: v1\nkind: Pod # a pod\nmetadata:\n  name: \"a\\tb\"\n  labels: {app: web, 'it''s': [1, 2,]}\nspec:\n  containers:\n  - name: a\n    image: nginx:1.27\n    args: [\"-c\", 'x']\n  -\n    name: b\n    command:\n    - sh\n    - -c\n    - |-\n      echo one\n\n      echo two\n",
  "# first\n---\na: >-\n  folded\n  text\n\n  more\nb:\nc: ~\nd: yes\ne: 0644\nf: 1_000\ng: plain text\n  that goes on\n",
  "- 1\n- - 2\n  - x: y\n-\n- \"over\n  lines\"\n- 'and\n  these'\n- |\n  text\n# last\n",
  "a: &x {b: c}\nd: *x\ne: !!str 1\n<<: *x\n",
  'one: {two: {three: [], four: {}}, five: "x"}\r\nsix:\r\n  - seven\r\n  -\r\n',
] as const;

const pieces = [
  "\n",
  "  ",
  " ",
  "- ",
  ": ",
  ":",
  "#",
  " #",
  '"',
  "'",
  "|",
  "> ",
  "[",
  "]",
  "{",
  "}",
  ",",
  "? ",
  "&a ",
  "*a",
  "!x ",
  "%",
  "@",
  "`",
  "\t",
  "---\n",
  "...\n",
  "\r\n",
  "key: v",
  "~",
  "<<: ",
  "é",
  "\u2028",
  "-",
  "|+2\n",
  "\ufeff",
];

/** What the other way makes of a text; `undefined` if it refuses it. */
function inTheOtherWay(text: string): Value[] | undefined {
  try {
    return readYamlTree(text, 5, { repeatedValues: 1000, mistakes: [] });
  } catch (error) {
    if (error instanceof SyntaxProblem) return undefined;
    throw error;
  }
}

describe("the quick way through YAML", () => {
  it.each(samples.map((text, index) => [index, text] as const))(
    "reads sample %i as the other way does",
    (index, text) => {
      const read = readPlainYaml(text, 5);
      if (text.includes("&x")) expect(read).toBeUndefined();
      else expect(read).toEqual(inTheOtherWay(text));
      expect(inTheOtherWay(text), `sample ${index}`).toBeDefined();
    },
  );

  it("never reads anything else than the other way, whatever becomes of a text", () => {
    const change = fc.record({ at: fc.nat(), remove: fc.nat(3), insert: fc.constantFrom("", ...pieces) });
    const changed = fc
      .tuple(fc.constantFrom(...samples), fc.nat(), fc.nat(), fc.array(change, { maxLength: 3 }))
      .map(([text, from, lines, changes]) => {
        const all = text.split("\n");
        const first = from % all.length;
        let some = all.slice(first, first + 1 + (lines % all.length)).join("\n");
        for (const { at, remove, insert } of changes) {
          const place = at % (some.length + 1);
          some = some.slice(0, place) + insert + some.slice(place + remove);
        }
        return some;
      });
    let quick = 0;
    fc.assert(
      fc.property(changed, (text) => {
        const read = readPlainYaml(text, 5);
        if (read === undefined) return;
        quick += 1;
        expect(read).toEqual(inTheOtherWay(text));
      }),
      { numRuns: 5000 },
    );
    expect(quick).toBeGreaterThan(1000);
  });

  it.each([
    ["an anchor", "a: &b c\n"],
    ["an alias", "a: *b\n"],
    ["a tag", "a: !!str c\n"],
    ["a merge key", "a: {<<: {b: c}}\n"],
    ["a key twice", "a: b\na: c\n"],
    ["a key that is a list", "? [a]\n: b\n"],
    ["a directive", "%YAML 1.1\n---\na: b\n"],
    ["a key that is marked as one", "? a\n: b\n"],
    ["blanks at the end of what is kept", "a: |+2\n  "],
    ["blanks at the end of a folded text that is kept", "a: >+\n  b\n   "],
    ["what is broken", "a: [\n"],
  ])("leaves %s to the other way", (_, text) => expect(readPlainYaml(text, 0)).toBeUndefined());

  it("leaves what is nested too deep to the other way", () => {
    expect(readPlainYaml(`${"[".repeat(300)}${"]".repeat(300)}`, 0)).toBeUndefined();
  });
});
