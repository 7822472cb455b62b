import { expect, test } from "vitest";
import { lockProblems } from "./lock.mjs";

const manifest = { engines: { node: ">=20.19" }, devDependencies: { a: "1.0.0" } };
const sound = { version: "1.0.0", integrity: "sha512-a", engines: { node: "^20.19 || >=22.12" } };

test.each([
  ["nothing", manifest, sound, []],
  ["a range", { ...manifest, devDependencies: { a: "^1.0.0" } }, sound, ["a is not pinned to one version: ^1.0.0"]],
  [
    "a download address",
    manifest,
    { ...sound, resolved: "https://example.com/a.tgz" },
    ["node_modules/a names where it was downloaded from: https://example.com/a.tgz"],
  ],
  ["a missing hash", manifest, { ...sound, integrity: undefined }, ["node_modules/a has no integrity hash"]],
  [
    "a package for newer Nodes",
    manifest,
    { ...sound, engines: { node: ">=22.12" } },
    ["node_modules/a needs Node >=22.12, and we promise >=20.19"],
  ],
])("finds %s", (_, packageFile, entry, expected) => {
  expect(lockProblems(packageFile, { packages: { "": {}, "node_modules/a": entry } })).toEqual(expected);
});

test("is not content with an empty lock file", () => {
  expect(lockProblems(manifest, { packages: { "": {} } })).toHaveLength(1);
});
