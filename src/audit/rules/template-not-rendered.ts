import { type Check, imagePlace, shown } from "./check.ts";

/** A template that happens to be sound YAML: `image: "{{ .Values.image }}"`. */
export const templateNotRendered: Check = (subject) => {
  if (subject.unresolved !== "template") return undefined;
  return {
    at: imagePlace(subject),
    message: `${shown(subject.request.image)} is a template, and what it renders to is not known`,
    advice: "Render it first: helm template CHART | pulley audit -.",
  };
};
