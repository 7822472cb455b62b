/** Whether a rule is about a request: all keys of its `match` together. */
import type { Reference } from "../image/index.ts";
import type { ImageRequest } from "../workload/index.ts";
import { imageSegments } from "./language/image-pattern.ts";
import { isListed } from "./language/pattern.ts";
import { selects } from "./language/selector.ts";
import type { ExpressionVariables, ImageFacts, Match, Pattern } from "./types.ts";

/** What rules are matched with. */
export interface MatchInput {
  readonly request: ImageRequest;
  /** With the tag that it implies. */
  readonly reference: Reference;
  readonly segments: readonly string[];
  /** What the image itself says, as far as that is known. */
  readonly image: ImageFacts | undefined;
}

export type MatchResult =
  | { readonly matches: "no" }
  | { readonly matches: "yes" }
  /** It depends on what the image itself says, which is not known yet. */
  | { readonly matches: "unknown" }
  /** The expression could not be evaluated. */
  | { readonly matches: "failed"; readonly failure: string };

export function matchInput(request: ImageRequest, reference: Reference, image: ImageFacts | undefined): MatchInput {
  return { request, reference, segments: imageSegments(reference.repository), image };
}

export function matchOf(match: Match | undefined, asked: MatchInput): MatchResult {
  if (match === undefined) return { matches: "yes" };
  if (!matchesRequest(match, asked)) return { matches: "no" };
  const { imageLabels, expression } = match;
  if (imageLabels !== undefined && asked.image !== undefined && !selects(imageLabels, asked.image.labels)) {
    return { matches: "no" };
  }
  const result = expression?.evaluate(variablesOf(asked)) ?? { value: true };
  if ("value" in result && !result.value) return { matches: "no" };
  if (imageLabels !== undefined && asked.image === undefined) return { matches: "unknown" };
  return "failure" in result ? { matches: "failed", failure: result.failure } : { matches: "yes" };
}

function matchesRequest(match: Match, { request, reference, segments }: MatchInput): boolean {
  const { workload, container, cluster } = request;
  const { images, tags, pinned, namespaces, labels, containers, clusters } = match;
  return (
    (images === undefined || isListed(images, segments)) &&
    (pinned === undefined || pinned === (reference.digest !== undefined)) &&
    nameMatches(tags, reference.tag) &&
    nameMatches(namespaces, workload.namespace) &&
    nameMatches(containers, container.name) &&
    nameMatches(clusters, cluster) &&
    (labels === undefined || selects(labels, workload.labels))
  );
}

/** What has no name is in no list, not even in one that only excludes. */
function nameMatches(list: readonly Pattern[] | undefined, name: string | undefined): boolean {
  return list === undefined || (name !== undefined && isListed(list, [name]));
}

function variablesOf({ request, reference }: MatchInput): ExpressionVariables {
  const { repository, tag = "", digest = "" } = reference;
  const { kind, namespace, name, labels, annotations } = request.workload;
  return {
    image: {
      given: request.image.given,
      name: repository.name,
      registry: repository.registry,
      repository: repository.path,
      tag,
      digest,
    },
    container: { name: request.container.name, kind: request.container.kind },
    workload: { kind, namespace, name, labels, annotations },
    cluster: request.cluster ?? "",
  };
}
