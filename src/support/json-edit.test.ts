import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { removeMember, setMember } from "./json-edit.ts";

const login = { auth: "eA==" };

describe("a member that is set", () => {
  it.each([
    ["in an empty object", "{}\n", '{\n\t"auths": {\n\t\t"r.io": {\n\t\t\t"auth": "eA=="\n\t\t}\n\t}\n}\n'],
    ["in one line", '{"a": 1}', '{"a": 1, "auths": {"r.io":{"auth":"eA=="}}}'],
    [
      "behind others, in their indentation",
      '{\n  "auths": {\n    "b": {}\n  },\n  "z": 1.0\n}',
      '{\n  "auths": {\n    "b": {},\n    "r.io": {\n      "auth": "eA=="\n    }\n  },\n  "z": 1.0\n}',
    ],
    [
      "in the place of another value",
      '{\n\t"auths": {\n\t\t"r.io": {"auth": "old", "email": "x"},\n\t\t"b": {}\n\t}\n}',
      '{\n\t"auths": {\n\t\t"r.io": {\n\t\t\t"auth": "eA=="\n\t\t},\n\t\t"b": {}\n\t}\n}',
    ],
    ["in the place of null", '{"auths": null, "a": 1}', '{"auths": {"r.io":{"auth":"eA=="}}, "a": 1}'],
    [
      "with the line breaks of the file",
      '{\r\n "a": 1\r\n}',
      '{\r\n "a": 1,\r\n "auths": {\r\n  "r.io": {\r\n   "auth": "eA=="\r\n  }\r\n }\r\n}',
    ],
  ])("%s", (_name, before, after) => {
    expect(setMember(before, ["auths", "r.io"], login)).toBe(after);
  });

  it("leaves numbers and strings as they are written", () => {
    const before = '{"a": 12345678901234567890, "b\\u0041": "}{\\"", "c": [1e3, {"auths": {}}]}';
    expect(setMember(before, ["auths"], {})).toBe(`${before.slice(0, -1)}, "auths": {}}`);
  });
});

describe("a member that is removed", () => {
  it.each([
    ["the only one", '{"auths": {"r.io": {"auth": "x"}}}', '{"auths": {}}'],
    ["the first", '{"auths": {"r.io": {}, "b": {}}}', '{"auths": {"b": {}}}'],
    ["the last", '{"auths": {"b": {}, "r.io": {}}}', '{"auths": {"b": {}}}'],
    ["none", '{"auths": {"b": {}}}', '{"auths": {"b": {}}}'],
    ["none below null", '{"auths": null}', '{"auths": null}'],
  ])("is %s", (_name, before, after) => {
    expect(removeMember(before, ["auths", "r.io"])).toBe(after);
  });
});

it("changes nothing else, whatever the document", () => {
  const document = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 5 });
  const layout = fc.constantFrom(undefined, 2, "\t");
  fc.assert(
    fc.property(document, fc.string(), layout, (value, key, indent) => {
      const others = JSON.stringify(Object.entries(value).filter(([name]) => name !== key));
      const set = setMember(JSON.stringify(value, null, indent), [key], login);
      const removed = removeMember(set, [key]);
      const entries = Object.entries(JSON.parse(set) as Record<string, unknown>);
      expect(entries.find(([name]) => name === key)?.[1]).toEqual(login);
      expect(JSON.stringify(entries.filter(([name]) => name !== key))).toBe(others);
      expect(JSON.stringify(Object.entries(JSON.parse(removed) as object))).toBe(others);
    }),
  );
});
