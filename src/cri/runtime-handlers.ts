/** Whether a runtime handler exists. */
import { quote } from "../support/go.ts";
import type { Channel } from "../support/grpc/client.ts";
import { RuntimeService } from "./api/runtime/v1/api_pb.js";
import type { Call } from "./grpc/methods.ts";
import { CallFailure } from "./grpc/status.ts";

export type CheckHandler = (handler: string, call: Call) => Promise<void>;

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
