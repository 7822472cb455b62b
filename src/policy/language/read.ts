/** MatchedRule policies: texts in, rules and everything that is wrong with them out. */
import { type ManifestDocument, notSupported, type Problem, plain, readManifests } from "../../workload/index.ts";
import { closingOf } from "./closing.ts";
import { clusterWarnings } from "./cluster-warning.ts";
import { problemsOf } from "./issues.ts";
import { knownKeys } from "./known-keys.ts";
import { doubleDocuments, nameProblems } from "./names.ts";
import { positionOf } from "./place.ts";
import { apiVersion, kind, type PolicyInput, policySchema } from "./schema.ts";
import { suggestion } from "./spelling.ts";
import { utc } from "./time-zone.ts";
import type { Exemption, Policy, PolicyDocument, PullTimes, Rule } from "./types.ts";
import { warningsOf } from "./warnings.ts";

type RuleInput = PolicyInput["spec"]["rules"][number];

export interface PolicyText {
  /** Path as the user gave it, or `-`. */
  readonly file: string;
  readonly text: string;
}

export interface ReadPolicy {
  /** What could be read. Nothing may be decided by it while there are problems: the rule that is missing could deny. */
  readonly policy: Policy;
  readonly problems: readonly Problem[];
  /** What has no effect, and was hardly meant so. */
  readonly warnings: readonly Problem[];
}

/**
 * Reads policies in the order of their files' names; each text may hold several documents, YAML or JSON. Never throws.
 * @param cluster the name of the cluster that they are read for, where it is known
 */
export function readPolicy(texts: readonly PolicyText[], cluster?: string): ReadPolicy {
  const documents: PolicyDocument[] = [];
  const problems: Problem[] = [];
  const empties: string[] = [];
  for (const { file, text } of texts.toSorted(byFile)) {
    const input = readManifests(text, file);
    const found = [...input.problems];
    if (input.documents.length === 0 && found.length === 0) empties.push(file);
    for (const manifest of input.documents) {
      const { document, problems: wrong } = readDocument(manifest);
      found.push(...wrong);
      if (document !== undefined) documents.push(document);
    }
    problems.push(...found.toSorted(byPlace));
  }
  problems.push(...doubleDocuments(documents));
  const empty = empties.map((file): Problem => ({ source: { file, line: 1, column: 1 }, message: noPolicy }));
  // An empty file among others is a slip; where there is nothing else, everything would be allowed without a word.
  const idle = clusterWarnings(documents);
  const isNothing = documents.length === 0 && problems.length === 0;
  return {
    policy: { documents, cluster },
    problems: isNothing ? empty : problems,
    warnings: [...(isNothing ? [] : empty), ...warningsOf(documents), ...(cluster === undefined ? idle : [])],
  };
}

const noPolicy = "there is no policy in it";

function readDocument(manifest: ManifestDocument): { document?: PolicyDocument; problems: readonly Problem[] } {
  const stranger = strangerProblem(manifest);
  if (stranger !== undefined) return { problems: [stranger] };
  const names = nameProblems(manifest);
  const { data, error } = policySchema.safeParse(plain(manifest.root));
  if (error !== undefined) {
    const shape = problemsOf(error.issues, manifest, (path) => knownKeys(policySchema, path));
    return { problems: [...shape, ...names] };
  }
  return names.length > 0 ? { problems: names } : { document: documentOf(data, manifest), problems: [] };
}

/** What is no policy is not skipped: it could be one with a slip in its kind. */
function strangerProblem(manifest: ManifestDocument): Problem | undefined {
  for (const [key, given, wanted] of [
    ["kind", manifest.kind, kind],
    ["apiVersion", manifest.apiVersion, apiVersion],
  ] as const) {
    if (given === wanted) continue;
    const message = `${notSupported(key, given, [wanted])}${suggestion(given, [wanted])}`;
    return { source: positionOf(manifest, [key]), message };
  }
  return undefined;
}

function documentOf({ metadata, spec }: PolicyInput, manifest: ManifestDocument): PolicyDocument {
  const { name } = metadata;
  const rules = spec.rules.map(({ pull, when, ...rule }, index): Rule => {
    const source = positionOf(manifest, ["spec", "rules", index]);
    const freshness = pull && { ...pull, whenUnreachable: pull.whenUnreachable ?? ("Fail" as const) };
    const times = when && timesOf(when);
    return {
      ...rule,
      id: `${name}/${rule.name}`,
      source,
      ...(freshness && { pull: freshness }),
      ...(times && { when: times }),
    };
  });
  const exemptions = (spec.exemptions ?? []).map((exemption, index): Exemption => {
    const source = positionOf(manifest, ["spec", "exemptions", index]);
    return { ...exemption, id: `${name}/exemptions[${index}]`, source };
  });
  const { selector, customResources } = spec;
  return { name, source: manifest.source, selector, rules, exemptions, ...(customResources && { customResources }) };
}

function timesOf({ pull, closed, timeZone = utc, otherwise }: NonNullable<RuleInput["when"]>): PullTimes {
  const closings = closed?.map(({ from, until }) => closingOf(from, until, timeZone));
  return { pull, closed: closings, timeZone, otherwise };
}

function byFile(one: PolicyText, other: PolicyText): number {
  if (one.file === other.file) return 0;
  return one.file < other.file ? -1 : 1;
}

function byPlace({ source: one }: Problem, { source: other }: Problem): number {
  return one.line - other.line || one.column - other.column;
}
