/** Whether an image's name is one. */

import type { ImageName } from "../image/index.ts";
import { canonicalText, hasImpliedTag, invalidNameText, parseReference, type Reference } from "../image/index.ts";
import { PulleyError } from "../support/errors.ts";
import { failedBy, ok } from "./steps.ts";
import type { DiagnosisStep } from "./types.ts";

export function checkName(image: ImageName): {
  readonly step: DiagnosisStep;
  readonly reference: Reference | undefined;
} {
  if (image.kind !== "invalid") {
    return { step: ok("name", canonicalText(image), { hints: impliedParts(image) }), reference: image };
  }
  const meant = correction(image.given);
  const remedy = meant === undefined ? {} : { remedy: `Did you mean ${meant}?` };
  const failure = new PulleyError("REFERENCE_INVALID", invalidNameText(image));
  return { step: failedBy("name", failure, remedy), reference: undefined };
}

/** What a name leaves out is a common surprise. */
function impliedParts(reference: Reference): readonly string[] {
  const hints: string[] = [];
  if (reference.repository.registry === "docker.io" && !/^(?:index\.)?docker\.io\//.test(reference.given)) {
    hints.push("no registry is written, so it is Docker Hub");
  }
  if (hasImpliedTag(reference)) hints.push("no tag is written, so it is latest");
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
