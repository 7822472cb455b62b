import { type Check, imagePlace, imageText } from "./check.ts";

/** An image that is not as the policy requires it. */
export const requirementNotMet: Check = (subject, { decision }) => {
  if (decision?.action !== "Refuse" || decision.reason !== "RequirementNotMet") return undefined;
  return {
    at: imagePlace(subject),
    message: `${imageText(subject)} is not as the policy requires: ${decision.message}`,
    advice: "Write the image as the policy requires it, or ask for an exemption.",
  };
};
