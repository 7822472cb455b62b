import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readManifests } from "./documents.ts";
import { limits } from "./limits.ts";
import { plain } from "./value.ts";

const pod = (name: string) => `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\n`;

function names(text: string): unknown[] {
  return readManifests(text, "x.yaml").documents.map(({ root }) => {
    const object = plain(root) as { metadata?: { name?: unknown } };
    return object.metadata?.name;
  });
}

function problems(text: string, file = "x.yaml"): string[] {
  return readManifests(text, file).problems.map(
    ({ source, message }) => `${source.file}:${source.line}:${source.column}: ${message}`,
  );
}

describe("documents of one text", () => {
  it.each<[string, string, unknown[]]>([
    ["one", pod("a"), ["a"]],
    ["several", `${pod("a")}---\n${pod("b")}---\n${pod("c")}`, ["a", "b", "c"]],
    ["with a marker first", `---\n${pod("a")}`, ["a"]],
    ["with comments behind the markers", `--- # first\n${pod("a")}--- # second\n${pod("b")}`, ["a", "b"]],
    ["with empty documents between", `---\n---\n# only a comment\n---\n${pod("a")}---\n---\nnull\n---\n`, ["a"]],
    ["with a byte order mark", `\ufeff${pod("a")}`, ["a"]],
    ["with a byte order mark and a marker", `\ufeff---\n${pod("a")}---\n${pod("b")}`, ["a", "b"]],
    ["with line ends of Windows", `${pod("a")}---\n${pod("b")}`.replaceAll("\n", "\r\n"), ["a", "b"]],
    ["with a directive", `%YAML 1.1\n---\n${pod("a")}`, ["a"]],
    ["with a directive behind an end", `${pod("a")}...\n%YAML 1.2\n---\n${pod("b")}`, ["a", "b"]],
    ["with ends", `${pod("a")}...\n${pod("b")}...\n`, ["a", "b"]],
    ["with a comment before a directive", `# made by hand\n\n%YAML 1.2\n---\n${pod("a")}`, ["a"]],
    [
      "with content behind a marker",
      `--- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n--- \n${pod("b")}`,
      ["a", "b"],
    ],
    ["with a marker inside a block scalar", `${pod("a")}data: |\n  x\n  ---\n  y\n---\n${pod("b")}`, ["a", "b"]],
    ["empty", "", []],
    ["of blanks", " \n\n# nothing\n", []],
  ])("%s", (_, text, expected) => {
    expect(problems(text)).toEqual([]);
    expect(names(text)).toEqual(expected);
  });

  it("JSON, one behind the other", () => {
    const json = (name: string) => JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name } }, null, 2);
    expect(names(`${json("a")}\n${json("b")}${json("c")}`)).toEqual(["a", "b", "c"]);
    expect(names(`\ufeff  ${json("a")}`)).toEqual(["a"]);
    expect(names(`${json("a")}\n---\n${json("b")}\n---\n${pod("c")}`)).toEqual(["a", "b", "c"]);
    expect(names('{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "trailing comma",},}')).toEqual([
      "trailing comma",
    ]);
  });

  it("lists give their items, nested and typed ones too", () => {
    const items = (kind: string, ...inner: string[]) => `{apiVersion: v1, kind: ${kind}, items: [${inner.join(", ")}]}`;
    const full = (name: string) => `{apiVersion: v1, kind: Pod, metadata: {name: ${name}}}`;
    expect(names(items("List", full("a"), items("List", full("b")), full("c")))).toEqual(["a", "b", "c"]);
    expect(names(items("List"))).toEqual([]);
    const { documents } = readManifests(items("PodList", "{metadata: {name: a}}"), "x.yaml");
    expect(documents.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`)).toEqual(["v1 Pod"]);
    const empty = readManifests("apiVersion: apps/v1\nkind: DeploymentList\nitems: null\n", "x.yaml");
    expect(empty).toEqual({ documents: [], problems: [] });
  });

  it("know where they begin", () => {
    const { documents } = readManifests(`# head\n${pod("a")}---\n\n  # indented\n${pod("b")}`, "dir/x.yaml");
    expect(documents.map(({ source }) => source)).toEqual([
      { file: "dir/x.yaml", line: 2, column: 1 },
      { file: "dir/x.yaml", line: 8, column: 1 },
    ]);
  });
});

describe("what cannot be read is a problem with its place, and the rest is read", () => {
  it.each<[string, string, string[], unknown[]]>([
    [
      "a duplicate key",
      "apiVersion: v1\nkind: Job\nkind: Pod\nmetadata: {name: a}\n",
      ['x.yaml:3:1: the key "kind" is here twice'],
      ["a"],
    ],
    [
      "a duplicate key of another type",
      '{kind: Pod, apiVersion: v1, metadata: {name: a}, 1: a, "1": b}',
      ['x.yaml:1:56: the key "1" is here twice'],
      ["a"],
    ],
    ["text", "just words\n", ["x.yaml:1:1: this is not a Kubernetes object: it is a string"], []],
    ["a list", "- a\n", ["x.yaml:1:1: this is not a Kubernetes object: it is a list"], []],
    ["no kind", "apiVersion: v1\n", ["x.yaml:1:1: this is not a Kubernetes object: it has no kind"], []],
    [
      "a list without a list",
      "{apiVersion: v1, kind: List, items: {}}",
      ["x.yaml:1:1: this is not a Kubernetes object: its items are an object"],
      [],
    ],
    ["no apiVersion", "kind: Pod\n", ["x.yaml:1:1: this is not a Kubernetes object: it has no apiVersion"], []],
    [
      "a kind that is no text",
      "apiVersion: v1\nkind: 5\n",
      ["x.yaml:1:1: this is not a Kubernetes object: it has no kind"],
      [],
    ],
    ["an unknown alias", "a: *b\n", ["x.yaml:1:4: the alias *b has no anchor &b before it"], []],
    ["an alias to what it is in", "a: &a [*a]\n", ["x.yaml:1:8: the alias *a has no anchor &a before it"], []],
    ["a key that is an object", "? {a: b}\n: c\n", ["x.yaml:1:3: a key must be a string, not an object"], []],
    ["a merge of a text", "a: {<<: b}\n", ["x.yaml:1:9: only objects can be merged with <<, not a string"], []],
    [
      "a template that is not rendered",
      "image: {{ .Values.image }}\n",
      [
        "x.yaml:1:9: a key must be a string, not an object; this looks like a template: render it first, for example with helm template",
      ],
      [],
    ],
    ["a control character", "a: \u0007\n", ["x.yaml:1:4: control characters are not allowed here"], []],
    [
      "between others",
      `${pod("a")}---\nkind: [\n---\n${pod("b")}---\n- x\n---\n${pod("c")}`,
      [
        "x.yaml:6:1: flow sequence in block collection must be sufficiently indented and end with a ]",
        "x.yaml:11:1: this is not a Kubernetes object: it is a list",
      ],
      ["a", "b", "c"],
    ],
    [
      "inside quotes that never end",
      `${pod("a")}---\nkind: "\n---\n${pod("b")}`,
      ['x.yaml:6:1: missing closing "quote'],
      ["a", "b"],
    ],
  ])("%s", (_, text, expected, read) => {
    expect(problems(text)).toEqual(expected);
    expect(names(text)).toEqual(read);
  });

  it.each<[string, string]>([
    ['{"a": 1', "x.json:1:8: a comma or } is expected here, not the end of the text"],
    ['{"a" 1}', 'x.json:1:6: a colon is expected here, not "1"'],
    ['{"a": nul}', 'x.json:1:7: a value is expected here, not "n"'],
    ['{"a": "\\x"}', "x.json:1:7: this string has an escape sequence that JSON does not know"],
    [
      '{"a": "x',
      "x.json:1:9: the end of the string, or an escaped character, is expected here, not the end of the text",
    ],
    ['{"apiVersion": "v1", "kind": "Pod"}\n{"a": }', 'x.json:2:7: a value is expected here, not "}"'],
    ['{"a": 1,}', 'x.json:1:9: a key in double quotes is expected here, not "}"'],
  ])("JSON: %j", (text, expected) => expect(problems(text, "x.json")).toEqual([expected]));

  it("what comes before a broken JSON document is read", () => {
    const text = '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}\n{"a": ';
    expect(names(text)).toEqual(["a"]);
    expect(problems(text)).toHaveLength(1);
  });
});

describe("hostile input", () => {
  const bomb = [
    "a0: &a0 [x, x, x, x, x, x, x, x, x, x]",
    ...Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(10).fill(`*a${i}`).join(", ")}]`),
  ].join("\n");
  const mergeBomb = [
    `m: &m {${Array.from({ length: 1000 }, (_, i) => `k${i}: v`).join(", ")}}`,
    ...Array.from({ length: 2000 }, (_, i) => `m${i}: {<<: *m}`),
  ].join("\n");
  const deepAliases = Array.from(
    { length: 50 },
    (_, i) => `d${i}: &d${i} ${"[".repeat(50)}${i === 0 ? "x" : `*d${i - 1}`}${"]".repeat(50)}`,
  ).join("\n");

  it.each<[string, string, RegExp]>([
    ["a bomb of aliases", bomb, /^x\.yaml:6:\d+: aliases repeat more than 200000 values$/],
    ["a bomb of merges", mergeBomb, /aliases repeat more than 200000 values$/],
    ["aliases that pile up depth", deepAliases, /nested more than 200 levels deep$/],
    ["brackets", "[".repeat(100_000), /nested more than 200 levels deep$/],
    ["closed brackets", "[".repeat(300) + "]".repeat(300), /^x\.yaml:1:201: nested more than 200 levels deep$/],
    ["indentation", Array.from({ length: 400 }, (_, i) => `${" ".repeat(i)}a:`).join("\n"), /nested more than 200/],
    ["deep JSON", `{"a": ${"[".repeat(300)}`, /^x\.yaml:1:207: nested more than 200 levels deep$/],
    ["a text that is too long", " ".repeat(limits.textLength + 1), /^x\.yaml:1:1: the text is longer than 64 MiB$/],
    [
      "too many documents",
      "---\n".repeat(limits.documents + 5),
      /^x\.yaml:100001:1: there are more than 100000 documents/,
    ],
    [
      "too many items",
      JSON.stringify({
        apiVersion: "v1",
        kind: "List",
        items: Array(limits.documents + 5).fill({ apiVersion: "v1", kind: "A" }),
      }),
      /there are more than 100000 documents/,
    ],
  ])("%s", (_, text, expected) => {
    const found = problems(text);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(expected);
  });

  it.each([
    ["brackets", "["],
    ["braces", "{a: "],
    ["pairs in brackets", "[a: "],
    ["dashes", "- "],
    ["marked keys", "? "],
    ["marked keys in brackets", "[? "],
    ["anchors on brackets", "&a ["],
    ["tags on braces", "!a {"],
  ])("900 %s, at the beginning, below a key and in JSON's place, are too deep", (_, opening) => {
    for (const before of ["", "a: ", "a:\n  b:\n    ", '{"a": ', "---\n# x\n"]) {
      const found = problems(before + opening.repeat(900));
      expect(found).toHaveLength(1);
      expect(found[0]).toMatch(
        /nested more than 200 levels deep$|is expected here|[Nn]ested mappings|not allowed|unexpected/,
      );
    }
  });

  it.each([
    ["brackets", "["],
    ["closed brackets", "[],"],
    ["closing brackets", "]"],
    ["dashes", "- "],
    ["marked keys", "? "],
    ["keys", "a: "],
    ["braces in a list", "[{},"],
  ])("10 MB of %s cost a second or two, not minutes", (_, unit) => {
    const started = process.cpuUsage();
    expect(problems(unit.repeat(10_000_000 / unit.length))).toHaveLength(1);
    const { user } = process.cpuUsage(started);
    expect(user / 1e6).toBeLessThan(10);
  });

  const quiet = [
    `"${"[{".repeat(500)}"`,
    `'${"[{- ? ".repeat(500)}'`,
    `x${"[{".repeat(500)}`,
    `|\n    ${"[{- ? ".repeat(500)}\n    ${"]}".repeat(3)}`,
    `>-\n    ${"- ".repeat(500)}x`,
    `1 # ${"[{".repeat(500)}`,
    `[${Array(1000).fill("[{a: [b]}, []]").join(", ")}]`,
    `{${Array.from({ length: 500 }, (_, i) => `k${i}: {}`).join(", ")}}`,
    `\n${Array.from({ length: 1000 }, () => "  - - - a").join("\n")}`,
    `${"[".repeat(199)}${"]".repeat(199)}`,
    `\n${Array.from({ length: 150 }, (_, i) => `${"  ".repeat(i + 1)}a:`).join("\n")} 1`,
  ];
  it.each(quiet.map((value, at) => [at, value] as const))("value %i is not taken for a deep one", (_, value) => {
    const text = `apiVersion: v1\nkind: A\na: ${value}\nb: 1\n`;
    expect(problems(text)).toEqual([]);
    // By way of the syntax tree, too.
    expect(problems(`${text}c: &x 1\nd: *x\n`)).toEqual([]);
  });

  it("names of JavaScript's own are names like any other", () => {
    const text = "apiVersion: constructor/v1\nkind: constructor\n__proto__: {polluted: true}\ntoString: a\n";
    const { documents } = readManifests(text, "x.yaml");
    expect(documents[0]?.root.entries.get("__proto__")?.kind).toBe("mapping");
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  it("anything at all is read without a crash", () => {
    const fragment = fc.constantFrom(
      "---",
      "...",
      "{",
      "}",
      "[",
      "]",
      "a: ",
      "- ",
      "? ",
      "&a ",
      "*a",
      "<<: ",
      "|",
      ">",
      '"',
      "'",
      "#",
      "\n",
      "  ",
      "\t",
      "!!int ",
      "%YAML 1.1",
      "\r\n",
      "\ufeff",
      "x",
      ",",
      ":",
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(fragment, fc.string()), { maxLength: 40 }), (parts) => {
        const { documents, problems: found } = readManifests(parts.join(""), "x");
        expect(documents.length + found.length).toBeGreaterThanOrEqual(0);
        for (const { source } of found) expect(source.line).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });
});

describe("JSON and YAML", () => {
  it("of the same object mean the same", () => {
    const object = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 }));
    fc.assert(
      fc.property(object, (value) => {
        const text = JSON.stringify({ ...value, apiVersion: "v1", kind: "Any" });
        const { documents, problems: found } = readManifests(text, "x.json");
        expect(found).toEqual([]);
        expect(documents.map(({ root }) => plain(root))).toEqual([JSON.parse(text)]);
      }),
    );
  });
});
