/** Rules about what an image says of itself: they are asked again as soon as it has said it, before anything of it is given out. */

import {
  completePlatform,
  type Descriptor,
  formatPlatform,
  type Platform,
  parseManifest,
  readImageConfig,
  requireImage,
} from "../image/index.ts";
import type { ImageFacts } from "../policy/index.ts";
import { type ContentSource, isGone, localSource, readContent, remoteSource, type Source } from "../pull/index.ts";
import { isPulleyError, PulleyError } from "../support/errors.ts";
import type { AuthorizedPull } from "./authorize-pull.ts";
import type { MirrorContext } from "./context.ts";
import type { RequestContext } from "./types.ts";

/**
 * @param from where to fetch what is not here, or was not shown by the repository; absent: whoever the policy names
 * @throws PulleyError `IMAGE_REFUSED`, or what stands in the way of reading the image
 */
export async function checkRequirements(
  context: MirrorContext,
  authorized: AuthorizedPull,
  target: Descriptor,
  from: Source | undefined,
  request: RequestContext,
): Promise<void> {
  const { pending, trial } = authorized.decision;
  if (pending.length === 0 && !trial.open) return;
  if (from !== undefined) return check(context, authorized, target, from, request);
  try {
    await check(context, authorized, target, undefined, request);
  } catch (error) {
    if (!isGone(error)) throw error;
    await context.sources.ask(authorized, request, (source) => check(context, authorized, target, source, request));
  }
}

async function check(
  { deps }: MirrorContext,
  authorized: AuthorizedPull,
  target: Descriptor,
  from: Source | undefined,
  request: RequestContext,
): Promise<void> {
  const { store, registry, platform, proofs } = deps;
  const shown = await proofs.of(authorized.reference.repository);
  const lease = await store.lease();
  try {
    const source =
      from === undefined
        ? localSource(store, lease, shown)
        : remoteSource(registry, store, lease, from, shown, request.signal);
    const facts = await factsOf(target, platform, source);
    if (facts !== undefined) authorized.check(facts);
  } finally {
    await lease.release();
  }
}

/**
 * An image's own words, for whichever platform it is; an index speaks for the image that this machine would choose.
 * @returns `undefined` for an index without one: its manifests are looked at when they are asked for
 */
async function factsOf(target: Descriptor, ours: Platform, source: ContentSource): Promise<ImageFacts | undefined> {
  const document = parseManifest(await source.manifest(target), target.mediaType);
  try {
    if (document.kind === "index") return (await readContent(target, ours, source)).facts;
    const manifest = requireImage(document);
    const { config, layers } = manifest;
    const { platform, config: settings } = readImageConfig(manifest, await source.config(config));
    const size = [target, config, ...new Map(layers.map((layer) => [layer.digest, layer])).values()];
    return {
      labels: settings.labels ?? {},
      size: size.reduce((sum, content) => sum + content.size, 0),
      platforms: [formatPlatform(completePlatform(platform, ours))],
    };
  } catch (error) {
    if (document.kind === "index" && isPulleyError(error, "PLATFORM_MISSING")) return undefined;
    if (!isPulleyError(error, "NOT_AN_IMAGE")) throw error;
    throw new PulleyError("IMAGE_REFUSED", `a rule speaks of what the image says of itself: ${error.message}`);
  }
}
