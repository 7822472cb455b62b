/** Messages on a stream: a flag, a length of four bytes, and so many bytes (grpc `doc/PROTOCOL-HTTP2.md`). */
import type { Readable } from "node:stream";
import { mostMessageBytes } from "../../support/grpc/codec.ts";
import { CallFailure } from "./status.ts";

const prefixBytes = 5;

export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(prefixBytes + message.length);
  framed[0] = 0;
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, prefixBytes);
  return framed;
}

/**
 * The only message of a request, once the caller has said that nothing more comes. Rejects with a {@link CallFailure};
 * what comes after that is dropped.
 * @param keep called with the number of bytes before they are kept; throws if there is no room for them
 */
export function readOnlyMessage(stream: Readable, keep: (bytes: number) => void): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let received = 0;
    let expected: number | undefined;
    const fail = (failure: CallFailure) => {
      stream.off("data", take);
      stream.resume();
      reject(failure);
    };
    const take = (piece: Buffer) => {
      try {
        keep(piece.length);
        pieces.push(piece);
        received += piece.length;
        if (expected === undefined && received >= prefixBytes) {
          expected = prefixBytes + messageLength(pieces.length === 1 ? piece : Buffer.concat(pieces));
        }
        if (expected !== undefined && received > expected)
          throw new CallFailure("UNIMPLEMENTED", "more than one message in the request");
      } catch (error) {
        fail(
          error instanceof CallFailure
            ? error
            : new CallFailure("INTERNAL", "the request cannot be read", { cause: error }),
        );
      }
    };
    stream.on("data", take);
    stream.on("end", () => {
      if (received !== expected) {
        reject(
          new CallFailure(
            "INTERNAL",
            received === 0 ? "no message in the request" : "the message in the request breaks off",
          ),
        );
        return;
      }
      const [first] = pieces;
      const whole = pieces.length === 1 && first !== undefined ? first : Buffer.concat(pieces);
      resolve(whole.subarray(prefixBytes));
    });
  });
}

function messageLength(bytes: Buffer): number {
  if (bytes[0] !== 0) {
    throw new CallFailure(
      "UNIMPLEMENTED",
      "compressed messages are not supported: send them with grpc-encoding identity",
    );
  }
  const length = bytes.readUInt32BE(1);
  if (length <= mostMessageBytes) return length;
  throw new CallFailure(
    "RESOURCE_EXHAUSTED",
    `the message has ${length} bytes, and at most ${mostMessageBytes} are taken`,
  );
}
