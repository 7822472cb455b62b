/**
 * Calls over a unix socket: grpc-js carries them, protobuf-es reads and writes the messages. Together they keep the
 * fields that we do not know, which a proxy must.
 */

import type {
  DescMessage,
  DescMethodBiDiStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import {
  type ClientDuplexStream,
  type ClientReadableStream,
  credentials,
  Client as GrpcClient,
  Metadata,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import { PulleyError } from "../errors.ts";
import { networkWords } from "../network-words.ts";
import { mostMessageBytes, pathOf, reading, writing } from "./codec.ts";

export interface CallOptions {
  /** Headers of the call, `containerd-namespace` and the like. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds after which the call fails; none if absent. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Failures are `PulleyError`s: `RUNTIME_UNREACHABLE`, `CANCELLED`, or `RUNTIME_FAILED`, with the status as {@link
 * statusOf} tells it.
 */
export interface Channel {
  unary<Input extends DescMessage, Output extends DescMessage>(
    method: DescMethodUnary<Input, Output>,
    request: MessageInitShape<Input>,
    options?: CallOptions,
  ): Promise<MessageShape<Output>>;
  /** What the server sends, as it comes; leaving the loop early cancels the call. */
  serverStream<Input extends DescMessage, Output extends DescMessage>(
    method: DescMethodServerStreaming<Input, Output>,
    request: MessageInitShape<Input>,
    options?: CallOptions,
  ): AsyncIterable<MessageShape<Output>>;
  bidi<Input extends DescMessage, Output extends DescMessage>(
    method: DescMethodBiDiStreaming<Input, Output>,
    options?: CallOptions,
  ): Conversation<MessageInitShape<Input>, MessageShape<Output>>;
  close(): void;
}

export interface Conversation<Input, Output> {
  /** Resolves when the message has been taken over, so that a slow server slows us down. */
  send(message: Input): Promise<void>;
  /** Says that nothing more will be sent. */
  end(): void;
  readonly answers: AsyncIterator<Output>;
  cancel(): void;
}

/** @param socket path of the unix socket */
export function openChannel(socket: string): Channel {
  const client = new GrpcClient(`unix://${socket}`, credentials.createInsecure(), {
    "grpc.max_receive_message_length": mostMessageBytes,
    "grpc.max_send_message_length": mostMessageBytes,
    // What Go's servers accept; a socket's path as the authority is refused by many.
    "grpc.default_authority": "localhost",
    // To look whether a socket is there again costs nothing: what was away for an hour is not to be missed for minutes.
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 1000,
  });

  return {
    unary: (method, request, options = {}) =>
      new Promise((resolve, reject) => {
        const call = client.makeUnaryRequest(
          pathOf(method),
          writing(method.input),
          reading(method.output),
          create(method.input, request),
          headersOf(options),
          settingsOf(options),
          (error, answer) => {
            stopListening();
            if (error !== null) reject(failureOf(socket, error));
            else if (answer === undefined) reject(new PulleyError("RUNTIME_FAILED", `${socket}: an empty answer`));
            else resolve(answer);
          },
        );
        const stopListening = cancelOn(options.signal, call);
      }),

    serverStream: (method, request, options = {}) => ({
      [Symbol.asyncIterator]: () => {
        const call = client.makeServerStreamRequest(
          pathOf(method),
          writing(method.input),
          reading(method.output),
          create(method.input, request),
          headersOf(options),
          settingsOf(options),
        );
        return answersOf(socket, call, options);
      },
    }),

    bidi: (method, options = {}) => {
      const call = client.makeBidiStreamRequest(
        pathOf(method),
        writing(method.input),
        reading(method.output),
        headersOf(options),
        settingsOf(options),
      );
      return {
        send: (message) => send(call, create(method.input, message)),
        end: () => call.end(),
        answers: answersOf(socket, call, options),
        cancel: () => call.cancel(),
      };
    },

    close: () => client.close(),
  };
}

/** The name of the status with which a call failed (`NOT_FOUND`); `undefined` for any other error. */
export function statusOf(error: unknown): keyof typeof status | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  if (!(cause instanceof Error) || !("code" in cause)) return undefined;
  const name = typeof cause.code === "number" ? status[cause.code] : undefined;
  return name !== undefined && isStatusName(name) ? name : undefined;
}

function isStatusName(name: string): name is keyof typeof status {
  return name in status;
}

/** What grpc-js says around the reason why there is no connection. */
const aroundReason = /^No connection established\. Last error: (?:Error: )?|\.? Resolution note: *$/g;

/** The server's own words about a failed call, or why it could not be made. */
function failureOf(socket: string, error: ServiceError): PulleyError {
  const words = error.details.replaceAll(aroundReason, "");
  const text = `${socket}: ${words === "" ? error.message : networkWords(words)}`;
  const details = { cause: error };
  if (error.code === status.UNAVAILABLE) return new PulleyError("RUNTIME_UNREACHABLE", text, details);
  if (error.code === status.CANCELLED) return new PulleyError("CANCELLED", text, details);
  return new PulleyError("RUNTIME_FAILED", text, details);
}

function send<Message>(call: ClientDuplexStream<Message, unknown>, message: Message): Promise<void> {
  return new Promise((resolve, reject) => {
    call.write(message, (error?: Error | null) => (error ? reject(error) : resolve()));
  });
}

async function* answersOf<Message>(
  socket: string,
  call: ClientReadableStream<Message>,
  { signal }: CallOptions,
): AsyncGenerator<Message, void> {
  const stopListening = cancelOn(signal, call);
  try {
    for await (const message of call) yield message;
  } catch (error) {
    throw isServiceError(error) ? failureOf(socket, error) : error;
  } finally {
    stopListening();
    call.cancel();
    // Errors of a cancelled call are ignored.
    call.on("error", () => undefined);
  }
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && "details" in error && "code" in error;
}

function cancelOn(signal: AbortSignal | undefined, call: { cancel(): void }): () => void {
  if (signal === undefined) return () => undefined;
  const cancel = () => call.cancel();
  if (signal.aborted) cancel();
  signal.addEventListener("abort", cancel, { once: true });
  return () => signal.removeEventListener("abort", cancel);
}

function headersOf({ headers = {} }: CallOptions): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  return metadata;
}

function settingsOf({ timeout }: CallOptions): { deadline?: number } {
  return timeout === undefined ? {} : { deadline: Date.now() + timeout };
}
