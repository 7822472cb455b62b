/** Which newer versions a policy lets `pulley outdated` offer of an image: its lists `spec.versions`. */

import type { ImageRequest } from "../workload/index.ts";
import { inCluster } from "./cluster.ts";
import { isListed } from "./language/pattern.ts";
import { matchInput, matchOf } from "./match.ts";
import type { Pattern, Policy, VersionRule, VersionStep } from "./types.ts";

/** What holds for the versions of one image of one workload. */
export interface VersionLimits {
  /** The largest step that is offered. */
  readonly allow: VersionStep;
  /** Whether numbers in the suffix of a tag may rise, too. */
  readonly suffix: "Exact" | "Newer";
  readonly endOfLife: EndOfLife | undefined;
  /** Ids of the rules that decided; `null` where none speaks. */
  readonly decidedBy: Readonly<Record<"allow" | "suffix" | "endOfLife", string | null>>;
  /** Why a tag is never offered; `undefined` where no rule withholds it. */
  ignored(tag: string): ListedTag | undefined;
  /** Why a tag is judged by its digest; `undefined` where no rule says so. */
  moving(tag: string): ListedTag | undefined;
  /** Expressions that could not be evaluated, one sentence each. */
  readonly failures: readonly string[];
  /** Ids of the rules that match: requests with the same ones and the same failures have the same limits. */
  readonly matched: readonly string[];
}

export interface EndOfLife {
  /** The last day of support, `2027-11-11`, in UTC. */
  readonly date: string;
  readonly passed: boolean;
}

export interface ListedTag {
  /** The id of the rule. */
  readonly rule: string;
  /** The pattern as it is written; all of them where the list only excludes. */
  readonly pattern: string;
}

/**
 * What the policy says of the versions of the image that is asked for. On each key the first matching rule that speaks on it
 * decides; `ignore` and `moving` add up. A rule whose expression fails withholds what it would withhold, and allows nothing.
 * @param now milliseconds since the epoch
 */
export function versionsFor(request: ImageRequest, policy: Policy, now: number): VersionLimits {
  const matched = matchedVersions(request, policy);
  const certain = (withholds: (rule: VersionRule) => boolean) =>
    matched.filter(({ rule, failure }) => failure === undefined || withholds(rule)).map(({ rule }) => rule);

  const allow = certain((rule) => rule.allow !== "major").find((rule) => rule.allow !== undefined);
  const suffix = certain((rule) => rule.suffix === "Exact").find((rule) => rule.suffix !== undefined);
  const end = certain(() => false).find((rule) => rule.endOfLife !== undefined);
  const adding = certain(() => true);
  return {
    allow: allow?.allow ?? "major",
    suffix: suffix?.suffix ?? "Exact",
    endOfLife: end?.endOfLife && { date: end.endOfLife.text, passed: now >= end.endOfLife.at },
    decidedBy: { allow: allow?.id ?? null, suffix: suffix?.id ?? null, endOfLife: end?.id ?? null },
    ignored: (tag) => firstListed(adding, "ignore", tag),
    moving: (tag) => firstListed(adding, "moving", tag),
    failures: matched.flatMap(({ rule, failure }) =>
      failure === undefined ? [] : `the expression of ${rule.id} failed (${failure})`,
    ),
    matched: matched.map(({ rule }) => rule.id),
  };
}

interface MatchedVersions {
  readonly rule: VersionRule;
  /** Why its expression could not be evaluated. */
  readonly failure: string | undefined;
}

/** In the order in which they are read; of what is no image, none. */
function matchedVersions(request: ImageRequest, policy: Policy): readonly MatchedVersions[] {
  const { image: reference } = request;
  if (reference.kind === "invalid") return [];
  const input = matchInput(inCluster(request, policy), reference, undefined);
  return policy.documents.flatMap(({ selector, versions }) => {
    if (matchOf(selector, input).matches !== "yes") return [];
    return versions.flatMap((rule): MatchedVersions[] => {
      const result = matchOf(rule.match, input);
      if (result.matches === "failed") return [{ rule, failure: result.failure }];
      return result.matches === "yes" ? [{ rule, failure: undefined }] : [];
    });
  });
}

function firstListed(rules: readonly VersionRule[], key: "ignore" | "moving", tag: string): ListedTag | undefined {
  for (const { id, [key]: list } of rules) {
    if (list !== undefined && isListed(list, [tag])) return { rule: id, pattern: patternIn(list, tag) };
  }
  return undefined;
}

function patternIn(list: readonly Pattern[], tag: string): string {
  const matching = list.find((pattern) => !pattern.excludes && isListed([pattern], [tag]));
  return matching?.text ?? list.map(({ text }) => text).join(", ");
}
