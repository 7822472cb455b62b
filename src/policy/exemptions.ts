/** Which exemptions are of use, and which are to be removed. */
import { parseImageName } from "../image/index.ts";
import type { ImageRequest } from "../workload/index.ts";
import { askedOf } from "./match.ts";
import { hasExpired, readRules } from "./readings.ts";
import type { Exemption, ImageFacts, Policy } from "./types.ts";

export interface ExemptionFinding {
  readonly exemption: Exemption;
  readonly kind: "expired" | "unused";
  /** One sentence. */
  readonly message: string;
}

/** Ids of the exemptions that lift a rule which would otherwise be, or could be, about this request. */
export function usedExemptions(
  request: ImageRequest,
  policy: Policy,
  now: number,
  image?: ImageFacts,
): readonly string[] {
  try {
    const asked = askedOf(request, parseImageName(request.image), image);
    return [...new Set(readRules(policy, asked, now).flatMap(({ lifted }) => lifted?.by.id ?? []))];
  } catch {
    return [];
  }
}

/**
 * What is to be said of a policy's exemptions once all requests were looked at.
 * @param used the ids that {@link usedExemptions} gave for all of them together
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
