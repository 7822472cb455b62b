import type { Check } from "./check.ts";

/** No pull policy, and a default that does not fit: asked for in vain at every start, or never again. */
export const policyMissingSurprises: Check = (subject, { isMoving, pulls }) => {
  const { reference, words } = subject;
  if (reference?.tag === undefined || pulls?.from !== "default") return undefined;
  const { Always, IfNotPresent } = words.values;
  if (reference.digest !== undefined && pulls.value === "Always") {
    return {
      at: subject.head,
      message: `without ${words.field} ${words.reader} takes ${Always}, because the tag is ${reference.tag}, though the digest already says which image it is`,
      advice: `Write ${words.field}: ${IfNotPresent}, or leave out the tag ${reference.tag}.`,
      change: { what: "pullPolicy", value: "IfNotPresent" },
    };
  }
  if (reference.digest === undefined && pulls.value === "IfNotPresent" && isMoving(reference.tag)) {
    return {
      at: subject.head,
      message: `without ${words.field} ${words.reader} takes ${IfNotPresent}, so ${words.machine} keeps the first image that it saw under the moving tag ${reference.tag}`,
      advice: `Write ${words.field}: ${Always}, or a tag that does not move.`,
      change: { what: "pullPolicy", value: "Always" },
      folds: {
        into: "tag-moving",
        message: `without ${words.field} ${words.reader} takes ${IfNotPresent}, so ${words.machine} keeps the first of them that it saw`,
        advice: `If the tag is to move, write ${words.field}: ${Always}.`,
      },
    };
  }
  return undefined;
};
