import { type Check, imagePlace, shown } from "./check.ts";

/** A file whose image is known only where its variables are. */
export const variableUnresolved: Check = (subject) => {
  if (subject.unresolved !== "variable") return undefined;
  return {
    at: imagePlace(subject),
    message: `${shown(subject.request.image)} depends on a variable without a default, so the image is not known here`,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what people are to write
    advice: "Give the variable a default, as in ${TAG:-1.27}, or audit the file with its variables replaced.",
  };
};
