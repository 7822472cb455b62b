import { type Check, effectiveTag, policyPlace } from "./check.ts";

/** `app:main` with IfNotPresent: each node keeps what it saw first. */
export const movingTagNotAlways: Check = (subject, { isMoving, pulls }) => {
  const { reference, words } = subject;
  if (reference === undefined || reference.digest !== undefined) return undefined;
  if (pulls?.from !== "manifest" || pulls.value !== "IfNotPresent") return undefined;
  const tag = effectiveTag(reference);
  if (tag === undefined || !isMoving(tag)) return undefined;
  const { Always, IfNotPresent } = words.values;
  const which = reference.tag === undefined ? "the tag latest, which is implied" : `the moving tag ${tag}`;
  return {
    at: policyPlace(subject),
    message: `with ${IfNotPresent} ${words.machine} keeps the first image that it saw under ${which}`,
    advice: `Write ${words.field}: ${Always}, or a tag that does not move.`,
    change: { what: "pullPolicy", value: "Always" },
  };
};
