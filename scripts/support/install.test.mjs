import { expect, test } from "vitest";
import { fulfils } from "./install.mjs";

const lock = {
  "": { version: "0.1.0" },
  "node_modules/a": { version: "1.0.0", integrity: "sha512-a" },
  "node_modules/b": { version: "1.0.0", integrity: "sha512-b", optional: true },
};
const a = lock["node_modules/a"];

test.each([
  ["everything", { "node_modules/a": a, "node_modules/b": lock["node_modules/b"] }, true],
  ["all but what is for another platform", { "node_modules/a": a }, true],
  ["nothing", {}, false],
  ["an older version", { "node_modules/a": { ...a, version: "0.9.0" } }, false],
  ["other bytes of the same version", { "node_modules/a": { ...a, integrity: "sha512-x" } }, false],
  ["a package that is no longer wanted", { "node_modules/a": a, "node_modules/c": a }, false],
])("an installation with %s", (_, present, expected) => {
  expect(fulfils(present, lock)).toBe(expected);
});
