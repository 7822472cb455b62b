/** The judgement on one image: which of its repository's tags are newer, and whether what runs is what its tag says now. */
import {
  type Digest,
  formatPlatform,
  type Platform,
  parseTag,
  type Reference,
  type Repository,
  registryOrigin,
  type Tag,
} from "../image/index.ts";
import type { VersionLimits } from "../policy/index.ts";
import { errnoOf, errorText, isPulleyError, PulleyError } from "../support/errors.ts";
import { describeVersions, elsewhereFrom, joined } from "./descriptions.ts";
import type { OutdatedImage } from "./report.ts";
import {
  type Candidate,
  candidates,
  isWithin,
  placeAmong,
  readTag,
  type Step,
  type TagReading,
  type VersionTag,
} from "./tags/index.ts";
import type { Upstream } from "./upstream.ts";

/** What a report says of an image besides its name and its workloads. */
export type Judgement = Omit<OutdatedImage, "image" | "workloads" | "places">;

export interface JudgedImage {
  readonly reference: Reference;
  /** What is known to run: the digest in its name, or of the copy on a node. */
  readonly runs: Digest | undefined;
  readonly limits: VersionLimits;
  /** Platforms that an offered tag must have; empty: they are not looked at, and no manifest is fetched. */
  readonly platforms: readonly Platform[];
  /** The platform whose age is told; absent: no age is asked for. */
  readonly ageOf?: Platform | undefined;
}

/** Never throws, except when it is cancelled: what cannot be told is told as that. */
export async function judge(image: JudgedImage, upstream: Upstream, signal?: AbortSignal): Promise<Judgement> {
  const { reference, limits, platforms } = image;
  const nothing = blank({
    current: reference.tag !== undefined && readTag(reference.tag).kind === "version" ? reference.tag : null,
    endOfLife: limits.endOfLife?.date ?? null,
    platforms: platforms.map(formatPlatform),
  });
  try {
    const judged = await judgeTag(image, upstream, nothing);
    return judged.status === "missing" ? judged : await withAge(judged, image, upstream, signal);
  } catch (error) {
    signal?.throwIfAborted();
    return { ...nothing, ...failureOf(error, upstream.repository) };
  }
}

/** What is known of the versions stays, though the age cannot be told. */
async function withAge(
  judged: Judgement,
  { ageOf, runs, reference }: JudgedImage,
  upstream: Upstream,
  signal: AbortSignal | undefined,
): Promise<Judgement> {
  if (ageOf === undefined) return judged;
  try {
    const created = await upstream.createdAt(runs ?? tagOf(reference), ageOf);
    return { ...judged, created: created === undefined ? null : new Date(created).toISOString() };
  } catch (error) {
    signal?.throwIfAborted();
    return { ...judged, because: joined([judged.because, `its age is not known: ${errorText(error)}`]) };
  }
}

/** The judgement before anything is known but this. */
export function blank(known: Partial<Judgement> = {}): Judgement {
  return {
    status: "unknown",
    current: null,
    patch: null,
    minor: null,
    latest: null,
    distance: "unknown",
    lag: null,
    because: "",
    error: null,
    gone: null,
    elsewhere: null,
    created: null,
    endOfLife: null,
    platforms: [],
    ...known,
  };
}

/** What a failure says of the image: that it is gone, or that it cannot be told. */
export function failureOf(error: unknown, repository: Repository | undefined): Partial<Judgement> {
  const known = isPulleyError(error) ? error : new PulleyError("INTERNAL", errorText(error), { cause: error });
  if (repository !== undefined && known.code === "REGISTRY_NOT_FOUND") {
    return {
      status: "missing",
      gone: "repository",
      because: `${repository.name} is gone: the registry has no such repository`,
      error: told(known),
    };
  }
  if (repository !== undefined && known.code === "REGISTRY_UNREACHABLE" && isNoName(known, repository.registry)) {
    return {
      status: "missing",
      gone: "registry",
      because: `${repository.registry} is gone: there is no such host`,
      error: told(known),
    };
  }
  return { status: "unknown", because: known.message, error: told(known) };
}

function told({ code, message, advice }: PulleyError): Judgement["error"] {
  return { code, message, advice };
}

/** Whether the registry's own host has no address: one that it redirects to may have none, too. */
function isNoName(error: unknown, registry: string): boolean {
  if (!(error instanceof Error)) return false;
  if (errnoOf(error) === "ENOTFOUND" && "hostname" in error) return hostsOf(registry).includes(error.hostname);
  return isNoName(error.cause, registry);
}

function hostsOf(registry: string): readonly unknown[] {
  return [registryOrigin(registry, false), registryOrigin(registry, true)].map((origin) => new URL(origin).hostname);
}

function tagOf({ given, tag, digest }: Reference): Tag | Digest {
  const version = digest ?? tag;
  if (version === undefined) throw new PulleyError("INTERNAL", `${given} has neither a tag nor a digest`);
  return version;
}

async function judgeTag(image: JudgedImage, upstream: Upstream, nothing: Judgement): Promise<Judgement> {
  const { tag } = image.reference;
  if (tag === undefined) return judgeDigest(image.reference, upstream, nothing);
  const list = await tagList(tag, upstream);
  if (list.kind === "none") {
    const because = `the registry gives no list of tags: ${list.error.message}`;
    const { lag = null } = await lagOf(image, tag, upstream);
    return { ...nothing, lag, status: lag === null ? "unknown" : "moved", because, error: told(list.error) };
  }
  const reading = readTag(tag);
  const moving = image.limits.moving(tag);
  const isGone = !list.tags.includes(tag) && !(await exists(tag, upstream));
  const lag = isGone ? {} : await lagOf(image, tag, upstream);
  if (!isGone && list.tags.length === 0) {
    return {
      ...nothing,
      ...lag,
      status: lag.status === "moved" ? "moved" : "unknown",
      because: "the list of tags is empty, though the tag is there",
    };
  }
  if (reading.kind !== "version" || moving !== undefined) {
    const why = moving === undefined ? withoutVersion(reading) : `${tag} is judged by digest, as ${moving.rule} says`;
    const because = isGone ? `${tag} is gone` : (lag.because ?? `${why}, and no digest says which image runs`);
    return { ...nothing, current: null, ...lag, ...(isGone && { status: "missing", gone: "tag" }), because };
  }
  return judgeVersion(reading, await upstream.readings(), { image, upstream, isGone, lag, nothing });
}

const kinds = { hash: "names a commit", words: "has no version", artifact: "is no image, but a signature or the like" };

function withoutVersion(reading: TagReading): string {
  return reading.kind === "version" ? "" : `${reading.tag} ${kinds[reading.kind]}`;
}

type TagList =
  | { readonly kind: "tags"; readonly tags: readonly string[] }
  /** The registry has the tag, but gives no list. */
  | { readonly kind: "none"; readonly error: PulleyError };

/** A registry that refuses its list may still have the image. */
async function tagList(tag: Tag, upstream: Upstream): Promise<TagList> {
  try {
    return { kind: "tags", tags: await upstream.tags() };
  } catch (error) {
    const mayHaveIt = isPulleyError(
      error,
      "REGISTRY_NOT_FOUND",
      "REGISTRY_PROTOCOL",
      "REGISTRY_FORBIDDEN",
      "REGISTRY_UNAUTHORIZED",
      "TOO_LARGE",
    );
    if (!mayHaveIt) throw error;
    const isThere = await exists(tag, upstream).catch(() => false);
    if (!isThere) throw error;
    return { kind: "none", error };
  }
}

async function exists(version: Tag | Digest, upstream: Upstream): Promise<boolean> {
  try {
    await upstream.resolve(version);
    return true;
  } catch (error) {
    if (isPulleyError(error, "REGISTRY_NOT_FOUND")) return false;
    throw error;
  }
}

async function judgeDigest({ digest }: Reference, upstream: Upstream, nothing: Judgement): Promise<Judgement> {
  if (digest !== undefined && !(await exists(digest, upstream))) {
    return {
      ...nothing,
      status: "missing",
      gone: "digest",
      because: "the registry does not have this digest any more",
    };
  }
  return { ...nothing, because: "a digest alone says no version" };
}

/** How the digest that runs compares with what the tag has now. Without one that runs, nobody is asked. */
async function lagOf({ runs }: JudgedImage, tag: Tag, upstream: Upstream): Promise<Partial<Judgement>> {
  if (runs === undefined) return {};
  const { digest: now } = await upstream.resolve(tag);
  if (now === runs || (await upstream.lists(tag, runs))) {
    return { status: "current", distance: "unknown", because: `${tag} still has the digest that runs` };
  }
  return { status: "moved", lag: { tag, runs, now }, because: `${tag} has another digest now` };
}

interface VersionCase {
  readonly image: JudgedImage;
  readonly upstream: Upstream;
  readonly isGone: boolean;
  readonly lag: Partial<Judgement>;
  readonly nothing: Judgement;
}

async function judgeVersion(
  current: VersionTag,
  tags: readonly TagReading[],
  { image, upstream, isGone, lag, nothing }: VersionCase,
): Promise<Judgement> {
  const { allow, suffix, ignored } = image.limits;
  const all = candidates(current, tags, { suffix });
  const allowed = all.filter(({ tag, step }) => isWithin(step, allow) && ignored(tag) === undefined);
  const offered = await existing(allowed, image.platforms, upstream);
  const place = placeAmong(current.tag, offered);

  const described = { current, tags, all, allowed, offered, isGone, image };
  const elsewhere = elsewhereFrom(described);
  const because = describeVersions({ ...described, elsewhere });
  const versions = { ...nothing, ...lag, ...place, current: current.tag, elsewhere };
  if (isGone)
    return { ...versions, status: "missing", gone: "tag", because: `the tag ${current.tag} is gone; ${because}` };
  const moved = lag.status === "moved" ? lag.because : undefined;
  const status = offered.length > 0 ? "outdated" : (lag.status ?? "current");
  return { ...versions, status, because: joined(status === "moved" ? [moved, because] : [because, moved]) };
}

/** Tags of one step that are looked up, at most, for one that has the platforms. */
const mostLookedUp = 20;

/** The newest of each step that is there for all platforms: each that is looked up costs a request. */
async function existing(
  newer: readonly Candidate[],
  platforms: readonly Platform[],
  upstream: Upstream,
): Promise<readonly Candidate[]> {
  if (platforms.length === 0) return newer;
  const found: Candidate[] = [];
  for (const most of ["major", "minor", "patch"] satisfies Step[]) {
    for (const candidate of newer.filter(({ step }) => isWithin(step, most)).slice(0, mostLookedUp)) {
      const isThere = found.includes(candidate) || (await isForAll(parseTag(candidate.tag), platforms, upstream));
      if (isThere && !found.includes(candidate)) found.push(candidate);
      if (isThere) break;
    }
  }
  return found.toSorted((one, other) => newer.indexOf(one) - newer.indexOf(other));
}

async function isForAll(tag: Tag, platforms: readonly Platform[], upstream: Upstream): Promise<boolean> {
  try {
    for (const platform of platforms) if (!(await upstream.isFor(tag, platform))) return false;
    return true;
  } catch (error) {
    // A list may name a tag that is gone.
    if (isPulleyError(error, "REGISTRY_NOT_FOUND", "MANIFEST_INVALID", "MANIFEST_UNSUPPORTED")) return false;
    throw error;
  }
}
