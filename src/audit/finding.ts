/** Makes findings of rule reports, and folds two findings with one cause into one. */
import { printable } from "../support/terminal.ts";
import type { ImageRequest, Workload } from "../workload/index.ts";
import type { AuditConfig } from "./config.ts";
import type { Fingerprints } from "./fingerprint.ts";
import type { Rule } from "./rules/rule.ts";
import type { Finding, Fix, Folded, Region } from "./types.ts";

export interface FindingDetails {
  readonly region: Region;
  readonly message: string;
  /** The advice of the rule where absent. */
  readonly advice?: string;
  readonly fix?: Fix | undefined;
  readonly folds?: Folded | undefined;
  /** The container that the finding is about. */
  readonly request?: ImageRequest;
  /** The workload, where the finding is about no container. */
  readonly workload?: Workload;
}

/** The finding, or nothing if the rule is off: a list, so that callers can `flatMap`. */
export function findingOf(
  rule: Rule,
  { region, message, advice, fix, folds, request, workload = request?.workload }: FindingDetails,
  config: AuditConfig,
  fingerprints: Fingerprints,
): readonly Finding[] {
  const severity = config.severityOf(rule);
  if (severity === "off") return [];
  return [
    {
      ruleId: rule.id,
      severity,
      region,
      ...(workload !== undefined && { workload }),
      ...(request !== undefined && { container: request.container }),
      message: printable(message),
      advice: printable(advice ?? rule.meta.advice),
      ...(fix !== undefined && { fix }),
      ...(folds !== undefined && {
        folds: { ...folds, message: printable(folds.message), advice: printable(folds.advice) },
      }),
      fingerprint: fingerprints.of(rule.id, request, request === undefined ? message : ""),
    },
  ];
}

export function inOrder(findings: readonly Finding[]): readonly Finding[] {
  return findings.toSorted((one, other) => one.region.start - other.region.start);
}

/**
 * Folds findings into those with the same cause, where these are reported. The fix of a folded finding corrects only
 * its own part.
 */
export function folded(findings: readonly Finding[]): readonly Finding[] {
  const told = new Set(findings.map(({ fingerprint }) => fingerprint));
  const inner = findings.filter(({ folds }) => folds !== undefined && told.has(folds.into));
  if (inner.length === 0) return findings;
  const byOuter = new Map(inner.map((finding) => [finding.folds?.into, finding]));
  return findings
    .filter((finding) => !inner.includes(finding))
    .map((finding) => {
      const own = byOuter.get(finding.fingerprint);
      if (own?.folds === undefined) return finding;
      const { folds, fix } = own;
      return {
        ...finding,
        message: `${finding.message}; ${folds.message}`,
        advice: `${finding.advice} ${folds.advice}`,
        inner: own,
        ...(fix !== undefined && { fix: { ...fix, isPartial: true } }),
      };
    });
}
