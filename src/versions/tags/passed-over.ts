/** Why the other tags of a repository are not offered for one: for people who wonder. */
import { compareTags, compareVersions, isWithin, type NewerOptions, stepBetween } from "./newer.ts";
import type { TagReading, VersionTag } from "./reading.ts";
import { readTag } from "./tag.ts";

/** Tags that are not offered for one and the same reason. */
export interface PassedOver {
  /** Half a sentence: `another suffix`. */
  readonly because: string;
  readonly count: number;
  /** A few of them, the newest first where they have an order. */
  readonly examples: readonly string[];
}

const mostExamples = 5;

/**
 * Every tag but the current one and those that are offered, by the reason why it is not: the first that holds, from what
 * makes it another family to what makes it no candidate.
 * @param offered the tags that are offered
 */
export function passedOver(
  current: VersionTag,
  tags: readonly TagReading[],
  offered: ReadonlySet<string>,
  options: NewerOptions = {},
): readonly PassedOver[] {
  const groups = new Map<string, TagReading[]>();
  const offers = [...offered].map(readTag).filter((tag) => tag.kind === "version");
  for (const tag of tags) {
    if (tag.tag === current.tag || offered.has(tag.tag)) continue;
    const because = reasonFor(current, tag, offers, options);
    const group = groups.get(because);
    if (group === undefined) groups.set(because, [tag]);
    else group.push(tag);
  }
  return [...groups]
    .map(([because, group]) => ({ because, count: group.length, examples: examplesOf(group) }))
    .toSorted((one, other) => other.count - one.count || (one.because < other.because ? -1 : 1));
}

const kinds = {
  words: "words without a version, judged by digest",
  hash: "names of commits",
  artifact: "signatures and attestations",
} as const;

function reasonFor(
  current: VersionTag,
  tag: TagReading,
  offers: readonly VersionTag[],
  { suffix = "Exact", ignore, allow = "major" }: NewerOptions,
): string {
  if (tag.kind !== "version") return kinds[tag.kind];
  const other = differenceOf(current, tag, suffix);
  if (other !== undefined) return other;
  const order = compareVersions(tag, current);
  if (order < 0) return "older";
  if (order === 0) return "the same version, written in another way or built from another commit";
  if (ignore?.(tag.tag) === true) return "ignored by the policy";
  const step = stepBetween(current, tag);
  if (!isWithin(step, allow)) return `a ${step} step, which the policy does not allow`;
  return offers.some((offer) => compareVersions(offer, tag) > 0)
    ? "newer, but not the newest of its step"
    : "newer, but without an image for the platforms";
}

const schemes = { number: "ordinary numbers", year: "a year first", date: "a date", build: "a build number" } as const;

/** What makes a version one of another family. */
function differenceOf(current: VersionTag, tag: VersionTag, suffix: "Exact" | "Newer"): string | undefined {
  if (tag.prefix !== current.prefix) return tag.prefix === "" ? "no prefix" : `another prefix: ${tag.prefix}`;
  if (tag.scheme !== current.scheme) return `counted in another way: ${schemes[tag.scheme]}`;
  if (tag.numbers.length !== current.numbers.length) return `another precision: ${numbersText(tag.numbers.length)}`;
  if (tag.channel !== current.channel) return tag.channel === null ? "a release" : `a pre-release: ${tag.channel}`;
  const isExact = suffix === "Exact";
  if (isExact ? tag.suffix !== current.suffix : basesOf(tag) !== basesOf(current)) return "another suffix";
  const isSame = isExact ? tag.family === current.family : tag.familyOfBases === current.familyOfBases;
  return isSame ? undefined : "builds that are counted in another way";
}

function basesOf({ suffix }: VersionTag): string {
  return suffix.replace(/\d+/g, "#");
}

function numbersText(count: number): string {
  return count === 1 ? "1 number" : `${count} numbers`;
}

function examplesOf(group: readonly TagReading[]): readonly string[] {
  const versions = group.filter((tag): tag is VersionTag => tag.kind === "version");
  const ordered = versions.length === group.length ? versions.toSorted((one, other) => compareTags(other, one)) : group;
  return ordered.slice(0, mostExamples).map(({ tag }) => tag);
}
