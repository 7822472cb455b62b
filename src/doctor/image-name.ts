/** Whether an image's name is one. */
import { canonicalText, parseImageName, parseReference, type Reference } from "../image/index.ts";
import { failedBy, ok } from "./steps.ts";
import type { DiagnosisStep } from "./types.ts";

export function checkName(image: string): { readonly step: DiagnosisStep; readonly reference: Reference | undefined } {
  try {
    const reference = parseImageName(image);
    return { step: ok("name", canonicalText(reference), { hints: impliedParts(image) }), reference };
  } catch (error) {
    const meant = correction(image);
    const remedy = meant === undefined ? {} : { remedy: `Did you mean ${meant}?` };
    return { step: failedBy("name", error, remedy), reference: undefined };
  }
}

/** What a name leaves out is a common surprise. */
function impliedParts(image: string): readonly string[] {
  const { repository, tag, digest } = parseReference(image);
  const hints: string[] = [];
  if (repository.registry === "docker.io" && !/^(?:index\.)?docker\.io\//.test(image)) {
    hints.push("no registry is written, so it is Docker Hub");
  }
  if (tag === undefined && digest === undefined) hints.push("no tag is written, so it is latest");
  return hints;
}

/** The name without what people put around it, and in lower case but for its tag, if that makes it one. */
function correction(image: string): string | undefined {
  const bare = image.trim().replace(/^(?:https?|docker|oci):\/\//i, "");
  const [, name = "", tag = ""] = /^(.*?)(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?$/s.exec(bare) ?? [];
  return [bare, name.toLowerCase() + tag].find((candidate) => candidate !== image && isName(candidate));
}

/** A host may be written in capitals, but hardly ever is. */
function isName(text: string): boolean {
  try {
    return !/[A-Z]/.test(parseReference(text).repository.registry);
  } catch {
    return false;
  }
}
