/** The report for programs: stable, versioned with the rest of the public interface; one finding a line. */
import type { Finding, Fix } from "../types.ts";
import type { FormatContext } from "./format.ts";
import { countedWith, noFindings } from "./tally.ts";

export async function* json(findings: AsyncIterable<Finding>, context: FormatContext): AsyncIterable<string> {
  yield '{\n  "apiVersion": "pulley.dev/v1alpha1",\n  "kind": "AuditReport",\n  "findings": [';
  let tally = noFindings;
  let separator = "\n    ";
  for await (const finding of findings) {
    tally = countedWith(tally, finding);
    yield separator + JSON.stringify(reportedFinding(finding));
    separator = ",\n    ";
  }
  const { files, clusters = 0, workloads, containers, suppressed, notSeen } = context.counts();
  const { error, warning, note, fixable } = tally;
  const found = { errors: error, warnings: warning, notes: note, fixable, suppressed };
  const summary = { ...found, files, clusters, workloads, containers };
  const unseen = notSeen.map(({ file, what, why }) => ({ file, what, why }));
  yield `\n  ],\n  "notSeen": ${JSON.stringify(unseen)},\n  "summary": ${JSON.stringify(summary)}\n}\n`;
}

/** Each member is listed, so that a new internal field does not become public by accident. */
function reportedFinding({ region, workload, container, fix, ...finding }: Finding): unknown {
  const { file, line, column, endLine, endColumn, start, end, live } = region;
  return {
    ruleId: finding.ruleId,
    severity: finding.severity,
    message: finding.message,
    advice: finding.advice,
    source: live === undefined ? { file, line, column, endLine, endColumn, start, end } : null,
    cluster: live?.cluster ?? null,
    field: live?.field ?? null,
    workload: workload === undefined ? null : namesOf(workload),
    container: container === undefined ? null : { name: container.name, kind: container.kind },
    fix: fix === undefined ? null : reportedFix(fix),
    fingerprint: finding.fingerprint,
  };
}

function reportedFix({ description, edits }: Fix): unknown {
  return { description, edits: edits.map(({ file, start, end, text }) => ({ file, start, end, text })) };
}

function namesOf({ apiVersion, kind, namespace, name }: NonNullable<Finding["workload"]>) {
  return { apiVersion, kind, namespace, name };
}
