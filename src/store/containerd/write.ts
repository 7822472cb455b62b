/** Writes content to containerd, which verifies it once more. */

import { isPulleyError, PulleyError } from "../../support/errors.ts";
import { Verifier } from "../../support/verifier.ts";
import { randomName } from "../files.ts";
import type { Content } from "../stored-record.ts";
import {
  Content as Service,
  WriteAction,
  type WriteContentResponse,
} from "./api/containerd/services/content/content_pb.js";
import { type ContainerdConnection, call, headersOf, isStatus, withContext } from "./daemon.ts";

/** Bytes from their beginning, each time. */
export type Chunks = () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** Where content is written to, and its labels. */
export interface WriteTarget {
  readonly daemon: ContainerdConnection;
  /** The lease that keeps it. */
  readonly lease: string;
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * Under a reference of its own, so that two who bring the same content do not wait for each other.
 * @returns whether it was written; what is there already is left as it is
 * @throws PulleyError `DIGEST_MISMATCH` if the bytes are not the digest's, `DISK_FULL`
 */
export async function writeContent(writing: WriteTarget, content: Content, chunks: Chunks): Promise<boolean> {
  const { daemon, lease } = writing;
  const ref = `pulley-${randomName()}-${content.digest}`;
  try {
    await send(writing, ref, content, chunks());
    return true;
  } catch (error) {
    if (isStatus(error, "ALREADY_EXISTS")) return false;
    await call(daemon, "drop what was received", Service.method.abort, { ref }, { lease }).catch(() => undefined);
    // It says the same of wrong bytes and of what it has lost of right ones, as when it was killed meanwhile.
    if (isStatus(error, "FAILED_PRECONDITION") && !(await isContent(content, chunks()))) {
      throw new PulleyError("DIGEST_MISMATCH", `containerd did not take ${content.digest} for what it is`, {
        cause: error,
      });
    }
    throw withContext(`store ${content.digest}`, error);
  }
}

async function isContent(content: Content, chunks: ReturnType<Chunks>): Promise<boolean> {
  const verifier = new Verifier(content);
  try {
    for await (const chunk of chunks) verifier.update(chunk);
    verifier.finish();
    return true;
  } catch (error) {
    if (isPulleyError(error, "DIGEST_MISMATCH", "SIZE_MISMATCH")) return false;
    throw error;
  }
}

async function send(
  { daemon, lease, labels }: WriteTarget,
  ref: string,
  { digest, size }: Content,
  chunks: ReturnType<Chunks>,
): Promise<void> {
  const talk = daemon.channel.bidi(Service.method.write, { headers: headersOf(daemon, lease) });
  const common = { ref, total: BigInt(size), expected: digest };
  // Each message is answered, and the answers must be taken: or containerd, and then we, would wait for ever.
  const ended = lastOf(talk.answers);
  ended.catch(() => undefined);
  try {
    let offset = 0n;
    for await (const data of chunks) {
      await Promise.race([talk.send({ ...common, action: WriteAction.WRITE, offset, data }), ended]);
      offset += BigInt(data.byteLength);
    }
    await Promise.race([talk.send({ ...common, action: WriteAction.COMMIT, offset, labels }), ended]);
    talk.end();
  } catch (error) {
    talk.cancel();
    // A stream that containerd has ended fails on our side with less to say than on its.
    throw await ended.then(
      () => error,
      (cause: unknown) => (isPulleyError(cause, "CANCELLED") ? error : cause),
    );
  }
  const last = await ended;
  if (last?.action === WriteAction.COMMIT && last.digest === digest) return;
  throw new PulleyError("RUNTIME_FAILED", `containerd did not say that it has stored ${digest}`);
}

async function lastOf(answers: AsyncIterator<WriteContentResponse>): Promise<WriteContentResponse | undefined> {
  let last: WriteContentResponse | undefined;
  for (;;) {
    const next = await answers.next();
    if (next.done) return last;
    last = next.value;
  }
}
