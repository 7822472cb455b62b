/** Two findings about one cause, told as one: a finding is folded into another only where that other one is told. */
import type { Finding } from "./types.ts";

/** The findings with those that are folded in the places of the others. Their fixes take only their own part away. */
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
