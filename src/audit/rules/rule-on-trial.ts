import { warningText } from "../../policy/trial.ts";
import type { RefusalReason } from "../../policy/types.ts";
import { type Check, imagePlace, imageText } from "./check.ts";

/** What depends on the image alone, and not on the time and the node. */
const ofImage: readonly RefusalReason[] = ["ImageDenied", "RequirementNotMet"];

/** An image that a rule of the policy would refuse, were it not on trial. */
export const ruleOnTrial: Check = (subject, { decision }) => {
  const warnings = (decision?.trial.warnings ?? []).filter(({ reason }) => ofImage.includes(reason));
  if (warnings.length === 0) return undefined;
  return {
    at: imagePlace(subject),
    message: `${imageText(subject)} is not what the policy is going to ask for: ${warnings.map(warningText).join("; ")}`,
    advice: "Use an image that the rule allows before its mode becomes Enforce.",
  };
};
