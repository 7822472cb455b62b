import { describe, expect, it } from "vitest";
import { type ErrorCode, errorTable, isPulleyError, PulleyError } from "../support/errors.ts";
import { aggregate, isOfSource, isUnreachable } from "./failure.ts";

const codes = Object.keys(errorTable) as ErrorCode[];
const failure = (code: ErrorCode) => new PulleyError(code, code.toLowerCase());

describe("a failure", () => {
  it("says that nobody could be asked only if it is one of four", () => {
    expect(codes.filter((code) => isUnreachable(failure(code)))).toEqual([
      "REGISTRY_RATE_LIMITED",
      "REGISTRY_UNAVAILABLE",
      "REGISTRY_UNREACHABLE",
      "REGISTRY_STALLED",
    ]);
    expect(isUnreachable(new Error("anything else"))).toBe(false);
  });

  it.each<[ErrorCode, boolean]>([
    ["REGISTRY_NOT_FOUND", true],
    ["REGISTRY_TLS", true],
    ["DIGEST_MISMATCH", true],
    ["PLATFORM_MISSING", true],
    ["SOURCE_INVALID", true],
    ["CREDENTIAL_HELPER_FAILED", true],
    ["DISK_FULL", false],
    ["STORE_FAILED", false],
    ["RUNTIME_FAILED", false],
    ["RUNTIME_UNREACHABLE", false],
    ["CANCELLED", false],
    ["INTERNAL", false],
  ])("%s is a source's: %s", (code, ofSource) => {
    expect(isOfSource(failure(code))).toBe(ofSource);
  });
});

describe("several failures", () => {
  it.each<{ given: readonly ErrorCode[]; first: ErrorCode; last: ErrorCode }>([
    {
      given: ["REGISTRY_UNREACHABLE", "REGISTRY_UNAVAILABLE"],
      first: "REGISTRY_UNREACHABLE",
      last: "REGISTRY_UNAVAILABLE",
    },
    { given: ["REGISTRY_NOT_FOUND", "REGISTRY_UNAVAILABLE"], first: "REGISTRY_NOT_FOUND", last: "REGISTRY_NOT_FOUND" },
    {
      given: ["REGISTRY_UNREACHABLE", "REGISTRY_UNAUTHORIZED"],
      first: "REGISTRY_UNAUTHORIZED",
      last: "REGISTRY_UNAUTHORIZED",
    },
    { given: ["DIGEST_MISMATCH", "REGISTRY_NOT_FOUND"], first: "DIGEST_MISMATCH", last: "REGISTRY_NOT_FOUND" },
  ])("$given have the code of an answer if there was one", ({ given, first, last }) => {
    const attempts = given.map((code) => ({ whom: `mirror ${code}`, error: failure(code) }));
    expect(aggregate(attempts, "first")).toMatchObject({ code: first });
    expect(aggregate(attempts, "last")).toMatchObject({ code: last, advice: errorTable[last].advice });
    for (const code of given)
      expect(aggregate(attempts, "last")).toHaveProperty("message", expect.stringContaining(code));
  });

  it.each<[ErrorCode, ErrorCode, ErrorCode]>([
    ["REGISTRY_NOT_FOUND", "REGISTRY_UNREACHABLE", "REGISTRY_UNREACHABLE"],
    ["REGISTRY_NOT_FOUND", "REGISTRY_RATE_LIMITED", "REGISTRY_RATE_LIMITED"],
    ["REGISTRY_NOT_FOUND", "REGISTRY_UNAUTHORIZED", "REGISTRY_UNAUTHORIZED"],
    ["REGISTRY_UNAUTHORIZED", "REGISTRY_UNREACHABLE", "REGISTRY_UNAUTHORIZED"],
    ["DIGEST_MISMATCH", "REGISTRY_UNREACHABLE", "DIGEST_MISMATCH"],
    ["REGISTRY_UNREACHABLE", "REGISTRY_NOT_FOUND", "REGISTRY_NOT_FOUND"],
  ])("of a mirror, %s, and of the registry, %s, are together %s", (mirrors, registrys, code) => {
    const attempts = [
      { whom: "mirror", mirror: true, error: failure(mirrors) },
      { whom: "registry", mirror: false, error: failure(registrys) },
    ];
    expect(aggregate(attempts, "last")).toMatchObject({ code });
  });

  it("are never taken for silence if one of them is something unknown", () => {
    const attempts = [{ error: failure("REGISTRY_UNREACHABLE") }, { error: new Error("a fault") }];
    for (const tells of ["first", "last"] as const) expect(isUnreachable(aggregate(attempts, tells))).toBe(false);
  });

  it("with one text are one, and keep what they are", () => {
    const error = failure("REGISTRY_FORBIDDEN");
    expect(aggregate([{ error }, { error: failure("REGISTRY_FORBIDDEN") }], "first")).toBe(error);
    const named = aggregate([{ whom: "mirror a", error }], "last");
    expect(isPulleyError(named, "REGISTRY_FORBIDDEN") && named.message).toBe("[mirror a: registry_forbidden]");
  });
});
