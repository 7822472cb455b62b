import { lstatSync, realpathSync, type Stats, statSync } from "node:fs";
import { dirname, isAbsolute, relative, resolve, sep } from "node:path";
import { PulleyError } from "../support/errors.ts";
import { sortOf } from "../support/input-file.ts";

/**
 * The path of a file to write. Writing replaces what is there, so a device or a pipe is refused: a report would replace
 * `/dev/stdout`. In a checkout, the author of the commit chooses the directories: a symbolic link among them would lead the
 * file out of the checkout, so no directory below the current one may be a link.
 * @throws PulleyError `OUTPUT_UNWRITABLE`
 */
export function outputPath(path: string): string {
  const place = isBelowHere(path) ? withoutLinks(path) : path;
  const there = lookAt(place);
  if (there === undefined) return place;
  // A link outside of the current directory is followed.
  if (there.isFile()) return lstatSync(place).isSymbolicLink() ? realpathSync(place) : place;
  throw new PulleyError("OUTPUT_UNWRITABLE", `cannot write ${path}: it is ${sortOf(there)}, and not a file`, {
    advice: "Name a file, or leave the name out and redirect the standard output.",
  });
}

function isBelowHere(path: string): boolean {
  const below = relative(process.cwd(), resolve(path));
  return below !== "" && !isAbsolute(below) && below.split(sep)[0] !== "..";
}

/** Checks and writes the same path: for the file system, `link/..` is another directory than it reads. */
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

/** What is at the path; an error is reported when it is written. */
function lookAt(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
