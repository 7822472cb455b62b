import { type Check, policyPlace } from "./check.ts";

/** A container that does not start while its registry is out of reach. */
export const alwaysNeedsRegistry: Check = (subject, { pulls }) => {
  const { words, reference } = subject;
  if (pulls === undefined || (pulls.value !== "Always" && pulls.value !== "Periodic")) return undefined;
  const registry = reference?.repository.registry ?? "its registry";
  const written = subject.written?.text ?? words.values.Always;
  const because = pulls.from === "default" ? `, the default because ${pulls.because},` : "";
  return {
    at: policyPlace(subject),
    message: `${words.field} ${written}${because} asks ${registry} whenever the container starts`,
    advice: `Write ${words.field}: ${words.values.IfNotPresent}.`,
    change: { what: "pullPolicy", value: "IfNotPresent" },
  };
};
