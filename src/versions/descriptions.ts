/** The sentence of a report that says why: what is newer, what is withheld, and where a product goes on. */
import { formatPlatform, type Platform } from "../image/index.ts";
import type { VersionLimits } from "../policy/index.ts";
import { plural } from "../support/format.ts";
import type { OutdatedImage } from "./report.ts";
import {
  type Candidate,
  compareVersions,
  foundElsewhere,
  isSameFamily,
  isWithin,
  newestOf,
  readTag,
  type TagReading,
  type VersionTag,
} from "./tags/index.ts";

export interface DescribedVersions {
  readonly current: VersionTag;
  /** All of the repository. */
  readonly tags: readonly TagReading[];
  /** The newer ones: of the family, of those that the policy allows, and of those that are offered. Newest first. */
  readonly all: readonly Candidate[];
  readonly allowed: readonly Candidate[];
  readonly offered: readonly Candidate[];
  readonly isGone: boolean;
  readonly elsewhere: OutdatedImage["elsewhere"];
  readonly image: { readonly limits: VersionLimits; readonly platforms: readonly Platform[] };
}

/** One sentence, its parts separated by semicolons. */
export function describeVersions(described: DescribedVersions): string {
  const { current, tags, all, offered, elsewhere } = described;
  const first = describeNewer(offered) ?? (all.length > 0 ? describeWithheld(described) : describeFamily(described));
  const other = elsewhere === null ? undefined : `${elsewhere.tag} is newer ${elsewhere.because}`;
  return joined([first, describeRelease(current, tags), other]);
}

/** Parts of a sentence, those that there are. */
export function joined(parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined).join("; ");
}

function describeNewer(offered: readonly Candidate[]): string | undefined {
  const [latest] = offered;
  return latest === undefined ? undefined : `${latest.tag} is newer, by a ${latest.step} step`;
}

function describeWithheld({ all, allowed, image: { limits, platforms } }: DescribedVersions): string | undefined {
  const [newest] = all;
  if (newest === undefined) return undefined;
  const ignored = limits.ignored(newest.tag);
  if (ignored !== undefined) return `${newest.tag} is newer, but ${ignored.rule} ignores ${ignored.pattern}`;
  if (allowed.length === 0)
    return `${newest.tag} is newer, but ${limits.decidedBy.allow} allows ${limits.allow} steps alone`;
  const wanted = platforms.map(formatPlatform).join(" and ");
  return `${plural(allowed.length, "newer tag")} (${newest.tag} …) without an image for ${wanted}`;
}

/** To a pre-release: that its release is out, which is never offered for it. */
function describeRelease(current: VersionTag, tags: readonly TagReading[]): string | undefined {
  if (current.channel === null) return undefined;
  const released = tags.filter(
    (tag): tag is VersionTag =>
      tag.kind === "version" &&
      tag.channel === null &&
      tag.prefix === current.prefix &&
      tag.suffix === current.suffix &&
      tag.scheme === current.scheme &&
      tag.commit === null &&
      tag.counters.length === current.counters.length &&
      tag.numbers.length === current.numbers.length &&
      compareVersions({ ...tag, preRelease: [] }, { ...current, preRelease: [] }) >= 0,
  );
  const newest = newestOf(released);
  return newest === undefined ? undefined : `${newest.tag} is released`;
}

function describeFamily({ current, tags, isGone }: DescribedVersions): string {
  const older = tags.filter(
    (tag): tag is VersionTag =>
      tag.kind === "version" && isSameFamily(tag, current) && compareVersions(tag, current) < 0,
  );
  const nearest = newestOf(older);
  if (nearest === undefined) return `no other tag is of the family ${current.family}`;
  return isGone ? `the next older one is ${nearest.tag}` : `nothing is newer in the family ${current.family}`;
}

/** Where the product goes on in another variant, as far as the policy lets it. */
export function elsewhereFrom(described: Omit<DescribedVersions, "elsewhere">): OutdatedImage["elsewhere"] {
  const { current, tags, offered, image } = described;
  const [latest] = offered;
  const newest = latest === undefined ? current : readTag(latest.tag);
  if (newest.kind !== "version") return null;
  const open = tags.filter(({ tag }) => image.limits.ignored(tag) === undefined);
  const found = foundElsewhere(current, newest, open);
  if (found === undefined || !isWithin(found.step, image.limits.allow)) return null;
  return { tag: found.tag, because: found.because };
}
