/** The configuration of an audit: the severity of each rule, moving tags, placeholders, the policy. */
import { imageFieldsIn, kubernetesOnly, type Policy } from "../policy/index.ts";
import { matchesStars } from "../support/wildcards.ts";
import type { ImageFields, PullPolicy } from "../workload/index.ts";
import { type PlaceholderTest, placeholderTest } from "./placeholders.ts";
import type { CrossFileContext, Profile, Rule } from "./rules/rule.ts";
import type { Severity } from "./types.ts";

export interface AuditOptions {
  /** `recommended` where absent. */
  readonly profile?: Profile | undefined;
  /** By the ids of rules; replaces what the profile says. */
  readonly severities?: ReadonlyMap<string, Severity | "off"> | undefined;
  /**
   * Tags that are pushed again and again, beside {@link defaultMovingTags}: `*` for any characters, letters of either
   * case.
   */
  readonly movingTags?: readonly string[] | undefined;
  /** Images that are replaced later, `*` for any characters; in addition to the built-in placeholders. */
  readonly placeholders?: readonly string[] | undefined;
  /** Without one, the rules about the policy find nothing. */
  readonly policy?: Policy | undefined;
  /** What the provider of OpenFaaS sets on every function, its `image_pull_policy`: Always where absent. */
  readonly openfaasPullPolicy?: PullPolicy | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Whether findings have fixes; true by default. Fixes make an audit with many findings a third slower. */
  readonly fixes?: boolean | undefined;
}

export interface AuditConfig extends CrossFileContext {
  readonly fixes: boolean;
  severityOf(rule: Rule): Severity | "off";
  isMoving(tag: string): boolean;
  readonly placeholderIn: PlaceholderTest;
  /** Image fields of custom resources, in addition to the built-in ones. */
  readonly imageFields: readonly ImageFields[];
  readonly openfaasPullPolicy: PullPolicy | undefined;
}

export const defaultMovingTags: readonly string[] = [
  "latest",
  "*-latest",
  "latest-*",
  "main",
  "master",
  "trunk",
  "head",
  "develop",
  "dev",
  "edge",
  "canary",
  "nightly",
  "*-nightly",
  "snapshot",
  "*-snapshot",
  "current",
  "rolling",
  "next",
  "stable",
  "unstable",
  "testing",
  "lts",
  // what is deployed somewhere now
  "staging",
  "stage",
  "*-staging",
  "prod",
  "production",
  "*-prod",
  "live",
  "preprod",
  "pre-prod",
  "qa",
  "uat",
  "test",
  "integration",
  "acceptance",
  "sandbox",
  "demo",
  "preview",
  "development",
  "devel",
  "*-dev",
  // what is released now
  "release",
  "released",
  "alpha",
  "beta",
  "rc",
  "daily",
  "weekly",
  "tip",
  "experimental",
  "insiders",
];

export function auditConfig({
  profile = "recommended",
  severities,
  movingTags,
  placeholders,
  policy,
  openfaasPullPolicy,
  now,
  fixes = true,
}: AuditOptions): AuditConfig {
  return {
    policy: policy === undefined || policy === kubernetesOnly || policy.documents.length === 0 ? undefined : policy,
    now,
    fixes,
    severityOf: ({ id, meta }) => severities?.get(id) ?? meta.severity[profile],
    isMoving: tagMatcher([...defaultMovingTags, ...(movingTags ?? [])]),
    placeholderIn: placeholderTest(placeholders),
    imageFields: imageFieldsIn(policy ?? kubernetesOnly),
    openfaasPullPolicy,
  };
}

/** Whether a tag is one of {@link defaultMovingTags}. */
export const isUsuallyMoving: (tag: string) => boolean = tagMatcher(defaultMovingTags);

function tagMatcher(patterns: readonly string[]): (tag: string) => boolean {
  const lower = patterns.map((pattern) => pattern.toLowerCase());
  const exact = new Set(lower.filter((pattern) => !pattern.includes("*")));
  const wild = lower.filter((pattern) => pattern.includes("*"));
  return (tag) => {
    const text = tag.toLowerCase();
    return exact.has(text) || wild.some((pattern) => matchesStars(pattern, text));
  };
}
