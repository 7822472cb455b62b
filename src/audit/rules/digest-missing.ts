import { type Check, imagePlace, imageText } from "./check.ts";

/** An image of which only a registry can say what it is. */
export const digestMissing: Check = (subject) => {
  const { reference } = subject;
  if (reference === undefined || reference.digest !== undefined) return undefined;
  return {
    at: imagePlace(subject),
    message: `${imageText(subject)} has no digest, so only its registry can say which image it is`,
    advice: `Pin the digest: ${imageText(subject)}@sha256:DIGEST.`,
  };
};
