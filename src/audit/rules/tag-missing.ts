import { type Check, imagePlace, imageText } from "./check.ts";

/** `nginx`, and `registry:5000/app`, whose colon is a port's. */
export const tagMissing: Check = (subject) => {
  const { reference } = subject;
  if (reference === undefined || reference.tag !== undefined || reference.digest !== undefined) return undefined;
  const image = imageText(subject);
  return {
    at: imagePlace(subject),
    message: `${image} has neither a tag nor a digest, so it means ${image}:latest, whatever that is on the day of a pull`,
    advice: `Write the version that you mean, ${image}:VERSION, or pin it, ${image}@sha256:DIGEST.`,
    change: { what: "image", image: `${reference.given}:latest` },
  };
};
