/** The parts that the mirror's handlers share. */

import type { Descriptor } from "../image/index.ts";
import { createRepositoryContents, type RepositoryContents } from "../pull/index.ts";
import type { Fetched } from "../registry/index.ts";
import { createSingleFlight, type SingleFlight } from "../support/concurrency.ts";
import { type Access, createAccess } from "./access.ts";
import { createPullAuthorizer, type PullAuthorizer } from "./authorize-pull.ts";
import { type Completion, createCompletion } from "./completion.ts";
import { createIncompleteImages, type IncompleteImages } from "./incomplete-images.ts";
import { createSources, type Sources } from "./sources.ts";
import type { MirrorDeps } from "./types.ts";

export interface MirrorContext {
  readonly deps: MirrorDeps;
  readonly authorizer: PullAuthorizer;
  readonly sources: Sources;
  readonly access: Access;
  readonly stored: RepositoryContents;
  readonly incomplete: IncompleteImages;
  readonly completion: Completion;
  /** Resolutions of names under way. */
  readonly heads: SingleFlight<Descriptor, never>;
  /** Downloads of manifests under way. */
  readonly documents: SingleFlight<Fetched, never>;
}

export function createMirrorContext(deps: MirrorDeps): MirrorContext {
  const sources = createSources(deps);
  const stored = createRepositoryContents(deps.store);
  const incomplete = createIncompleteImages(deps.store, deps.clock, deps.limits.incompleteFor);
  return {
    deps,
    sources,
    authorizer: createPullAuthorizer(deps),
    access: createAccess(deps, sources),
    stored,
    incomplete,
    completion: createCompletion(deps, stored, incomplete),
    heads: createSingleFlight(),
    documents: createSingleFlight(),
  };
}
