/** Which tags of a repository are newer than the one that runs: those of its family, and no others. */
import type { TagReading, VersionTag } from "./reading.ts";
import { readTag } from "./tag.ts";

/** How far apart two versions of a family are, by the first of their numbers that differs. */
export type Step = "patch" | "minor" | "major";

export type Distance = "none" | Step | "unknown";

export interface NewerOptions {
  /** The largest step that is offered. Default `major`. */
  readonly allow?: Step | undefined;
  /** Tags that are never offered. */
  readonly ignore?: ((tag: string) => boolean) | undefined;
  /** `Newer`: the numbers in the suffix may rise, too: `-alpine3.19` becomes `-alpine3.20`. Default `Exact`. */
  readonly suffix?: "Exact" | "Newer" | undefined;
}

/**
 * Where a tag stands among those of its repository. Each is the current tag where nothing is newer, and null where the
 * current tag has no version.
 */
export interface NewerTags {
  /** The newest with the same first two numbers. */
  readonly patch: string | null;
  /** The newest with the same first number. */
  readonly minor: string | null;
  /** The newest of all. */
  readonly latest: string | null;
  /** The step to `latest`. */
  readonly distance: Distance;
}

/** A tag that may be offered in the place of the current one. */
export interface Candidate {
  readonly tag: string;
  readonly step: Step;
}

const steps: readonly Step[] = ["patch", "minor", "major"];

/** @param tags all of the repository, in any order, the current one among them or not */
export function newerTags(current: string, tags: readonly string[], options: NewerOptions = {}): NewerTags {
  const reading = readTag(current);
  if (reading.kind !== "version") return { patch: null, minor: null, latest: null, distance: "unknown" };
  return placeAmong(current, candidates(reading, tags.map(readTag), options));
}

/** @param newer newest first, as {@link candidates} gives them */
export function placeAmong(current: string, newer: readonly Candidate[]): NewerTags {
  const newest = (most: Step) => newer.find(({ step }) => isWithin(step, most))?.tag ?? current;
  return {
    patch: newest("patch"),
    minor: newest("minor"),
    latest: newest("major"),
    distance: newer[0]?.step ?? "none",
  };
}

/** The tags that may be offered, newest first. Their order does not depend on that of the list. */
export function candidates(
  current: VersionTag,
  tags: readonly TagReading[],
  { allow = "major", ignore, suffix = "Exact" }: NewerOptions = {},
): readonly Candidate[] {
  const newer = tags.filter(
    (tag): tag is VersionTag =>
      tag.kind === "version" && isSameFamily(tag, current, suffix) && compareVersions(tag, current) > 0,
  );
  newer.sort((one, other) => compareTags(other, one));
  return newer
    .map((tag) => ({ tag: tag.tag, step: stepBetween(current, tag) }))
    .filter(({ tag, step }, at, all) => tag !== all[at - 1]?.tag && isWithin(step, allow) && ignore?.(tag) !== true);
}

export function isWithin(step: Step, most: Step): boolean {
  return steps.indexOf(step) <= steps.indexOf(most);
}

export function isSameFamily(one: VersionTag, other: VersionTag, suffix: "Exact" | "Newer" = "Exact"): boolean {
  return suffix === "Exact" ? one.family === other.family : one.familyOfBases === other.familyOfBases;
}

/** The step from one version to a newer one of its family. A later build of the same release is a patch. */
export function stepBetween(one: VersionTag, other: VersionTag): Step {
  const at = one.numbers.findIndex((number, index) => number !== other.numbers[index]);
  return at === 0 ? "major" : at === 1 ? "minor" : "patch";
}

/**
 * Compares two versions of one family: by release, then within the channel, then by the suffix' own versions, then by
 * build. 0 where nothing says which is newer, as between two commits of one day.
 */
export function compareVersions(one: VersionTag, other: VersionTag): number {
  return (
    compareNumbers(one.numbers, other.numbers) ||
    compareNumbers(one.preRelease, other.preRelease) ||
    compareNumbers(one.suffixNumbers, other.suffixNumbers) ||
    compareNumbers(one.counters, other.counters)
  );
}

/** The same, with the text as the last word, so that the order is total. */
export function compareTags(one: VersionTag, other: VersionTag): number {
  return compareVersions(one, other) || (one.tag === other.tag ? 0 : one.tag < other.tag ? -1 : 1);
}

/** The newest of versions that can be compared; undefined where there is none. */
export function newestOf(tags: readonly VersionTag[]): VersionTag | undefined {
  return tags.reduce<VersionTag | undefined>(
    (newest, tag) => (newest === undefined || compareTags(tag, newest) > 0 ? tag : newest),
    undefined,
  );
}

/** By the first that differs; of two that begin alike, the shorter is lower. */
export function compareNumbers(one: readonly bigint[], other: readonly bigint[]): number {
  const length = Math.max(one.length, other.length);
  for (let at = 0; at < length; at += 1) {
    const left = one[at] ?? -1n;
    const right = other[at] ?? -1n;
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}
