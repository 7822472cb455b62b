import type { Check } from "./check.ts";

/** A container that the API server refuses, or a function that cannot be deployed. */
export const imageMissing: Check = (subject) => {
  const { request, head, mayBePatch, unresolved, words } = subject;
  if (request.image !== "" || mayBePatch || unresolved !== undefined) return undefined;
  return {
    at: subject.image ?? head,
    message: `${request.container.name === "" ? "the container" : request.container.name} has no image, so ${words.reader} refuses it`,
    advice: "Write the image, or take the container out.",
  };
};
