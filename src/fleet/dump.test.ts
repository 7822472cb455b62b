import { describe, expect, it } from "vitest";
import { type DumpedObject, readDump } from "./dump.ts";
import { listText } from "./testing/objects.ts";

async function read(text: string | Uint8Array, pieceLength = Number.POSITIVE_INFINITY) {
  const bytes = Buffer.from(text);
  const objects: DumpedObject[] = [];
  async function* pieces() {
    for (let at = 0; at < bytes.length; at += pieceLength) yield bytes.subarray(at, at + pieceLength);
  }
  const result = await readDump(pieces(), "eu.json", (object) => objects.push(object));
  expect(result.objects).toBe(objects.length);
  return { values: objects.map(({ value }) => value), objects, problem: result.problem };
}

const tricky = [{ a: 'a "quoted" } ] \\ text', b: [{}, [], "é€😀", null, 1.5e3, true] }, {}, { kind: "Pod" }];

describe("readDump", () => {
  it.each([1, 2, 3, 7, 64, 100_000])("reads each object of a list, in pieces of %i bytes", async (length) => {
    const { values, problem } = await read(listText(tricky), length);
    expect(problem).toBeUndefined();
    expect(values).toEqual(tricky);
  });

  it("reads lists in one line, empty ones, several after one another, and a byte order mark", async () => {
    const text = `\ufeff{"items":[]}{"apiVersion":"v1","n":-1.5,"x":{"items":[1]},"items":[{"a":1},{"a":2}]}\r\n{"items":[{"a":3}]}`;
    expect(await read(text, 1)).toMatchObject({ values: [{ a: 1 }, { a: 2 }, { a: 3 }], problem: undefined });
  });

  it("says of what kind the objects of a typed list are, where that stands before them", async () => {
    const { objects } = await read(
      '{"kind":"PodList","items":[{}]} {"items":[{}],"kind":"NodeList"} {"kind":"List","items":[{}]}',
    );
    expect(objects.map(({ impliedKind }) => impliedKind)).toEqual(["Pod", undefined, undefined]);
  });

  it("says where an object begins", async () => {
    const { objects } = await read('{"items": [\n  {},\n {}]}', 3);
    expect(objects.map(({ place }) => place)).toEqual([
      { line: 2, column: 3 },
      { line: 3, column: 2 },
    ]);
  });

  it.each([
    [
      "nothing at all",
      "",
      1,
      1,
      /which begins with \{, must be here, and there is nothing; nothing before it was read/,
    ],
    [
      "a manifest",
      "apiVersion: v1\n",
      1,
      1,
      /a list as kubectl get -o json prints it, which begins with \{ must be here/,
    ],
    ["an object that is no list", '{"kind":"Pod"}', 1, 14, /a comma or } must be here/],
    ["items that are no list", '{"items": 5 }', 1, 11, /items must be a list/],
    [
      "an item that is no object",
      '{"items":[{},\n 5]}',
      2,
      2,
      /an object must be here; before it, 1 object could be read/,
    ],
    [
      "an item that is not JSON",
      '{"items":[{},{"a":tru}]}',
      1,
      14,
      /what begins here is not JSON; before it, 1 object/,
    ],
    ["brackets that do not fit", '{"items":[{"a":[}}]}', 1, 11, /what begins here is not JSON/],
    ["no comma", '{"items":[{} {}]}', 1, 14, /a comma or \] must be here/],
    ["a comma too many", '{"items":[{},]}', 1, 14, /an object must be here/],
    ["something after the list", '{"items":[{}]}\nError from server', 2, 1, /must be here; before it, 1 object/],
    [
      "a file that was cut off in an object",
      '{"items":[{},\n{"a":',
      2,
      6,
      /ends here, in the middle of an object; before it, 1 object/,
    ],
    ["a file that was cut off between objects", '{"items":[{},', 1, 14, /ends here, where an object must be/],
    ["a string without end", '{"items":[{"a":"}]}', 1, 20, /ends here, in the middle/],
  ])("tells of %s", async (_name, text, line, column, message) => {
    for (const length of [1, 1000]) {
      const { problem } = await read(text, length);
      expect(problem?.message).toMatch(message);
      expect(problem?.source).toEqual({ file: "eu.json", line, column });
    }
  });

  it("does not show what stands in a damaged object", async () => {
    const { problem } = await read('{"items":[{"env": hunter2}]}');
    expect(problem?.message).not.toContain("hunter");
  });

  it("tells of UTF-16 and of bytes that are not UTF-8", async () => {
    expect((await read(Buffer.from("\ufeff{}", "utf16le"))).problem?.message).toMatch(/UTF-16; save it as UTF-8/);
    expect((await read(Buffer.from('{"items":[{"a":"\xff"}]}', "latin1"))).problem?.message).toMatch(/not JSON/);
  });

  it("refuses an object that is too deep or too long, and keeps none of it", async () => {
    const deep = await read(`{"items":[{"a":${"[".repeat(1_000_000)}`);
    expect(deep.problem?.message).toMatch(/more than 200 levels/);
    const long = await read(`{"items":[{},{"a":"${"x".repeat(9 * 1024 * 1024)}"}]}`, 65_536);
    expect(long).toMatchObject({ values: [{}], problem: { source: { line: 1, column: 14 } } });
    expect(long.problem?.message).toMatch(/longer than 8 MiB/);
  });
});
