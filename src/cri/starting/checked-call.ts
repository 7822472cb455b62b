/** A call that is read and checked before it goes on to the runtime, as it came. */
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { endWith, isCall } from "../grpc/answer.ts";
import { frame, readOnlyMessage } from "../grpc/framing.ts";
import { CallFailure } from "../grpc/status.ts";
import type { PassThrough } from "../pass-through.ts";

export interface CheckedCall {
  /** Resolves where the call may go on; the caller hears why it may not. */
  readonly check: (request: Uint8Array, signal: AbortSignal) => Promise<void>;
  readonly onward: Pick<PassThrough, "pass">;
  readonly failureOf: (error: unknown) => CallFailure;
}

/** Never rejects. What is not compressed and a single message is the same when it is framed again. */
export async function passChecked(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  { check, onward, failureOf }: CheckedCall,
): Promise<void> {
  if (!isCall(stream, headers)) return;
  const gone = new AbortController();
  const leave = () => gone.abort(new CallFailure("CANCELLED", "the caller has gone"));
  stream.once("close", leave);
  try {
    const request = await readOnlyMessage(stream);
    await check(request, gone.signal);
    if (!gone.signal.aborted) onward.pass(stream, headers, frame(request));
  } catch (error) {
    endWith(stream, failureOf(error));
  } finally {
    stream.off("close", leave);
  }
}
