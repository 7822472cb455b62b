/** `pulley outdated --fix`: newer tags, or the digests that tags have now, written where images are written. */
import { isDigest, parseTag } from "../image/index.ts";
import { errorText, exitOf } from "../support/errors.ts";
import { plural } from "../support/format.ts";
import { printable } from "../support/terminal.ts";
import {
  type AskedImage,
  fixImages,
  type Outdated,
  type OutdatedImage,
  type WantedImage,
  type WantedVersion,
} from "../versions/index.ts";
import { showFixed } from "./fixed-file.ts";
import type { Io } from "./io.ts";
import { passOn, printLine, printLines } from "./printing.ts";

export const fixSteps = ["patch", "minor", "digest"] as const;

export type FixStep = (typeof fixSteps)[number];

export interface FixCall {
  readonly step: FixStep;
  /** To show what would change, and write nothing. */
  readonly diff: boolean;
  /** It comes out also where nothing in it changes: what is behind the pipe wants all of it. */
  readonly standardInput: string | undefined;
}

/**
 * Prints the files that change, or their diffs, on standard output, and what was not done on standard error.
 * @returns the exit status: that of files that could not be written, else 0
 */
export async function fixOutdated(
  asked: readonly AskedImage[],
  images: readonly OutdatedImage[],
  outdated: Outdated,
  { step, diff, standardInput }: FixCall,
  io: Io,
): Promise<number> {
  const wanted: WantedImage[] = [];
  const left: string[] = [];
  for (const [at, one] of asked.entries()) {
    const image = images[at];
    if (image === undefined) continue;
    try {
      const to = await versionFor(one, image, outdated, step);
      if (to !== undefined) wanted.push({ used: one.used, to });
      else if (isUntold(image)) left.push(`${one.used.image.given}: not done: ${image.because}`);
    } catch (error) {
      left.push(`${one.used.image.given}: not done: ${errorText(error)}`);
    }
  }
  const { changed, refused, failures } = await fixImages(wanted, { mode: diff ? "diff" : "fix" });
  for (const file of changed) await showFixed(file, { diff }, io);
  const isPassedOn = diff || standardInput === undefined || changed.some(({ file }) => file === "-");
  if (!isPassedOn) await passOn([standardInput], io);
  for (const { wanted: each, place, reason } of refused) {
    const { file, line, column } = place.source;
    left.push(`${file}:${line}:${column}: not done: ${each.used.image.given}: ${reason}`);
  }
  for (const { message, advice } of failures) left.push(message, `  ${advice}`);
  printLines("stderr", left.map(printable), io);
  const count = changed.reduce((sum, { fixes }) => sum + fixes.length, 0);
  const made = diff ? "to make" : "made";
  printLine("stderr", `${plural(count, "change")} in ${plural(changed.length, "file")} ${made}`, io);
  return Math.max(0, ...failures.map(({ code }) => exitOf(code)));
}

/** What is gone without a newer one, or cannot be told because something failed: a person has to look. */
function isUntold({ status, error }: OutdatedImage): boolean {
  return status === "missing" || (status === "unknown" && error !== null);
}

/** What an image is to have; undefined where it has that already. A digest changes with its tag. */
async function versionFor(
  { used }: AskedImage,
  image: OutdatedImage,
  outdated: Outdated,
  step: FixStep,
): Promise<WantedVersion | undefined> {
  const { image: name } = used;
  if (name.kind === "invalid" || name.tag === undefined) return undefined;
  if (step === "digest") {
    const now = image.lag?.now;
    return name.digest !== undefined && now !== undefined && isDigest(now) ? { digest: now } : undefined;
  }
  const text = image[step];
  if (text === null || text === image.current) return undefined;
  const tag = parseTag(text);
  return name.digest === undefined ? { tag } : { tag, digest: await outdated.digestOf(name.repository, tag) };
}
