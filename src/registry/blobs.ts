import type { Descriptor, Digest } from "../image/index.ts";
import { PulleyError } from "../support/errors.ts";
import { verify } from "../support/verifier.ts";
import { announcedLength, discard, readBody } from "./body.ts";
import { describeAsked, isHtml } from "./failure.ts";
import { type CallContext, sendWithRetry } from "./session.ts";

/** Small content by digest, verified: an image's config. */
export async function fetchBlob(context: CallContext, descriptor: Descriptor, limit: number): Promise<Buffer> {
  const { digest, size } = descriptor;
  if (size > limit)
    throw new PulleyError("TOO_LARGE", `${digest}: ${size} bytes, more than the ${limit} that it may have`);
  const request = { method: "GET", what: `blobs/${digest}` } as const;
  const isOk = (status: number) => status === 200;
  return sendWithRetry(context, request, isOk, async (answer) => {
    const bytes = await readBody(answer, size, context).catch((error: unknown) => {
      if (!(error instanceof PulleyError) || error.code !== "TOO_LARGE") throw error;
      throw new PulleyError("SIZE_MISMATCH", `${describeAsked(answer.asked)}: expected ${size} bytes, found more`);
    });
    verify(descriptor, bytes);
    return bytes;
  });
}

/** Bytes: a tebibyte, more than any layer that registries take. */
const largestContent = 2 ** 40;

/** How large content is, as the registry says; nothing of it is read. */
export async function statBlob(context: CallContext, digest: Digest): Promise<number> {
  const request = { method: "HEAD", what: `blobs/${digest}` } as const;
  const isOk = (status: number) => status === 200;
  return sendWithRetry(context, request, isOk, async (answer) => {
    await discard(answer);
    const size = announcedLength(answer);
    if (!isHtml(answer) && size >= 0 && size <= largestContent) return size;
    throw new PulleyError(
      "REGISTRY_PROTOCOL",
      `${describeAsked(answer.asked)}: the answer does not say how large it is`,
    );
  });
}
