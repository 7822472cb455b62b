/** Exemptions of the policy: which of them lift anything, and which have expired. */
import { withImpliedTag } from "../image/reference.ts";
import { askedOf } from "../policy/match.ts";
import { hasExpired, readRules } from "../policy/readings.ts";
import type { Exemption, Policy } from "../policy/types.ts";
import type { Position } from "../workload/types.ts";
import { findingOf } from "./finding.ts";
import { Fingerprints } from "./fingerprint.ts";
import type { Standards } from "./standards.ts";
import type { Subject } from "./subject.ts";
import type { Finding, Region } from "./types.ts";

/** The exemptions, by their ids, that lift a rule from the container, or may do so. */
export function exemptionsFor({ request, reference }: Subject, { policy, now }: Standards): readonly string[] {
  if (reference === undefined || policy === undefined || exemptionsOf(policy).length === 0) return [];
  const readings = readRules(policy, askedOf(request, withImpliedTag(reference), undefined), now);
  return readings.flatMap(({ lifted }) => lifted?.by.id ?? []);
}

/** What there is to say about the exemptions when everything has been seen. */
export function exemptionFindings(used: ReadonlySet<string>, standards: Standards): readonly Finding[] {
  const { policy, now } = standards;
  return exemptionsOf(policy).flatMap((exemption) => {
    const { id, source, owner, reason, expires } = exemption;
    const region = regionAt(source);
    const about = `(${reason.slice(0, 200)}; ${owner.slice(0, 100)})`;
    const fingerprints = new Fingerprints(source.file);
    if (hasExpired(exemption, now)) {
      const message = `the exemption ${id} ${about} expired (${expires.text}), so it has no effect`;
      return findingOf("exemption-expired", { region, message }, standards, fingerprints);
    }
    if (used.has(id)) return [];
    const message = `the exemption ${id} ${about} lifts no rule from any container here`;
    return findingOf("exemption-unused", { region, message }, standards, fingerprints);
  });
}

function exemptionsOf(policy: Policy | undefined): readonly Exemption[] {
  return policy?.documents.flatMap(({ exemptions }) => exemptions) ?? [];
}

function regionAt({ file, line, column }: Position): Region {
  return { file, line, column, endLine: line, endColumn: column, start: 0, end: 0 };
}
