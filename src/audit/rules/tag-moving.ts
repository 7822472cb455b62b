import { type Check, imagePlace, nameOf } from "./check.ts";

/** `app:main`; not `app:main@sha256:…`, for then the digest counts. */
export const tagMoving: Check = (subject, { isMoving }) => {
  const { reference } = subject;
  if (reference?.tag === undefined || reference.digest !== undefined || !isMoving(reference.tag)) return undefined;
  const name = nameOf(reference);
  return {
    at: imagePlace(subject),
    message: `the tag ${reference.tag} of ${name} moves: it is pushed again and again, and nodes keep different images under it`,
    advice: `Write a version's tag, ${name}:VERSION, or pin the digest, ${name}:${reference.tag}@sha256:DIGEST.`,
  };
};
