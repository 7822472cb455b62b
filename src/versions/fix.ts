/** Changes the tags and digests of images, and nothing else in their files. */
import {
  compatibleEdits,
  type Fix,
  type FixedFile,
  type FixInput,
  type FixOptions,
  type FixPlan,
  fixFiles,
  planFixes,
  type RefusedFix,
  splice,
} from "../audit/index.ts";
import type { PulleyError } from "../support/errors.ts";
import { isImageList, listedImages } from "../workload/index.ts";
import { placeFix } from "./place-fix.ts";
import type { TagPlace, UsedImage } from "./used-image.ts";
import type { WantedVersion } from "./version-text.ts";

/** What an image is to become. */
export interface WantedImage {
  readonly used: Pick<UsedImage, "image" | "places">;
  readonly to: WantedVersion;
}

/** A place that was not changed. */
export interface RefusedPlace {
  readonly wanted: WantedImage;
  readonly place: TagPlace;
  /** Half a sentence: `it is rendered from a template`. */
  readonly reason: string;
}

export interface VersionFixReport {
  /** Files that were changed, or would be, in the order of their first place. */
  readonly changed: readonly FixedFile[];
  readonly refused: readonly RefusedPlace[];
  /** Files that were not written: they have changed since, are not UTF-8 or cannot be written. */
  readonly failures: readonly PulleyError[];
}

/**
 * Writes new tags and digests to all places of images (`fix`), or returns what would change (`diff`, `check`). Only the
 * characters of tags and digests change; a digest is not added where none is. A place that has what is wanted already is
 * left out of the report.
 */
export async function fixImages(
  images: readonly WantedImage[],
  { mode }: Pick<FixOptions, "mode">,
): Promise<VersionFixReport> {
  const refused: RefusedPlace[] = [];
  const inputs = new Map<string, FixInput>();
  const made = new Map<Fix, Omit<RefusedPlace, "reason">>();
  for (const wanted of images) {
    for (const place of wanted.used.places) {
      const { fix, refused: reason } = placeFix(place, wanted.to);
      if (reason !== undefined) refused.push({ wanted, place, reason });
      if (fix === undefined || place.change.kind === "none") continue;
      const { file, text } = place.change.text;
      if (!inputs.has(file)) inputs.set(file, { file, text });
      made.set(fix, { wanted, place });
    }
  }
  const report = await fixFiles([...inputs.values()], [...made.keys()], { mode, plan });
  const later = report.refused.flatMap(({ fix, reason }) => {
    const of = made.get(fix);
    return of === undefined ? [] : { ...of, reason };
  });
  return { changed: report.changed, refused: [...refused, ...later], failures: report.failures };
}

function plan(text: string, file: string, fixes: readonly Fix[]): FixPlan {
  const isList = /\.txt$/i.test(file) || (file === "-" && isImageList(text));
  return isList ? planList(text, fixes) : planFixes(text, file, fixes);
}

/** As {@link planFixes}, for a list of images: a word that is changed is a word again, and all others stay. */
function planList(text: string, fixes: readonly Fix[]): FixPlan {
  const refused: RefusedFix[] = [];
  const chosen = compatibleEdits();
  const made = fixes.filter((fix) => {
    const isFree = chosen.take(fix.edits);
    if (!isFree) refused.push({ fix, reason: "another fix changes the same place" });
    return isFree;
  });
  const spliced = splice(
    text,
    made.flatMap(({ edits }) => edits),
  );
  if (listedImages(spliced.text).length === listedImages(text).length) {
    return { text: spliced.text, edits: spliced.edits, made, refused };
  }
  const all = made.map((fix) => ({ fix, reason: "the file would not be valid any more" }));
  return { text, edits: [], made: [], refused: [...refused, ...all] };
}
