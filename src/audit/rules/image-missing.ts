import type { Subject } from "../subject.ts";
import type { Check } from "./check.ts";

/** A container that the API server refuses, or a function that cannot be deployed. */
export const imageMissing: Check = (subject) => {
  const message = missingImage(subject);
  return message === undefined
    ? undefined
    : { at: subject.image ?? subject.head, message, advice: "Write the image, or take the container out." };
};

/** What is wrong with a container that has no image. */
export function missingImage({ request, mayBePatch, unresolved, words }: Subject): string | undefined {
  if (request.image !== "" || mayBePatch || unresolved !== undefined) return undefined;
  const name = request.container.name === "" ? "the container" : request.container.name;
  return `${name} has no image, so ${words.reader} refuses it`;
}
