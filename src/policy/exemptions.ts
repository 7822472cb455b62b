/** Which exemptions are of use, and which are to be removed. */
import { hasExpired } from "./matched-rules.ts";
import type { Exemption, Policy } from "./types.ts";

export interface ExemptionFinding {
  readonly exemption: Exemption;
  readonly kind: "expired" | "unused";
  /** One sentence. */
  readonly message: string;
}

/**
 * What is to be said of a policy's exemptions once all requests were looked at.
 * @param used the ids that the requests' {@link Prepared.exemptions} are, all of them together
 */
export function exemptionFindings(policy: Policy, now: number, used: ReadonlySet<string>): readonly ExemptionFinding[] {
  return policy.documents.flatMap(({ exemptions }) =>
    exemptions.flatMap((exemption): ExemptionFinding[] => {
      const { id, expires, owner, rules } = exemption;
      if (hasExpired(exemption, now)) {
        const message = `${id} expired at ${expires.text} and has no effect: ${owner} has to renew or remove it`;
        return [{ exemption, kind: "expired", message }];
      }
      if (used.has(id)) return [];
      return [{ exemption, kind: "unused", message: `${id} lifts ${rules.join(", ")} from nothing: remove it` }];
    }),
  );
}
