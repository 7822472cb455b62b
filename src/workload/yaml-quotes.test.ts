import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readManifests, readValues } from "./documents.ts";
import { textAt, valueAt } from "./value.ts";

const plain = (text: string) => {
  const { values, problems } = readValues(text, "x.yaml");
  return { texts: values.map((value) => textAt(value, "a") ?? ""), problems: problems.map(({ message }) => message) };
};

describe("a quoted scalar that is wrapped without indentation is read as kubectl does", () => {
  it.each([
    ["single quotes", "b:\n  c: 1\na: 'one\ntwo'\n", "one two"],
    ["double quotes", 'a: "one\ntwo \\"three\\"\nfour"\n', 'one two "three" four'],
    ["a quote that is doubled", "a: 'it''s\none'\n", "it's one"],
    ["an empty line", "a: 'one\n\ntwo'\n", "one\ntwo"],
    ["a line that is folded by force", 'a: "one\\\ntwo"\n', "onetwo"],
    ["Windows' line ends", "a: 'one\r\ntwo'\r\n", "one two"],
    ["what looks like a key", "a: 'one\nb: two'\n", "one b: two"],
    ["two of them", "b: 'x\ny'\na: 'one\ntwo'\n", "one two"],
    ["a tab", "a: 'one\n\ttwo'\n", "one two"],
    ["a comment's sign", "a: 'one\n# two'\n", "one # two"],
  ])("%s", (_, text, value) => expect(plain(text)).toEqual({ texts: [value], problems: [] }));

  it("in lists and below keys, with the places of what follows", () => {
    const text = "a: x\nb:\n  - c: 'one\n  two'\n    d: e\n  - 'three\nfour'\nf: g\n";
    const { values, problems } = readValues(text, "x.yaml");
    expect(problems).toEqual([]);
    const [value] = values;
    expect(text.slice(valueAt(value, "f")?.start).split("\n")[0]).toBe("g");
    const [first, second] = (value && valueAt(value, "b"))?.kind === "sequence" ? listOf(value) : [];
    expect(textAt(first, "c")).toBe("one two");
    expect(text.slice(valueAt(first, "d")?.start).split("\n")[0]).toBe("e");
    expect(text.slice(second?.start).startsWith("'three")).toBe(true);
  });

  it.each(["a: 'one\ntwo\n", 'a: "one\ntwo\\"\n', "a: 'one\n---\nb: 'x\n"])(
    "an end that is missing is missing: %j",
    (text) => {
      expect(plain(text).problems[0]).toMatch(/missing closing/);
    },
  );

  it("as indented ones are, whatever is in them", () => {
    const line = fc.stringMatching(/^[ -~]{1,12}$/).map((text) => `${text.replaceAll("'", "''").trim()}x`);
    fc.assert(
      fc.property(fc.array(line, { minLength: 2, maxLength: 5 }), (lines) => {
        const bare = plain(`a: '${lines.join("\n")}'\nb: c\n`);
        expect(bare).toEqual(plain(`a: '${lines.join("\n      ")}'\nb: c\n`));
      }),
      { numRuns: 200 },
    );
  });
});

function listOf(value: Parameters<typeof valueAt>[0]) {
  const list = valueAt(value, "b");
  return list?.kind === "sequence" ? list.items : [];
}

describe("a key that is there twice is a mistake, and the last one counts", () => {
  it.each([
    ["YAML", "apiVersion: v1\nkind: Pod\nspec: {a: 1}\nspec: {a: two}\n", "x.yaml"],
    ["JSON", '{"apiVersion":"v1","kind":"Pod","spec":{"a":1},"spec":{"a":"two"}}', "x.json"],
    [
      "a list",
      "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  spec: {a: 1}\n  spec: {a: two}\n",
      "x.yaml",
    ],
  ])("in %s", (_, text, file) => {
    const { documents, problems } = readManifests(text, file);
    expect(problems.map(({ message }) => message)).toEqual(['the key "spec" is here twice']);
    expect(documents.map(({ root }) => textAt(root, "spec", "a"))).toEqual(["two"]);
  });

  it("is told a hundred times and no more", () => {
    const text = `{"a": 1, ${Array.from({ length: 500 }, () => '"a": 1').join(", ")}}`;
    expect(readValues(text, "x.json").problems).toHaveLength(100);
  });
});
