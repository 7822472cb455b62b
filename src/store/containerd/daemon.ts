/** A connection to containerd: calls in one namespace, with errors that say what was being done. */
import type { DescMessage, DescMethodUnary, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { errorText, isPulleyError, PulleyError } from "../../support/errors.ts";
import { type Channel, openChannel, statusOf } from "../../support/grpc/client.ts";

export interface ContainerdConnection {
  readonly channel: Channel;
  /** Path of the unix socket. */
  readonly socket: string;
  readonly namespace: string;
}

export interface CallSettings {
  /** The lease that keeps what the call makes. */
  readonly lease?: string | undefined;
  /** Milliseconds; a minute by default, for containerd answers from its database. */
  readonly timeout?: number;
}

/** How a call ended that did not succeed (containerd's `errdefs`). */
type Status = ReturnType<typeof statusOf>;

const defaultTimeout = 60_000;

export function connect(socket: string, namespace: string): ContainerdConnection {
  return { channel: openChannel(socket), socket, namespace };
}

/** Headers that say in which namespace and under which lease something happens (containerd `pkg/namespaces`, `leases`). */
export function headersOf({ namespace }: ContainerdConnection, lease?: string): Record<string, string> {
  return { "containerd-namespace": namespace, ...(lease !== undefined && { "containerd-lease": lease }) };
}

/**
 * @param doing what is being done, as after "have containerd"
 * @throws PulleyError `RUNTIME_UNREACHABLE`, `RUNTIME_FAILED`, `DISK_FULL`
 */
export async function call<Input extends DescMessage, Output extends DescMessage>(
  daemon: ContainerdConnection,
  doing: string,
  method: DescMethodUnary<Input, Output>,
  request: MessageInitShape<Input>,
  { lease, timeout = defaultTimeout }: CallSettings = {},
): Promise<MessageShape<Output>> {
  try {
    return await daemon.channel.unary(method, request, { headers: headersOf(daemon, lease), timeout });
  } catch (error) {
    throw withContext(doing, error);
  }
}

/** The outcome, or `undefined` where the call ended with one of these. */
export async function unless<Value>(
  outcome: Promise<Value>,
  ...expected: readonly Status[]
): Promise<Value | undefined> {
  try {
    return await outcome;
  } catch (error) {
    if (isStatus(error, ...expected)) return undefined;
    throw error;
  }
}

export function isStatus(error: unknown, ...expected: readonly Status[]): boolean {
  const status = statusOf(error) ?? (error instanceof Error ? statusOf(error.cause) : undefined);
  return status !== undefined && expected.includes(status);
}

/** The error of a failed call, with what was being done; a full disk has a code of its own. */
export function withContext(doing: string, error: unknown): unknown {
  if (!isPulleyError(error, "RUNTIME_UNREACHABLE", "RUNTIME_FAILED")) return error;
  const text = `Pulley could not have containerd ${doing}: ${errorText(error)}`;
  if (/no space left on device|disk quota exceeded/i.test(error.message)) {
    return new PulleyError("DISK_FULL", text, {
      cause: error,
      advice: "Free space on the file system of containerd's root.",
    });
  }
  return new PulleyError(error.code, text, { cause: error });
}
