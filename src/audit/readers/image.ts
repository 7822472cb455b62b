/** The image of a container, parsed as far as it is known. */
import { asWritten, type ImageName } from "../../image/index.ts";
import type { Subject } from "../subject.ts";

type ImageParts = Pick<Subject, "reference" | "problem" | "unresolved">;

const template = /\{\{/;
const variable = /\$\{|\$[A-Za-z_]/;

/** @param from the API server does not replace `${TAG}`: in a manifest it is a part of the name, and not a valid one */
export function imageParts(image: ImageName, from: "manifest" | "interpolated"): ImageParts {
  const unresolved = unresolvedIn(image.given, from);
  if (image.given === "" || unresolved !== undefined) return { reference: undefined, problem: undefined, unresolved };
  if (image.kind === "invalid") return { reference: undefined, problem: image.problem, unresolved };
  return { reference: asWritten(image), problem: undefined, unresolved };
}

function unresolvedIn(image: string, from: "manifest" | "interpolated"): Subject["unresolved"] {
  if (template.test(image)) return "template";
  return from === "interpolated" && variable.test(image) ? "variable" : undefined;
}

/** Defaults within defaults: `${A:-${B:-x}}`. */
const deepest = 8;

const composeDefault = /\$\{[A-Za-z_][A-Za-z0-9_]*:?-([^${}]*)\}/g;

/** faas-cli knows `:=` and `=` as well, and no `-` (drone/envsubst). */
export const stackDefault: RegExp = /\$\{[A-Za-z0-9_]+(?::-|:=|=)([^${}]*)\}/g;

/**
 * Replaces variables with their defaults: `${TAG:-1.27}`, `${TAG-1.27}`. A variable without a default stays,
 * whatever the environment is: a file must mean the same on every machine that audits it.
 */
export function withDefaults(text: string, defaults: RegExp = composeDefault): string {
  let resolved = text;
  for (let round = 0; round < deepest && resolved.includes("${"); round += 1) {
    const next = resolved.replace(defaults, "$1");
    if (next === resolved) break;
    resolved = next;
  }
  return resolved;
}
