import { parseReference } from "../image/index.ts";
import { imageSegments, isListed, type Pattern, parseImagePattern } from "../policy/index.ts";
import { PulleyError } from "../support/errors.ts";
import { quote } from "../support/go.ts";

/** Images that must stay, by the patterns that policies have for images. */
export type Pins = readonly Pattern[];

/** @throws PulleyError `USAGE` for the first that is no pattern */
export function parsePins(texts: readonly string[]): Pins {
  return texts.map((text) => {
    const parsed = parseImagePattern(text);
    if ("value" in parsed) return parsed.value;
    throw new PulleyError("USAGE", `${quote(text)} does not say which images are pinned: ${parsed.problem}`, {
      advice: "Write it as in a policy: docker.io/library/nginx, or registry.acme.io/**.",
    });
  });
}

/** Whether any of an image's names is pinned. */
export function isPinned(names: readonly string[], pins: Pins): boolean {
  if (pins.length === 0) return false;
  return names.some((name) => isListed(pins, imageSegments(parseReference(name).repository)));
}
