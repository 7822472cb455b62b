/** What an image service alone can say of the runtime that it is not. */

import { pathOf } from "../support/grpc/codec.ts";
import { RuntimeService } from "./api/runtime/v1/api_pb.js";
import { type Methods, unary } from "./grpc/methods.ts";

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
