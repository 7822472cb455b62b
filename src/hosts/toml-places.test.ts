import { describe, expect, it } from "vitest";
import { parseToml, placeOf, spanOf } from "./toml.ts";
import type { TomlPath } from "./toml-places.ts";

const text = `# a comment with [brackets] and "quotes"
server = "https://a.io"
[host."https://b.io"]
  capabilities = [
    "pull", # with a comment, ]
    'resolve',
  ]
  client = [["one.cert", "one.key"], [ "two" , "" ]]
  note = """
[not.a.table]
"""
[host.'https://c.io'.header]
x-inline = { "a.b" = 1, c = [2, { d = 3 }] }
dotted . "key" = 2026-11-24T20:00:00Z
[[registry]]
location = 'one'
[[registry.mirror]]
location = "m1"
[[registry.mirror]]
location = "m2"
[[registry]]
location = "two"
[[registry.mirror]]
location = "m3"
`;

describe("places in TOML", () => {
  const document = parseToml(text, "hosts.toml");

  it.each<[TomlPath, string]>([
    [["server"], '"https://a.io"'],
    [["host", "https://b.io", "capabilities", 0], '"pull"'],
    [["host", "https://b.io", "capabilities", 1], "'resolve'"],
    [["host", "https://b.io", "client"], '[["one.cert", "one.key"], [ "two" , "" ]]'],
    [["host", "https://b.io", "client", 1, 0], '"two"'],
    [["host", "https://b.io", "note"], '"""\n[not.a.table]\n"""'],
    [["host", "https://c.io", "header", "x-inline", "a.b"], "1"],
    [["host", "https://c.io", "header", "x-inline", "c", 1, "d"], "3"],
    [["host", "https://c.io", "header", "dotted", "key"], "2026-11-24T20:00:00Z"],
    [["registry", 0, "location"], "'one'"],
    [["registry", 0, "mirror", 1, "location"], '"m2"'],
    [["registry", 1, "mirror", 0, "location"], '"m3"'],
  ])("%j is %s", (path, expected) => {
    const { start, end } = spanOf(document, path, "value");
    expect(text.slice(start, end)).toBe(expected);
  });

  it.each<[TomlPath, string]>([
    [["server"], "server"],
    [["host", "https://b.io"], '[host."https://b.io"]'],
    [["host", "https://c.io", "header"], "[host.'https://c.io'.header]"],
    [["host", "https://c.io", "header", "dotted", "key"], '"key"'],
    [["registry", 1, "mirror", 0], "[[registry.mirror]]"],
    [["host", "https://b.io", "missing"], '[host."https://b.io"]'],
  ])("the key of %j is %s", (path, expected) => {
    const { start, end } = spanOf(document, path, "key");
    expect(text.slice(start, end)).toBe(expected);
  });

  it("are lines and columns", () => {
    const { start } = spanOf(document, ["host", "https://b.io", "capabilities", 0], "value");
    expect(placeOf(text, start)).toEqual({ line: 5, column: 5 });
    expect(placeOf(text, 0)).toEqual({ line: 1, column: 1 });
  });

  it("of a mistake are in the failure", () => {
    expect(() => parseToml('a = 1\nb = "x\n', "f.toml")).toThrow(/^f\.toml:2:7: /);
  });
});
