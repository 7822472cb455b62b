/** Answers of RuntimeService without a container runtime, and the check of runtime handlers. */

import { quote } from "../support/go.ts";
import type { Channel } from "../support/grpc/client.ts";
import { pathOf } from "../support/grpc/codec.ts";
import { RuntimeService } from "./api/runtime/v1/api_pb.js";
import { type GrpcCall, type Methods, unary } from "./grpc/methods.ts";
import { CallFailure } from "./grpc/status.ts";

const reason = "ImageServiceOnly";
const message = "this is an image service: start pulley node with --runtime to hand containers to a container runtime";

/** @param version Pulley's */
export function imageServiceOnly(version: string): Methods {
  const { method } = RuntimeService;
  return new Map([
    [
      pathOf(method.version),
      unary(method.version, async () => {
        return { version: "0.1.0", runtimeName: "pulley", runtimeVersion: version, runtimeApiVersion: "v1" };
      }),
    ],
    [
      pathOf(method.status),
      unary(method.status, async () => ({
        status: {
          conditions: [
            { type: "RuntimeReady", status: false, reason, message },
            { type: "NetworkReady", status: false, reason, message },
          ],
        },
      })),
    ],
  ]);
}

/** Why a call is not answered. */
export function notImplemented(path: string): string {
  if (path.startsWith(`/${RuntimeService.typeName}/`)) return `${path.slice(1)}: ${message}`;
  return `${path.slice(1)} is not known here`;
}

export type CheckHandler = (handler: string, call: GrpcCall) => Promise<void>;

/** Without a container runtime there are no handlers. */
export const noHandlers: CheckHandler = async (handler) => {
  throw unknown(handler);
};

/**
 * The handlers that a runtime lists in its status; asked for again only for one that is not known yet. A runtime that lists
 * none, as those before 2024, may have any: it will say so itself when it is to run something.
 */
export function handlersOf(runtime: Pick<Channel, "unary">): CheckHandler {
  let known: ReadonlySet<string> = new Set();
  return async (handler, { signal }) => {
    if (known.has(handler)) return;
    const { runtimeHandlers } = await runtime.unary(RuntimeService.method.status, {}, { signal });
    known = new Set(runtimeHandlers.map(({ name }) => name));
    if (known.size > 0 && !known.has(handler)) throw unknown(handler);
  };
}

function unknown(handler: string): CallFailure {
  return new CallFailure("INVALID_ARGUMENT", `the runtime handler ${quote(handler)} is not known here`);
}
