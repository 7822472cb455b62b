/** MatchedRule policies: texts in, rules and everything that is wrong with them out. */

import { z } from "zod";
import { quote } from "../../support/go.ts";
import {
  duplicate,
  itemsAt,
  type ManifestDocument,
  notSupported,
  type Problem,
  plain,
  readManifests,
  textAt,
} from "../../workload/index.ts";
import { closingOf } from "./closing.ts";
import { problemsOf } from "./issues.ts";
import { matchesIn } from "./matches.ts";
import { type Path, positionOf } from "./place.ts";
import { apiVersion, kind, type PolicyInput, policySchema } from "./schema.ts";
import { suggestion } from "./spelling.ts";
import { utc } from "./time-zone.ts";
import type { Exemption, Policy, PolicyDocument, PullTimes, Rule, VersionRule } from "./types.ts";
import { warningsOf } from "./warnings.ts";

type RuleInput = NonNullable<PolicyInput["spec"]["rules"]>[number];

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
  const rules = (spec.rules ?? []).map(({ pull, when, ...rule }, index): Rule => {
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
  const versions = (spec.versions ?? []).map(({ name: own, ...entry }, index): VersionRule => {
    const source = positionOf(manifest, ["spec", "versions", index]);
    return { ...entry, id: `${name}/${own ?? `versions[${index}]`}`, source };
  });
  const { selector, customResources } = spec;
  return {
    name,
    source: manifest.source,
    selector,
    rules,
    exemptions,
    versions,
    ...(customResources && { customResources }),
  };
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

// The keys that the schema knows, by where they are.

/** The keys of the object at a path; none where the schema knows no object there. */
function knownKeys(schema: z.ZodType, path: Path): readonly string[] {
  let found: z.core.$ZodType | undefined = schema;
  for (const step of path) found = childOf(unwrapped(found), step);
  const inner = unwrapped(found);
  if (inner instanceof z.ZodObject) return Object.keys(inner.shape);
  return inner instanceof z.ZodDiscriminatedUnion ? ["key", "operator", "values"] : [];
}

function childOf(schema: z.core.$ZodType | undefined, step: PropertyKey): z.core.$ZodType | undefined {
  if (schema instanceof z.ZodObject)
    return new Map<string, z.core.$ZodType>(Object.entries(schema.shape)).get(String(step));
  return schema instanceof z.ZodArray ? schema.element : undefined;
}

function unwrapped(schema: z.core.$ZodType | undefined): z.core.$ZodType | undefined {
  let inner = schema;
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault) inner = inner.unwrap();
  return inner;
}

// What a schema cannot say: names that are there twice, and names of nothing.

/** Names of rules and exemptions within one document; found whatever else is wrong with it. */
function nameProblems(document: ManifestDocument): readonly Problem[] {
  const { root, text } = document;
  const { names, problems } = namesIn(document, "rules");
  problems.push(...namesIn(document, "versions").problems);
  for (const [index, exemption] of itemsAt(root, "spec", "exemptions").entries()) {
    for (const [at, entry] of itemsAt(exemption, "rules").entries()) {
      const name = textAt(entry);
      if (name === undefined || name === "" || names.has(name)) continue;
      const known = [...names];
      const hint = suggestion(name, known) || `; the rules are ${known.slice(0, 20).join(", ") || "nameless"}`;
      const shown = quote(name.slice(0, 200));
      const message = `spec.exemptions[${index}].rules[${at}]: there is no rule ${shown} in this document${hint}`;
      problems.push({ source: text.position(entry.start), message });
    }
  }
  return problems;
}

/** The names of a list's entries, and those that are there twice. */
function namesIn({ root, text }: ManifestDocument, list: "rules" | "versions") {
  const problems: Problem[] = [];
  const names = new Set<string>();
  for (const [index, entry] of itemsAt(root, "spec", list).entries()) {
    const name = textAt(entry, "name");
    if (name === undefined || entry.kind !== "mapping") continue;
    const source = text.position(entry.entries.get("name")?.start ?? entry.start);
    if (names.has(name)) problems.push({ source, message: duplicate(`spec.${list}[${index}].name`, name) });
    names.add(name);
  }
  return { names, problems };
}

/** Two documents of one name could not be told apart in a trace. */
function doubleDocuments(documents: readonly PolicyDocument[]): readonly Problem[] {
  const first = new Map<string, PolicyDocument>();
  return documents.flatMap((document) => {
    const earlier = first.get(document.name);
    if (earlier === undefined) {
      first.set(document.name, document);
      return [];
    }
    const { file, line } = earlier.source;
    const message = `${duplicate("metadata.name", document.name)}: so is the one at ${file}:${line}`;
    return [{ source: document.source, message }];
  });
}

// What a policy says of clusters, where no cluster has a name.

/** What matches nothing because no cluster's name was given. */
function clusterWarnings(documents: readonly PolicyDocument[]): readonly Problem[] {
  return documents.flatMap(matchesIn).flatMap(({ id, source, match: { clusters } }): Problem[] => {
    if (clusters === undefined) return [];
    const text = clusters.map((pattern) => pattern.text).join(", ");
    const message = `${id}: ${text}: it matches nothing, for no cluster's name is known; give it with --cluster`;
    return [{ source, message }];
  });
}
