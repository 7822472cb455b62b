import { lstatSync, readlinkSync, type Stats } from "node:fs";
import { dirname, isAbsolute, join, parse, resolve, sep } from "node:path";
import { errnoOf, errorText, hasErrno, PulleyError } from "./errors.ts";

/** As many as the kernel follows (path_resolution(7)). */
const mostLinks = 40;

/**
 * Where a file is to be written that a path names: links are followed that this user or root has made. Somebody else's
 * would let them choose where it goes, and so who reads it.
 * @param path the file and the folders above it need not exist
 * @throws PulleyError `OUTPUT_UNWRITABLE`
 */
export function throughOwnLinks(path: string): string {
  const whole = resolve(path);
  let at = parse(whole).root;
  let left = whole.slice(at.length).split(sep);
  for (let links = 0; ; ) {
    const [name, ...rest] = left;
    if (name === undefined) return at;
    left = rest;
    if (name === "" || name === ".") continue;
    if (name === "..") {
      at = dirname(at);
      continue;
    }
    const next = join(at, name);
    const there = lookAt(next, at, path);
    if (there?.isSymbolicLink() !== true) {
      at = next;
      continue;
    }
    links += 1;
    if (links > mostLinks) throw refusal(path, `${next} is one of too many symbolic links`);
    if (!isOurs(there.uid)) throw refusal(path, `${next} is a symbolic link of somebody else's (user ${there.uid})`);
    const target = readlinkSync(next);
    if (isAbsolute(target)) at = parse(target).root;
    left = [...target.split(sep), ...left];
  }
}

/** @param folder what it would be in */
function lookAt(next: string, folder: string, path: string): Stats | undefined {
  try {
    return lstatSync(next, { throwIfNoEntry: false });
  } catch (cause) {
    const isNone = hasErrno(cause, "ENOTDIR");
    const why = isNone ? `${folder} is a file, and not a folder` : `${next}: ${errnoOf(cause) ?? errorText(cause)}`;
    const advice = isNone ? "Name a folder there." : "Check that you may look into the folders above it.";
    throw new PulleyError("OUTPUT_UNWRITABLE", `cannot write ${path}: ${why}`, { cause, advice });
  }
}

function isOurs(owner: number): boolean {
  const self = process.geteuid?.();
  return self === undefined || owner === self || owner === 0;
}

function refusal(path: string, why: string): PulleyError {
  return new PulleyError("OUTPUT_UNWRITABLE", `cannot write ${path}: ${why}`, {
    advice: "Name the place that the link leads to, or remove the link.",
  });
}
