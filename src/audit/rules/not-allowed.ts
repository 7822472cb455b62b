import { type Check, imagePlace, imageText } from "./check.ts";

/** An image that a rule of the policy denies. */
export const notAllowed: Check = (subject, { decision }) => {
  if (decision?.action !== "Refuse" || decision.reason !== "ImageDenied") return undefined;
  return {
    at: imagePlace(subject),
    message: `${imageText(subject)} is not allowed: ${decision.message}`,
    advice: "Use an image that the policy allows, or ask for an exemption.",
  };
};
