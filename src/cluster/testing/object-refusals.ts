/** What an API server refuses, in its words. */
import type { ServerResponse } from "node:http";
import type { ListedKind } from "../kinds.ts";
import { refuse } from "./api-server.ts";

export function refuseAs(response: ServerResponse, user: "stranger" | "powerless", plural = "things"): void {
  if (user === "stranger") return refuse(response, 401, { reason: "Unauthorized", message: "Unauthorized" });
  const message = `${plural} is forbidden: User "nobody" cannot list resource "${plural}" in API group "" at the cluster scope`;
  refuse(response, 403, { reason: "Forbidden", message });
}

/** A group that is there says so in a `Status`; where there is none, nobody knows the path. */
export function refusePath(
  response: ServerResponse,
  kinds: readonly ListedKind[],
  apiVersion: string | undefined,
): void {
  if (kinds.some((kind) => kind.apiVersion === apiVersion)) {
    return refuse(response, 404, {
      reason: "NotFound",
      message: "the server could not find the requested resource",
      details: {},
    });
  }
  response.writeHead(404, { "content-type": "text/plain; charset=utf-8" });
  response.end("404 page not found\n");
}

export function refuseInvalid(response: ServerResponse, field: string, value: string): void {
  refuse(response, 400, { reason: "BadRequest", message: `${field}: Invalid value: "${value}"` });
}

/** A version that is not there yet (k8s apiserver storage/errors.go). */
export function refuseFuture(response: ServerResponse, asked: number, current: number): void {
  refuse(response, 504, {
    reason: "Timeout",
    message: `Timeout: Too large resource version: ${asked}, current: ${current}`,
    details: { causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }] },
  });
}

/** @param continuation with which the list may go on, at a later moment */
export function refuseExpired(response: ServerResponse, continuation?: string): void {
  const message =
    continuation === undefined
      ? "The resourceVersion for the provided list is too old."
      : "The provided continue parameter is too old to display a consistent list result.";
  const metadata = continuation === undefined ? {} : { continue: continuation };
  refuse(response, 410, { reason: "Expired", message, metadata });
}
