import { expect, test } from "vitest";
import type { Failure } from "../../pull/index.ts";
import { PulleyError } from "../../support/errors.ts";
import { CallFailure } from "../grpc/status.ts";
import { callFailureOf, pullFailureOf } from "./failures.ts";

const failure = { reason: "ErrImagePull", message: "text", advice: undefined, backOffUntil: undefined } as const;

test.each<[Partial<Failure>, string, string]>([
  [{ code: "REGISTRY_UNREACHABLE" }, "UNKNOWN", "RegistryUnavailable: text"],
  [{ code: "REGISTRY_UNAVAILABLE" }, "UNKNOWN", "RegistryUnavailable: text"],
  [{ code: "REGISTRY_RATE_LIMITED" }, "UNKNOWN", "RegistryUnavailable: text"],
  [{ code: "REGISTRY_STALLED" }, "UNKNOWN", "RegistryUnavailable: text"],
  [{ code: "REGISTRY_UNAUTHORIZED" }, "UNKNOWN", "text"],
  [{ code: "REGISTRY_NOT_FOUND" }, "UNKNOWN", "text"],
  [{ code: "DIGEST_MISMATCH" }, "UNKNOWN", "text"],
  [{ code: "DISK_FULL" }, "RESOURCE_EXHAUSTED", "text"],
  [{ code: "CANCELLED" }, "CANCELLED", "text"],
  [{ reason: "ImageDenied" }, "UNKNOWN", "text"],
  [{ reason: "InvalidImageName" }, "INVALID_ARGUMENT", "text"],
])("a pull that fails with %o ends with %s", (given, status, message) => {
  expect(pullFailureOf({ ...failure, ...given })).toMatchObject({ status, message });
});

test.each<[unknown, string, string]>([
  [new PulleyError("REFERENCE_INVALID", "text"), "INVALID_ARGUMENT", "text"],
  [new PulleyError("CREDENTIALS_INVALID", "text"), "INVALID_ARGUMENT", "text"],
  [new PulleyError("IMAGE_NOT_FOUND", "text"), "NOT_FOUND", "text"],
  [new PulleyError("STORE_FAILED", "text"), "UNKNOWN", "text"],
  [new PulleyError("RUNTIME_UNREACHABLE", "text"), "UNAVAILABLE", "text"],
  [new CallFailure("UNIMPLEMENTED", "text"), "UNIMPLEMENTED", "text"],
  [new TypeError("text"), "INTERNAL", "text"],
])("%s ends with %s", (error, status, message) => {
  expect(callFailureOf(error)).toMatchObject({ status, message });
});
