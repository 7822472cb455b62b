/** The names by which whoever wrote an image may have meant a copy that is here. */
import { isDigest } from "../image/index.ts";
import type { Decide, Decision, Trial } from "../policy/index.ts";
import type { StoredImage } from "../store/index.ts";

/**
 * An id is no name: rules are about names, so all that the copy has count. A copy without any has only what was written.
 * @param written as it is in the pod
 */
export function namesOfCopy({ repoTags, repoDigests }: StoredImage, written: string): readonly string[] {
  const names = repoTags.length > 0 ? repoTags : repoDigests;
  return isDigest(written) && names.length > 0 ? names : [written];
}

/** Decides under each of the names: a refusal under one of them is one, and so is what a rule on trial would refuse. */
export function decideByNames(names: readonly string[], decideBy: (name: string) => Decision): Decision {
  const [first = "", ...others] = names;
  let decision = decideBy(first);
  for (const name of others) {
    if (decision.action === "Refuse") break;
    const other = decideBy(name);
    if (other.action === "Refuse") return other;
    decision = { ...decision, trial: joined(decision.trial, other.trial) };
  }
  return decision;
}

function joined(one: Trial, other: Trial): Trial {
  const warnings = [...one.warnings, ...other.warnings];
  return { warnings, ofCopy: [...one.ofCopy, ...other.ofCopy], open: one.open || other.open };
}

/** The decision about a request for what is on this machine, whatever it is asked for by. */
export function decideOnCopy(
  decide: Decide,
  names: readonly string[] | undefined,
  ...[request, policy, facts, now]: Parameters<Decide>
): Decision {
  return decideByNames(names ?? [request.image], (image) => decide({ ...request, image }, policy, facts, now));
}
