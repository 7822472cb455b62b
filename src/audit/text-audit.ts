/** The audit of one text for itself. What has to be seen with the other texts goes on to the bookkeeping. */
import { canonicalText, withImpliedTag } from "../image/reference.ts";
import { decide } from "../policy/decide.ts";
import type { Decision } from "../policy/types.ts";
import { errorTable, errorText } from "../support/errors.ts";
import type { SourceText } from "../workload/source-text.ts";
import type { ImageRequest, Workload } from "../workload/types.ts";
import { type Container, contentsOf } from "./containers.ts";
import { exemptionsFor } from "./exemptions.ts";
import { findingOf } from "./finding.ts";
import { Fingerprints } from "./fingerprint.ts";
import { setImage, setPullPolicy } from "./fix/index.ts";
import { type Ignore, readIgnores } from "./ignores.ts";
import type { AuditInput, TextInput, UnreadableInput } from "./input.ts";
import { withoutPlaceholder } from "./placeholders.ts";
import type { SecretName, WantedSecret } from "./readers/contents.ts";
import { type Change, type Circumstances, policyPlace } from "./rules/check.ts";
import { checks } from "./rules/index.ts";
import { regionOf } from "./spans.ts";
import type { Standards } from "./standards.ts";
import { type Pulls, pullsText, type Subject } from "./subject.ts";
import type { Finding, Fix, Region } from "./types.ts";

/** An image and how it is pulled, for the comparison with the other places that ask for it. */
export interface ImageUse {
  readonly request: ImageRequest;
  /** Normalised. */
  readonly image: string;
  /** In the format's own word. */
  readonly pulls: string;
  /** Containers may share a node if this is the same: `the namespace prod`, `the file compose.yaml`. */
  readonly neighbourhood: string;
  /** Clusters hold together what is in one of these: a folder, or what one kustomization makes. */
  readonly scopes: readonly string[];
  readonly region: Region;
}

/** A pull secret that a workload names. */
export interface SecretUse extends SecretName {
  readonly workload: Workload;
  readonly region: Region;
}

/** What one text says. */
export interface TextAudit {
  readonly file: string;
  readonly findings: readonly Finding[];
  readonly ignores: readonly Ignore[];
  readonly uses: readonly ImageUse[];
  readonly wantedSecrets: readonly SecretUse[];
  readonly secrets: readonly SecretName[];
  /** Ids of the exemptions of the policy that it needs. */
  readonly exemptions: readonly string[];
  readonly workloads: number;
  readonly containers: number;
  /** Whether a part of it could not be read. */
  readonly isUnreadable: boolean;
}

const nothing = {
  ignores: [],
  uses: [],
  wantedSecrets: [],
  secrets: [],
  exemptions: [],
  workloads: 0,
  containers: 0,
} as const;

/** What all findings about one text have in common. */
interface Auditing {
  readonly text: SourceText;
  readonly standards: Standards;
  readonly fingerprints: Fingerprints;
  /** What has been told of the text: several renderings of a container come to the same. */
  readonly told: Set<string>;
}

/** Audits one input. Never throws. */
export function auditInput(input: AuditInput, standards: Standards): TextAudit {
  switch (input.kind) {
    case "text":
      try {
        return auditText(input, standards);
      } catch (error) {
        return lostAudit(input.file, errorText(error), standards);
      }
    case "unreadable":
      return unreadable(input, standards);
    case "notSeen":
      return { file: input.file, findings: [], ...nothing, isUnreadable: false };
  }
}

/** What is said of a text whose audit came to no end: the others must not be lost with it. */
export function lostAudit(file: string, why: string, standards: Standards): TextAudit {
  const message = `it could not be audited: ${why}`;
  return unreadable(
    { kind: "unreadable", file, rule: "input-unreadable", message, advice: errorTable.INTERNAL.advice },
    standards,
  );
}

function unreadable({ file, rule, message, advice }: UnreadableInput, standards: Standards): TextAudit {
  const region = { file, line: 1, column: 1, endLine: 1, endColumn: 1, start: 0, end: 0 };
  const findings = findingOf(rule, { region, message, advice }, standards, new Fingerprints(file));
  return { file, findings, ...nothing, isUnreadable: true };
}

function auditText(input: TextInput, standards: Standards): TextAudit {
  const { policy, now, isMoving } = standards;
  const { file } = input;
  const read = contentsOf(input, standards.imageFields);
  const auditing: Auditing = {
    text: read.text,
    standards: input.isOutside ? { ...standards, fixes: false } : standards,
    fingerprints: new Fingerprints(file),
    told: new Set(),
  };
  const findings = read.problems.flatMap(({ rule, at, message }) =>
    findingOf(rule, { region: regionOf(read.text, at), message }, standards, auditing.fingerprints),
  );
  const uses: ImageUse[] = [];
  const exemptions = new Set<string>();
  for (const container of read.containers) {
    const subject = withoutPlaceholder(container.subject, standards.placeholderIn, container.replacedImages);
    // No policy has a say in an image that is still to come.
    const isKnown = subject.unresolved !== "placeholder";
    const decision = policy && isKnown ? decide(subject.request, policy, { presence: "unknown" }, now) : undefined;
    const pulls = ownPulls(subject, decision);
    judge(auditing, { ...container, subject }, { isMoving, decision, pulls }, findings);
    if (isKnown) for (const id of exemptionsFor(subject.request, standards)) exemptions.add(id);
    const use = useOf(auditing, subject, pulls, container.scopes);
    if (use !== undefined) uses.push(use);
  }
  return {
    file,
    findings,
    ignores: readIgnores(read.text),
    uses,
    wantedSecrets: read.wantedSecrets.map((wanted) => secretUse(auditing, wanted)),
    secrets: read.secrets,
    exemptions: [...exemptions],
    workloads: read.workloads,
    containers: read.count,
    isUnreadable: read.problems.some(({ rule }) => rule === "input-unreadable"),
  };
}

function judge(
  auditing: Auditing,
  { subject, isRendered }: Container,
  circumstances: Circumstances,
  findings: Finding[],
): void {
  const { text, standards, fingerprints, told } = auditing;
  const { request } = subject;
  const made: Finding[] = [];
  for (const [rule, check] of checks) {
    const observed = standards.severityOf(rule) === "off" ? undefined : check(subject, circumstances);
    if (observed === undefined) continue;
    const { at, message, advice, change, folds } = observed;
    const key = JSON.stringify([rule, at.start, request.container, message]);
    if (isRendered && told.has(key)) continue;
    told.add(key);
    const fix = change && standards.fixes ? fixOf(text, subject, change) : undefined;
    const region = regionOf(text, at);
    const outer = folds && made.find(({ ruleId }) => ruleId === folds.into);
    const telling = { region, message, advice, fix, request, folds: outer && { ...folds, into: outer.fingerprint } };
    made.push(...findingOf(rule, telling, standards, fingerprints));
  }
  findings.push(...made);
}

/** Where a rule of the policy sets the pull policy, what the container says holds nowhere. */
function ownPulls({ pulls }: Subject, decision: Decision | undefined): Pulls | undefined {
  return decision?.pullPolicy.from === "rule" ? undefined : pulls;
}

function fixOf(text: SourceText, { fields, words }: Subject, change: Change): Fix | undefined {
  if (change.what === "image") return fields.image && setImage(text, fields.image, change.image).fix;
  return fields.policy && setPullPolicy(text, fields.policy, words.values[change.value]).fix;
}

function useOf(
  { text }: Auditing,
  subject: Subject,
  pulls: Pulls | undefined,
  scopes: readonly string[],
): ImageUse | undefined {
  const { reference, request, format } = subject;
  if (reference === undefined || pulls === undefined) return undefined;
  const { namespace } = request.workload;
  return {
    request,
    image: canonicalText(withImpliedTag(reference)),
    pulls: pullsText(subject, pulls.value),
    neighbourhood: format === "kubernetes" ? `the namespace ${namespace}` : `the file ${text.file}`,
    scopes,
    region: regionOf(text, policyPlace(subject)),
  };
}

function secretUse({ text }: Auditing, { namespace, name, workload, at }: WantedSecret): SecretUse {
  return { namespace, name, workload, region: regionOf(text, at) };
}
