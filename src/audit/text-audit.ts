/** The audit of one text. What must be compared with other texts is returned as facts. */
import { canonicalText, withImpliedTag } from "../image/index.ts";
import { type Decision, prepare } from "../policy/index.ts";
import { errorTable, errorText } from "../support/errors.ts";
import type { SourceText } from "../workload/index.ts";
import type { AuditConfig } from "./config.ts";
import { type AuditedContainer, contentsOf } from "./containers.ts";
import { findingOf } from "./finding.ts";
import { Fingerprints } from "./fingerprint.ts";
import { setImage, setPullPolicy } from "./fix/fields.ts";
import { type Ignore, readIgnores } from "./ignore-comments.ts";
import type { AuditInput, TextInput, UnreadableInput } from "./input.ts";
import { placesIn } from "./live-place.ts";
import { withoutPlaceholder } from "./placeholders.ts";
import type { WantedSecret } from "./readers/contents.ts";
import { containerRules } from "./rules/index.ts";
import { inputUnreadable, renderFailed } from "./rules/input.ts";
import {
  type Correction,
  type FileFacts,
  type ImageUse,
  policyPlace,
  type RuleContext,
  type SecretUse,
} from "./rules/rule.ts";
import type { Span } from "./spans.ts";
import { type EffectivePull, pullsText, type Subject } from "./subject.ts";
import type { Finding, Fix, Region } from "./types.ts";

/** The result of one text. */
export interface TextAudit extends FileFacts {
  readonly file: string;
  readonly findings: readonly Finding[];
  readonly ignores: readonly Ignore[];
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

/** What all findings of one text share. */
interface TextContext {
  readonly text: SourceText;
  readonly placeOf: (at: Span) => Region;
  readonly config: AuditConfig;
  readonly fingerprints: Fingerprints;
  /** Keys of reported findings: several renderings of a container have the same findings. */
  readonly told: Set<string>;
}

/** Audits one input. Never throws. */
export function auditInput(input: AuditInput, config: AuditConfig): TextAudit {
  switch (input.kind) {
    case "text":
      try {
        return auditText(input, config);
      } catch (error) {
        return failedAudit(input.file, errorText(error), config);
      }
    case "unreadable":
      return unreadable(input, config);
    case "notSeen":
      return { file: input.file, findings: [], ...nothing, isUnreadable: false };
  }
}

/** The result for a text whose audit failed: the other texts must not be lost with it. */
export function failedAudit(file: string, why: string, config: AuditConfig): TextAudit {
  const message = `it could not be audited: ${why}`;
  return unreadable(
    { kind: "unreadable", file, rule: "input-unreadable", message, advice: errorTable.INTERNAL.advice },
    config,
  );
}

function unreadable({ file, rule, message, advice }: UnreadableInput, config: AuditConfig): TextAudit {
  const region = { file, line: 1, column: 1, endLine: 1, endColumn: 1, start: 0, end: 0 };
  const own = rule === "render-failed" ? renderFailed : inputUnreadable;
  const findings = findingOf(own, { region, message, advice }, config, new Fingerprints(file));
  return { file, findings, ...nothing, isUnreadable: true };
}

function auditText(input: TextInput, config: AuditConfig): TextAudit {
  const { policy, now, isMoving } = config;
  const { file } = input;
  const read = contentsOf(input, config);
  const { live } = input;
  const textContext: TextContext = {
    text: read.text,
    placeOf: placesIn(read.text, live),
    config: input.isOutside || live !== undefined ? { ...config, fixes: false } : config,
    fingerprints: new Fingerprints(file),
    told: new Set(),
  };
  const findings = read.problems.flatMap(({ rule, at, ...words }) =>
    findingOf(rule, { region: textContext.placeOf(at), ...words }, config, textContext.fingerprints),
  );
  const uses: ImageUse[] = [];
  const exemptions = new Set<string>();
  for (const container of read.containers) {
    const { replacedImages } = container;
    const subject =
      live === undefined
        ? withoutPlaceholder(container.subject, config.placeholderIn, replacedImages)
        : container.subject;
    // A policy cannot decide about an image that is not known yet.
    const isKnown = subject.unresolved !== "placeholder";
    const prepared = policy && isKnown ? prepare(subject.request, policy, now) : undefined;
    const decision = prepared?.decide({ presence: "unknown" });
    const pulls = ownPulls(subject, decision);
    checkContainer(textContext, { ...container, subject }, { isMoving, decision, pulls }, findings);
    for (const id of prepared?.exemptions ?? []) exemptions.add(id);
    const use = useOf(textContext, subject, pulls, container.scopes);
    if (use !== undefined) uses.push(use);
  }
  return {
    file,
    findings,
    ignores: live === undefined ? readIgnores(read.text) : [],
    uses,
    wantedSecrets: live === undefined ? read.wantedSecrets.map((wanted) => secretUse(textContext, wanted)) : [],
    secrets: read.secrets,
    exemptions: [...exemptions],
    workloads: read.workloads,
    containers: read.count,
    isUnreadable: read.problems.some(({ rule }) => rule === inputUnreadable),
  };
}

function checkContainer(
  textContext: TextContext,
  { subject, isRendered }: AuditedContainer,
  context: RuleContext,
  findings: Finding[],
): void {
  const { text, placeOf, config, fingerprints, told } = textContext;
  const { request } = subject;
  const made: Finding[] = [];
  for (const rule of containerRules) {
    const report = config.severityOf(rule) === "off" ? undefined : rule.check(subject, context);
    if (report === undefined) continue;
    const { at, message, advice, correction, folds } = report;
    const key = JSON.stringify([rule.id, at.start, request.container, message]);
    if (isRendered && told.has(key)) continue;
    told.add(key);
    const fix = correction && config.fixes ? fixOf(text, subject, correction) : undefined;
    const region = placeOf(at);
    const outer = folds && made.find(({ ruleId }) => ruleId === folds.into);
    const details = { region, message, advice, fix, request, folds: outer && { ...folds, into: outer.fingerprint } };
    made.push(...findingOf(rule, details, config, fingerprints));
  }
  findings.push(...made);
}

/** Where a rule of the policy sets the pull policy, the container's own has no effect. */
function ownPulls({ pulls }: Subject, decision: Decision | undefined): EffectivePull | undefined {
  return decision?.pullPolicy.from === "rule" ? undefined : pulls;
}

function fixOf(text: SourceText, { fields, words }: Subject, correction: Correction): Fix | undefined {
  if (correction.what === "image") return fields.image && setImage(text, fields.image, correction.image).fix;
  return fields.policy && setPullPolicy(text, fields.policy, words.values[correction.value]).fix;
}

function useOf(
  { text, placeOf }: TextContext,
  subject: Subject,
  pulls: EffectivePull | undefined,
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
    region: placeOf(policyPlace(subject)),
  };
}

function secretUse({ placeOf }: TextContext, { namespace, name, workload, at }: WantedSecret): SecretUse {
  return { namespace, name, workload, region: placeOf(at) };
}
