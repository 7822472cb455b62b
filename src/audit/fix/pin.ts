/** Pins images to the digest that their tags have now. */
import { canonicalText, type Digest, parseReference, type Reference, withImpliedTag } from "../../image/index.ts";
import { inParallel } from "../../support/concurrency.ts";
import type { SourceText } from "../../workload/index.ts";
import type { Fix } from "../types.ts";
import { type ImageField, setImage } from "./fields.ts";

/** A container whose image is to be pinned. */
export interface PinRequest {
  readonly source: SourceText;
  readonly field: ImageField;
  /** As it is written. */
  readonly image: string;
}

export interface PinResult {
  /** In the order of the requests; images that have a digest already need none. */
  readonly fixes: readonly Fix[];
  /** Requests whose text cannot be changed, with the reason in half a sentence. */
  readonly refused: readonly { readonly request: PinRequest; readonly reason: string }[];
  /** Images that could not be parsed or resolved: each once, with the error and all of its requests. */
  readonly failures: readonly PinFailure[];
}

export interface PinFailure {
  readonly image: string;
  readonly requests: readonly PinRequest[];
  readonly error: unknown;
}

export interface PinOptions {
  /** Resolves a reference with a tag and no digest at the registry. */
  readonly resolve: (reference: Reference) => Promise<Digest>;
  /** Images that are resolved at once. */
  readonly parallel: number;
}

/**
 * The fixes that pin images to their current digest. Tags are kept: they still say what is meant, also to the API
 * server when it sets the default pull policy. An image without a tag gets none, because nobody has chosen one;
 * `latest` is resolved.
 * Each image is resolved once, however often and in whatever spelling it occurs. Never throws.
 */
export async function pinImages(
  requests: readonly PinRequest[],
  { resolve, parallel }: PinOptions,
): Promise<PinResult> {
  const failures: PinFailure[] = [];
  const images = groupByImage(requests, failures);
  const digests = new Map<PinRequest, Digest>();
  await inParallel([...images.values()], parallel, async ({ reference, asked }) => {
    try {
      const digest = await resolve(reference);
      for (const request of asked) digests.set(request, digest);
    } catch (error) {
      failures.push({ image: reference.given, requests: asked, error });
    }
  });
  const fixes: Fix[] = [];
  const refused: PinResult["refused"][number][] = [];
  for (const request of requests) {
    const digest = digests.get(request);
    if (digest === undefined) continue;
    const attempt = setImage(request.source, request.field, `${request.image}@${digest}`);
    if (attempt.fix !== undefined) fixes.push(attempt.fix);
    else refused.push({ request, reason: attempt.refused });
  }
  return { fixes, refused, failures };
}

interface PinnedImage {
  readonly reference: Reference;
  readonly asked: PinRequest[];
}

function groupByImage(requests: readonly PinRequest[], failures: PinFailure[]): Map<string, PinnedImage> {
  const images = new Map<string, PinnedImage>();
  for (const request of requests) {
    const reference = parsed(request, failures);
    if (reference === undefined || reference.digest !== undefined) continue;
    const name = canonicalText(reference);
    const known = images.get(name);
    if (known === undefined) images.set(name, { reference, asked: [request] });
    else known.asked.push(request);
  }
  return images;
}

function parsed(request: PinRequest, failures: PinFailure[]): Reference | undefined {
  try {
    return withImpliedTag(parseReference(request.image));
  } catch (error) {
    failures.push({ image: request.image, requests: [request], error });
    return undefined;
  }
}
