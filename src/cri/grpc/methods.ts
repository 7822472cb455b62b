/** What a server answers, by the paths of the calls. */
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import {
  create,
  type DescMessage,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { CallFailure } from "./status.ts";

export interface GrpcCall {
  /** Aborts when the caller has gone or waits no longer; its reason is a {@link CallFailure}. */
  readonly signal: AbortSignal;
}

/** Takes the bytes of the request's message and gives those of the answer's. */
export type Method =
  | { readonly kind: "unary"; answer(request: Uint8Array, call: GrpcCall): Promise<Uint8Array> }
  | { readonly kind: "serverStream"; answers(request: Uint8Array, call: GrpcCall): AsyncIterable<Uint8Array> }
  /** Passed on to `onward`, with its body as it came, if the check does not reject. */
  | { readonly kind: "checked"; check(request: Uint8Array, call: GrpcCall): Promise<void>; readonly onward: Onward };

export type Onward = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, body: Buffer) => void;

/** By path, `/runtime.v1.ImageService/PullImage`. */
export type Methods = ReadonlyMap<string, Method>;

export function unary<Input extends DescMessage, Output extends DescMessage>(
  { input, output }: DescMethodUnary<Input, Output>,
  answer: (request: MessageShape<Input>, call: GrpcCall) => Promise<MessageInitShape<Output>>,
): Method {
  return {
    kind: "unary",
    answer: async (bytes, call) => encode(output, await answer(decode(input, bytes), call)),
  };
}

/** For an answer that is kept ready as bytes. */
export function unaryOfBytes<Input extends DescMessage, Output extends DescMessage>(
  { input }: DescMethodUnary<Input, Output>,
  answer: (request: MessageShape<Input>, call: GrpcCall) => Promise<Uint8Array>,
): Method {
  return { kind: "unary", answer: (bytes, call) => answer(decode(input, bytes), call) };
}

export function serverStream<Input extends DescMessage, Output extends DescMessage>(
  { input, output }: DescMethodServerStreaming<Input, Output>,
  answers: (request: MessageShape<Input>, call: GrpcCall) => AsyncIterable<MessageInitShape<Output>>,
): Method {
  return {
    kind: "serverStream",
    answers: async function* (bytes, call) {
      for await (const answer of answers(decode(input, bytes), call)) yield encode(output, answer);
    },
  };
}

export function encode<Output extends DescMessage>(output: Output, answer: MessageInitShape<Output>): Uint8Array {
  return toBinary(output, create(output, answer));
}

function decode<Input extends DescMessage>(input: Input, bytes: Uint8Array): MessageShape<Input> {
  try {
    return fromBinary(input, bytes);
  } catch (error) {
    throw new CallFailure("INTERNAL", `the request is no ${input.typeName}`, { cause: error });
  }
}
