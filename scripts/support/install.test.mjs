import { expect, test } from "vitest";
import { failureText, fulfils } from "./install.mjs";

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

test.each([
  ["request to https://r.test/a failed, reason: getaddrinfo ENOTFOUND r.test", "r.test cannot be reached (ENOTFOUND)"],
  ["request to http://127.0.0.1:1/a failed, reason: ECONNREFUSED", "127.0.0.1:1 cannot be reached (ECONNREFUSED)"],
  ["npm error code ETIMEDOUT", "fetched: ETIMEDOUT"],
])("without a network, what is missing is said: %s", (said, expected) => {
  const text = failureText(`npm http fetch GET https://r.test/a attempt 1 failed\nnpm error ${said}\n    at stack`, 1);
  expect(text).toContain(`The packages cannot be ${expected.startsWith("fetched") ? "" : "fetched: "}${expected}.`);
  expect(text).not.toMatch(/stack|npm error/);
});

test("any other failure is told in npm's words", () => {
  const text = failureText(
    "npm http fetch GET 200 https://r.test/a 5ms\nnpm error code EACCES\nnpm error path /x\n",
    243,
  );
  expect(text).toBe("npm error code EACCES\nnpm error path /x\n\nnpm ci ended with status 243.");
});
