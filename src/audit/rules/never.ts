import { type Check, imageText, policyPlace } from "./check.ts";

/** Never: somebody else has to load the image, onto every node. */
export const never: Check = (subject, { pulls }) => {
  const { words } = subject;
  if (pulls?.value !== "Never") return undefined;
  return {
    at: policyPlace(subject),
    message: `with ${words.values.Never} nobody pulls ${imageText(subject)}, so the container fails wherever it has not been loaded`,
    advice: `Write ${words.field}: ${words.values.IfNotPresent}, unless the image is loaded onto every machine.`,
  };
};
