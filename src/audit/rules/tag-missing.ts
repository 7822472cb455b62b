import { type Check, imagePlace, imageText } from "./check.ts";

/** `nginx`, and `registry:5000/app`, whose colon is a port's. */
export const tagMissing: Check = (subject) => {
  const { reference } = subject;
  if (reference === undefined || reference.tag !== undefined || reference.digest !== undefined) return undefined;
  const image = imageText(subject);
  return {
    at: imagePlace(subject),
    message: `${image} has neither a tag nor a digest, so it means ${image}:latest, whatever that is on the day of a pull`,
    // Nobody has chosen a tag, so no fix writes one.
    advice: `Write the version that you mean, ${image}:VERSION, or pin what it is today with --fix --pin.`,
  };
};
