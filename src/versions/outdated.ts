/** Which newer versions there are of many images: each repository is asked once, each registry at its own pace. */
import {
  completePlatform,
  type Digest,
  invalidNameText,
  type Platform,
  type Repository,
  type Tag,
} from "../image/index.ts";
import { type Policy, type VersionLimits, versionsFor } from "../policy/index.ts";
import type { RegistryClient, TagsCall } from "../registry/index.ts";
import { inParallel } from "../support/concurrency.ts";
import { PulleyError } from "../support/errors.ts";
import type { Login } from "../support/login.ts";
import { type ComparedCopies, compareCopies } from "./copies.ts";
import { blank, failureOf, type Judgement, judge } from "./judgement.ts";
import type { OutdatedImage } from "./report.ts";
import { isWithin, type PassedOver, passedOver, readTag, type TagReading } from "./tags/index.ts";
import { openUpstream, type Upstream, type UpstreamSource } from "./upstream.ts";
import { requestOf, type UnknownImage, type UsedImage, type UsingWorkload } from "./used-image.ts";

/** An image to judge, with what is known of it. */
export interface AskedImage {
  readonly used: UsedImage;
  /** The digest of the copy on a node. */
  readonly runs?: Digest | undefined;
}

export interface OutdatedCall {
  readonly registry: Pick<RegistryClient, "tags" | "resolve" | "manifest" | "blob">;
  /** Who is asked for an image, with the logins of the workloads that use it. */
  readonly sourcesFor: (image: UsedImage) => Promise<readonly UpstreamSource[]>;
  readonly policy: Policy;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** What offered tags must have, whatever the workloads say; empty: what they say. */
  readonly platforms: readonly Platform[];
  /** Where a platform is left open, and for ages: the one of this machine. */
  readonly machine: Platform;
  /** Whether ages are asked for: two requests and more an image. */
  readonly ages: boolean;
  readonly pages?: TagsCall["pages"];
  readonly signal?: AbortSignal | undefined;
  /** Called after each image. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Images that are judged at once, of one registry: how many requests it gets at once is for the client to say. */
const atOnce = 8;

export interface Outdated {
  /** The answers in the order of the images. @throws PulleyError `CANCELLED`; nothing else */
  judge(): Promise<readonly OutdatedImage[]>;
  /**
   * How the tag of an image is read, and which tags of its repository are passed over for what reason. Asks for no more than
   * {@link Outdated.judge} has asked for.
   * @throws PulleyError any of the registry codes
   */
  explain(image: AskedImage, answer: OutdatedImage): Promise<TagExplanation>;
  /**
   * What the registry says of digests that run of one of the images. What {@link Outdated.judge} has found out is not asked
   * again. @throws PulleyError any of the registry codes; `REFERENCE_INVALID`
   */
  compare(image: AskedImage, runs: readonly Digest[]): Promise<ComparedCopies>;
  /** The digest that a tag of one of their repositories has now. @throws PulleyError any of the registry codes */
  digestOf(repository: Repository, tag: Tag): Promise<Digest>;
}

export interface TagExplanation {
  readonly reading: TagReading | undefined;
  /** Tags in the repository. */
  readonly tags: number;
  readonly passedOver: readonly PassedOver[];
}

export function openOutdated(images: readonly AskedImage[], call: OutdatedCall): Outdated {
  const upstreams = upstreamsOf(images, call);
  const upstreamOf = ({ name }: Repository): Upstream => {
    const upstream = upstreams.get(name);
    if (upstream === undefined) throw new PulleyError("INTERNAL", `nobody asks for ${name}`);
    return upstream;
  };
  return {
    judge: async () => {
      const answers = new Map<AskedImage, OutdatedImage>();
      // A registry that is slow, or asks for patience, does not hold the others.
      await Promise.all(
        byRegistry(images).map((own) =>
          inParallel(own, atOnce, async (image) => {
            call.signal?.throwIfAborted();
            answers.set(image, await answerFor(image, upstreamOf, call));
            call.onProgress?.(answers.size, images.length);
          }),
        ),
      );
      return images.flatMap((image) => answers.get(image) ?? []);
    },
    compare: async ({ used: { image } }, runs) => {
      if (image.kind === "invalid") throw new PulleyError("REFERENCE_INVALID", invalidNameText(image));
      return compareCopies(image, runs, upstreamOf(image.repository));
    },
    digestOf: async (repository, tag) => (await upstreamOf(repository).resolve(tag)).digest,
    explain: async ({ used }, { patch, minor, latest }) => {
      const name = used.image;
      if (name.kind === "invalid" || name.tag === undefined) return { reading: undefined, tags: 0, passedOver: [] };
      const tags = (await upstreams.get(name.repository.name)?.readings()) ?? [];
      const reading = readTag(name.tag);
      if (reading.kind !== "version") return { reading, tags: tags.length, passedOver: [] };
      const limits = limitsOf(used, call);
      const offered = new Set([patch, minor, latest].filter((tag) => tag !== null));
      const { suffix, allow } = limits;
      const options = { suffix, allow, ignore: (tag: string) => limits.ignored(tag) !== undefined };
      return { reading, tags: tags.length, passedOver: passedOver(reading, tags, offered, options) };
    },
  };
}

function byRegistry(images: readonly AskedImage[]): readonly (readonly AskedImage[])[] {
  const groups = new Map<string, AskedImage[]>();
  for (const asked of images) {
    const { image } = asked.used;
    const registry = image.kind === "invalid" ? "" : image.repository.registry;
    const group = groups.get(registry);
    if (group === undefined) groups.set(registry, [asked]);
    else group.push(asked);
  }
  return [...groups.values()];
}

/** One for each repository, with the logins of all who use it, each once. */
function upstreamsOf(images: readonly AskedImage[], call: OutdatedCall): ReadonlyMap<string, Upstream> {
  const { registry, sourcesFor, pages, signal } = call;
  const users = new Map<string, RepositoryUsers>();
  for (const { used } of images) {
    if (used.image.kind === "invalid") continue;
    const { repository } = used.image;
    const known = users.get(repository.name);
    if (known === undefined) users.set(repository.name, { repository, images: [used] });
    else known.images.push(used);
  }
  const open = ({ repository, images: own }: RepositoryUsers) =>
    openUpstream(repository, {
      registry,
      pages,
      signal,
      sources: async () => joined((await Promise.all(own.map(sourcesFor))).flat()),
    });
  return new Map([...users].map(([name, each]) => [name, open(each)]));
}

interface RepositoryUsers {
  readonly repository: Repository;
  readonly images: UsedImage[];
}

/** Each source once, with all of its logins; the registry itself, which knows its tags best, before its mirrors. */
function joined(sources: readonly UpstreamSource[]): readonly UpstreamSource[] {
  const byAddress = new Map<string, UpstreamSource>();
  for (const source of sources) {
    const known = byAddress.get(source.address);
    const usable = known?.failure === undefined ? known : undefined;
    if (usable === undefined) byAddress.set(source.address, source);
    else byAddress.set(source.address, { ...usable, logins: distinct([...usable.logins, ...source.logins]) });
  }
  return [...byAddress.values()].toSorted((one, other) => Number(one.mirror) - Number(other.mirror));
}

function distinct(logins: readonly Login[]): readonly Login[] {
  return [...new Map(logins.map((login) => [login.fingerprint(), login])).values()];
}

async function answerFor(
  { used, runs }: AskedImage,
  upstreamOf: (repository: Repository) => Upstream,
  call: OutdatedCall,
): Promise<OutdatedImage> {
  const { image: name } = used;
  const limits = limitsOf(used, call);
  if (name.kind === "invalid") {
    const error = new PulleyError("REFERENCE_INVALID", invalidNameText(name));
    const nothing = blank({ endOfLife: limits.endOfLife?.date ?? null });
    return report(used, { ...nothing, ...failureOf(error, undefined) });
  }
  const upstream = upstreamOf(name.repository);
  const { platforms: wanted, machine, ages, signal } = call;
  const platforms = wanted.length > 0 ? wanted : used.platforms.map((each) => completePlatform(each, machine));
  const ageOf = ages ? (platforms[0] ?? machine) : undefined;
  const judged = { reference: name, runs: name.digest ?? runs, limits, platforms, ageOf };
  const judgement = await judge(judged, upstream, signal);
  const mirror = upstream.mirror();
  if (mirror === undefined) return report(used, judgement);
  return report(used, { ...judgement, because: `${judgement.because}; by the mirror ${mirror}` });
}

/** Where its workloads are under different rules, the narrowest hold. */
function limitsOf({ image, workloads }: UsedImage, { policy, now }: OutdatedCall): VersionLimits {
  const requests = workloads.length > 0 ? workloads.map(({ request }) => request) : [requestOf({ image, workloads })];
  const all = requests.map((request) => versionsFor(request, policy, now));
  // Thousands of workloads are under a few limits.
  const different = new Map(all.map((limits) => [JSON.stringify([limits.matched, limits.failures]), limits]));
  return [...different.values()].reduce(narrower);
}

function narrower(one: VersionLimits, other: VersionLimits): VersionLimits {
  const stepsOf = isWithin(one.allow, other.allow) ? one : other;
  const suffixOf = other.suffix === "Exact" ? other : one;
  const ending = (one.endOfLife?.date ?? "9") <= (other.endOfLife?.date ?? "9") ? one : other;
  return {
    allow: stepsOf.allow,
    suffix: suffixOf.suffix,
    endOfLife: ending.endOfLife,
    decidedBy: {
      allow: stepsOf.decidedBy.allow,
      suffix: suffixOf.decidedBy.suffix,
      endOfLife: ending.decidedBy.endOfLife,
    },
    ignored: (tag) => one.ignored(tag) ?? other.ignored(tag),
    moving: (tag) => one.moving(tag) ?? other.moving(tag),
    failures: [...one.failures, ...other.failures],
    matched: [...one.matched, ...other.matched],
  };
}

function report({ image, workloads, places }: UsedImage, judgement: Judgement): OutdatedImage {
  return {
    image: {
      given: image.given,
      name: image.kind === "invalid" ? null : image.repository.name,
      tag: image.kind === "invalid" ? null : (image.tag ?? null),
      digest: image.kind === "invalid" ? null : (image.digest ?? null),
    },
    ...judgement,
    workloads: workloads.map(reportedWorkload),
    places: places.map((place) => place.source),
  };
}

/** An image that is not known before something is replaced, as an answer. */
export function unknownImage({ given, source, because, workload }: UnknownImage): OutdatedImage {
  return {
    image: { given, name: null, tag: null, digest: null },
    ...blank({ because }),
    workloads: workload === undefined ? [] : [reportedWorkload({ ...workload, source, cluster: undefined })],
    places: [source],
  };
}

function reportedWorkload({
  workload: { kind, namespace, name },
  container,
  source,
  cluster,
}: Omit<UsingWorkload, "cluster"> & { readonly cluster?: string | undefined }): OutdatedImage["workloads"][number] {
  return {
    kind,
    namespace,
    name,
    container: container.name,
    cluster: cluster ?? null,
    source: cluster === undefined ? source : null,
  };
}
