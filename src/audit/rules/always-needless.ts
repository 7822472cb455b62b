import { type Check, policyPlace } from "./check.ts";

/** A digest, and Always nevertheless: a registry that has to answer, and nothing that it could say. */
export const alwaysNeedless: Check = (subject, { pulls }) => {
  const { reference, words } = subject;
  if (reference?.digest === undefined || pulls?.from !== "manifest" || pulls.value !== "Always") return undefined;
  return {
    at: policyPlace(subject),
    message: `the digest already says which image it is, so ${words.values.Always} only makes every start depend on ${reference.repository.registry}`,
    advice: `Write ${words.field}: ${words.values.IfNotPresent}.`,
    change: { what: "pullPolicy", value: "IfNotPresent" },
  };
};
