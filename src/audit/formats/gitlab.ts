/** GitLab's code quality report: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format. */
import type { Finding, Severity } from "../types.ts";
import { askerOf, type FormatContext } from "./format.ts";
import { relativePath } from "./paths.ts";

/** GitLab's own scale is info, minor, major, critical, blocker. */
const gitlabSeverities: Readonly<Record<Severity, string>> = { error: "major", warning: "minor", note: "info" };

export async function* gitlab(findings: AsyncIterable<Finding>, context: FormatContext): AsyncIterable<string> {
  let separator = "[\n  ";
  for await (const finding of findings) {
    yield separator + JSON.stringify(issue(finding, context));
    separator = ",\n  ";
  }
  yield separator.startsWith("[") ? "[]\n" : "\n]\n";
}

function issue(finding: Finding, { root }: FormatContext): unknown {
  const { ruleId, severity, region, message, advice, fingerprint } = finding;
  const asker = askerOf(finding);
  return {
    description: `${asker === "" ? "" : `${asker}: `}${message}. ${advice}`,
    check_name: ruleId,
    fingerprint,
    severity: gitlabSeverities[severity],
    location: { path: relativePath(region.file, root), lines: { begin: region.line, end: region.endLine } },
  };
}
