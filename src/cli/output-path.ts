import { lstatSync, realpathSync, type Stats, statSync } from "node:fs";
import { dirname, isAbsolute, relative, resolve, sep } from "node:path";
import { PulleyError } from "../support/errors.ts";
import { sortOf } from "../support/input-file.ts";

/**
 * The path of a file to write. What is written takes the place of what is there, so a device or a pipe is refused: a
 * report would be put where `/dev/stdout` was. Where a pipeline writes within a checkout, the folders on the way belong to
 * whoever made the commit: one that is a link would lead the file out of it, so none below the current folder may be one.
 * @throws PulleyError `OUTPUT_UNWRITABLE`
 */
export function outputPath(path: string): string {
  const place = isBelowHere(path) ? withoutLinks(path) : path;
  const there = lookAt(place);
  if (there === undefined) return place;
  // A link that is not a checkout's stays where it is.
  if (there.isFile()) return lstatSync(place).isSymbolicLink() ? realpathSync(place) : place;
  throw new PulleyError("OUTPUT_UNWRITABLE", `cannot write ${path}: it is ${sortOf(there)}, and not a file`, {
    advice: "Name a file, or leave the name out and redirect the standard output.",
  });
}

function isBelowHere(path: string): boolean {
  const below = relative(process.cwd(), resolve(path));
  return below !== "" && !isAbsolute(below) && below.split(sep)[0] !== "..";
}

/** As it is looked at, so that it is written: `link/..` is another folder for the file system than for whoever reads it. */
function withoutLinks(path: string): string {
  const below = relative(process.cwd(), resolve(path));
  for (let at = below; at !== "."; at = dirname(at)) {
    if (lstatSync(at, { throwIfNoEntry: false })?.isSymbolicLink() !== true) continue;
    throw new PulleyError("OUTPUT_UNWRITABLE", `cannot write ${path}: ${at} is a symbolic link`, {
      advice: "Name the place that the link leads to.",
    });
  }
  return below;
}

/** What a path leads to; what stands in the way of that is told by whoever writes there. */
function lookAt(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
