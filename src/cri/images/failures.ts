/** The gRPC status of a failure. The kubelet shows the text alone only of `UNKNOWN` (k8s cri-client `remote_image.go`). */

import { type Failure, isUnreachableCode } from "../../pull/index.ts";
import { type ErrorCode, errorText, isPulleyError } from "../../support/errors.ts";
import { CallFailure, type StatusCode } from "../grpc/status.ts";

const statuses: Partial<Record<ErrorCode, StatusCode>> = {
  REFERENCE_INVALID: "INVALID_ARGUMENT",
  CREDENTIALS_INVALID: "INVALID_ARGUMENT",
  IMAGE_NOT_FOUND: "NOT_FOUND",
  DISK_FULL: "RESOURCE_EXHAUSTED",
  CANCELLED: "CANCELLED",
  RUNTIME_UNREACHABLE: "UNAVAILABLE",
};

export function callFailureOf(error: unknown): CallFailure {
  if (error instanceof CallFailure) return error;
  const status = isPulleyError(error) ? (statuses[error.code] ?? "UNKNOWN") : "INTERNAL";
  return new CallFailure(status, errorText(error), { cause: error });
}

/** Why an image was not pulled. The kubelet knows one failure by its first word (k8s cri-api `pkg/errors`). */
export function pullFailureOf({ reason, message, code }: Failure): CallFailure {
  if (code !== undefined && isUnreachableCode(code))
    return new CallFailure("UNKNOWN", `RegistryUnavailable: ${message}`);
  if (reason === "InvalidImageName") return new CallFailure("INVALID_ARGUMENT", message);
  return new CallFailure((code && statuses[code]) ?? "UNKNOWN", message);
}
