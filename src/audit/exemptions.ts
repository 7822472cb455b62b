/** Exemptions of the policy: which of them lift anything, and which have expired. */
import { exemptionFindings, usedExemptions } from "../policy/exemptions.ts";
import type { ImageRequest, Position } from "../workload/types.ts";
import { findingOf } from "./finding.ts";
import { Fingerprints } from "./fingerprint.ts";
import type { RuleId } from "./rules.ts";
import type { Standards } from "./standards.ts";
import type { Finding, Region } from "./types.ts";

const rules = { expired: "exemption-expired", unused: "exemption-unused" } as const satisfies Record<string, RuleId>;

/** The exemptions, by their ids, that lift a rule from the container, or may do so. */
export function exemptionsFor(request: ImageRequest, { policy, now }: Standards): readonly string[] {
  const hasAny = policy?.documents.some(({ exemptions }) => exemptions.length > 0);
  return policy !== undefined && hasAny === true ? usedExemptions(request, policy, now) : [];
}

/** What there is to say about the exemptions when everything has been seen. */
export function findingsOfExemptions(used: ReadonlySet<string>, standards: Standards): readonly Finding[] {
  const { policy, now } = standards;
  if (policy === undefined) return [];
  return exemptionFindings(policy, now, used).flatMap(({ exemption: { source }, kind, message }) =>
    findingOf(rules[kind], { region: regionAt(source), message }, standards, new Fingerprints(source.file)),
  );
}

/** The policy's text is not at hand, only its places. */
function regionAt({ file, line, column }: Position): Region {
  return { file, line, column, endLine: line, endColumn: column, start: 0, end: 0 };
}
