/** Making findings of what rules say. */
import { printable } from "../support/terminal.ts";
import type { ImageRequest, Workload } from "../workload/types.ts";
import type { Fingerprints } from "./fingerprint.ts";
import { type RuleId, ruleTable } from "./rules.ts";
import type { Standards } from "./standards.ts";
import type { Finding, Fix, Folded, Region } from "./types.ts";

export interface Telling {
  readonly region: Region;
  readonly message: string;
  /** The rule's own where absent. */
  readonly advice?: string;
  readonly fix?: Fix | undefined;
  readonly folds?: Folded | undefined;
  /** The container that the finding is about. */
  readonly request?: ImageRequest;
  /** The workload, where the finding is about no container. */
  readonly workload?: Workload;
}

/** The finding, if the rule is on: one or none, so that callers can `flatMap`. */
export function findingOf(
  rule: RuleId,
  { region, message, advice, fix, folds, request, workload = request?.workload }: Telling,
  standards: Standards,
  fingerprints: Fingerprints,
): readonly Finding[] {
  const severity = standards.severityOf(rule);
  if (severity === "off") return [];
  return [
    {
      ruleId: rule,
      severity,
      region,
      ...(workload !== undefined && { workload }),
      ...(request !== undefined && { container: request.container }),
      message: printable(message),
      advice: printable(advice ?? ruleTable[rule].advice),
      ...(fix !== undefined && { fix }),
      ...(folds !== undefined && {
        folds: { ...folds, message: printable(folds.message), advice: printable(folds.advice) },
      }),
      fingerprint: fingerprints.of(rule, request, request === undefined ? message : ""),
    },
  ];
}

export function inOrder(findings: readonly Finding[]): readonly Finding[] {
  return findings.toSorted((one, other) => one.region.start - other.region.start);
}
