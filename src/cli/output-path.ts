import { lstatSync } from "node:fs";
import { dirname, isAbsolute, relative, resolve, sep } from "node:path";
import { PulleyError } from "../support/errors.ts";

/**
 * A path to write to, as given. Where a pipeline writes within a checkout, the folders on the way belong to whoever made
 * the commit: one that is a link would lead the file out of it, so none below the current folder may be one.
 * @throws PulleyError `OUTPUT_UNWRITABLE`
 */
export function outputPath(path: string): string {
  const below = relative(process.cwd(), resolve(path));
  if (below === "" || isAbsolute(below) || below.split(sep)[0] === "..") return path;
  for (let at = below; at !== "."; at = dirname(at)) {
    if (lstatSync(at, { throwIfNoEntry: false })?.isSymbolicLink() !== true) continue;
    throw new PulleyError("OUTPUT_UNWRITABLE", `cannot write ${path}: ${at} is a symbolic link`, {
      advice: "Name the place that the link leads to.",
    });
  }
  return path;
}
