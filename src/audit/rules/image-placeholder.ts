import { type Check, imagePlace, shown } from "./check.ts";

/** A word that stands for an image: `auto`, `ko://example.com/cmd/web`, `<image>`. */
export const imagePlaceholder: Check = (subject) => {
  if (subject.unresolved !== "placeholder" || subject.placeholder === undefined) return undefined;
  return {
    at: imagePlace(subject),
    message: `${shown(subject.request.image)} is a placeholder, so the image is not known here: ${subject.placeholder}`,
    advice: "Audit what is applied in the end, as in kustomize build . | pulley audit -.",
  };
};
