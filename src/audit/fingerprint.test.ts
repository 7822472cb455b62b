import { expect, test } from "vitest";
import { plainPath } from "./fingerprint.ts";

test.each([
  ["deploy/web.yaml", "/"],
  ["./deploy/web.yaml", "/"],
  ["deploy\\web.yaml", "\\"],
  [".\\deploy\\web.yaml", "\\"],
] as const)("a baseline knows %s wherever it was written", (file, separator) => {
  expect(plainPath(file, separator)).toBe("deploy/web.yaml");
});
