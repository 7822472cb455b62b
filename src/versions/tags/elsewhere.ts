/**
 * Where a product goes on when a family has ended: under a newer base, without a suffix, or counted by years. Such a tag is
 * never offered, for it is another variant; but who runs the last tag of its family wants to know that there is one.
 */
import { compareNumbers, newestOf, type Step, stepBetween } from "./newer.ts";
import type { TagReading, VersionTag } from "./reading.ts";

export interface Elsewhere {
  readonly tag: string;
  /** Half a sentence: `on another base`. */
  readonly because: string;
  /** Counted by years, every step is a major one. */
  readonly step: Step;
}

/** Releases of Debian and Ubuntu, which images are named after; any order, for they are only told from other words. */
const debian = "jessie|stretch|buster|bullseye|bookworm|trixie|forky|duke";
const ubuntu = "trusty|xenial|bionic|focal|jammy|kinetic|lunar|mantic|noble|oracular|plucky|questing|resolute";
const names = new RegExp(String.raw`(?<![A-Za-z])(?:(${debian})|(${ubuntu}))(?![A-Za-z])`, "g");

/**
 * The newest version that another variant has and this one has not: the same suffix on another base; or, where nothing
 * newer is offered, the plain version or the one that is counted by years.
 * @param newest the newest that is offered, or else the current one
 */
export function foundElsewhere(
  current: VersionTag,
  newest: VersionTag,
  tags: readonly TagReading[],
): Elsewhere | undefined {
  const others = tags.filter(
    (tag): tag is VersionTag =>
      tag.kind === "version" && tag.family !== current.family && tag.prefix === current.prefix && tag.channel === null,
  );
  const newer = others.filter((tag) => isComparable(tag, current) && compareNumbers(tag.numbers, newest.numbers) > 0);
  const base = baseless(current.suffix);
  const rebased = newestOf(
    newer.filter(({ suffix, counters }) => baseless(suffix) === base && sameLength(counters, current.counters)),
  );
  if (rebased !== undefined && base !== "")
    return { tag: rebased.tag, because: "on another base", step: stepBetween(current, rebased) };
  if (newest.tag !== current.tag) return undefined;
  const plain = newestOf(
    newer.filter(({ suffix, counters, commit }) => suffix === "" && counters.length === 0 && commit === null),
  );
  if (plain !== undefined) return { tag: plain.tag, because: "without the suffix", step: stepBetween(current, plain) };
  const byYear = others.filter(({ scheme, suffix }) => scheme === "year" && suffix === current.suffix);
  const dated = current.scheme === "number" ? newestOf(byYear) : undefined;
  return dated && { tag: dated.tag, because: "counted by years", step: "major" };
}

function isComparable(tag: VersionTag, { scheme, numbers }: VersionTag): boolean {
  return tag.scheme === scheme && tag.numbers.length === numbers.length;
}

/** The suffix without the versions and names of what it is built upon. */
function baseless(suffix: string): string {
  return suffix
    .replace(names, (_, ofDebian: string | undefined) => (ofDebian === undefined ? "<ubuntu>" : "<debian>"))
    .replace(/\d+(?:\.\d+)*/g, "#");
}

function sameLength(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.length === other.length;
}
