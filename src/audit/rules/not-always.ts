import { pullsText } from "../subject.ts";
import { type Check, policyPlace } from "./check.ts";

/** The advice of those who want every start checked by the registry, where it could answer something new. */
export const notAlways: Check = (subject, { pulls }) => {
  const { words, reference } = subject;
  // A digest names one image for ever: there is nothing newer under it.
  if (reference?.digest !== undefined) return undefined;
  if (pulls === undefined || pulls.value === "Always") return undefined;
  const { Always } = words.values;
  const message =
    pulls.from === "default"
      ? `${words.field} is not written, and the default is ${pullsText(subject, pulls.value)}, not ${Always}: ${pulls.because}`
      : `${words.field} is ${subject.written?.text ?? pullsText(subject, pulls.value)}, not ${Always}`;
  return {
    at: policyPlace(subject),
    message,
    advice: `Write ${words.field}: ${Always}.`,
    change: { what: "pullPolicy", value: "Always" },
  };
};
