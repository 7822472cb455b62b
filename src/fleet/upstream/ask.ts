/** Asks registries about the images of clusters: each repository once, as `pulley outdated` does. */
import { isLoopback } from "../../image/index.ts";
import { inParallel } from "../../support/concurrency.ts";
import { errorTable, errorText, exitOf, isPulleyError } from "../../support/errors.ts";
import {
  type ComparedCopies,
  type Outdated,
  type OutdatedCall,
  type OutdatedImage,
  openOutdated,
} from "../../versions/index.ts";
import type { AskedRegistry, FleetUpstream, UpstreamImage } from "./answers.ts";
import type { FleetImage } from "./images.ts";

type Failure = NonNullable<AskedRegistry["failure"]>;

/** An image with all that was found out about it. */
interface Asked {
  readonly image: FleetImage;
  readonly answer: OutdatedImage;
  readonly copies: ComparedCopies | Failure;
}

/** Images of one registry whose copies are compared at once: how many requests it gets is for the client to say. */
const atOnce = 8;

/** @throws PulleyError `CANCELLED`; nothing else */
export async function askUpstream(images: readonly FleetImage[], call: OutdatedCall): Promise<FleetUpstream> {
  const outdated = openOutdated(images, call);
  const answers = await outdated.judge();
  const judged = images.flatMap((image, at) => {
    const answer = answers[at];
    return answer === undefined ? [] : [{ image, answer }];
  });
  const asked = await compareAll(judged, outdated, call.signal);
  const hasNames = asked.some(({ image, answer }) => isNamed(registryOf(image)) && answer.gone !== "registry");
  return {
    images: new Map(asked.map((each) => [each.image.key, upstreamOf(each, hasNames)])),
    registries: registriesOf(asked),
  };
}

type Judged = Pick<Asked, "image" | "answer">;

/** In the same order. A registry that is slow does not hold the others. */
async function compareAll(
  judged: readonly Judged[],
  outdated: Outdated,
  signal: AbortSignal | undefined,
): Promise<readonly Asked[]> {
  const found = new Map<Judged, Asked>();
  await Promise.all(
    [...byRegistry(judged).values()].map((own) =>
      inParallel(own, atOnce, async (each) => {
        signal?.throwIfAborted();
        const { image, answer } = each;
        const copies = await comparedOr(answer, () => outdated.compare(image, image.digests), signal);
        found.set(each, { image, answer, copies });
      }),
    ),
  );
  return judged.flatMap((each) => found.get(each) ?? []);
}

/** Of what nobody could tell anything there is nothing to compare, nor of what is gone as a whole. */
async function comparedOr(
  { error, gone }: OutdatedImage,
  compare: () => Promise<ComparedCopies>,
  signal: AbortSignal | undefined,
): Promise<ComparedCopies | Failure> {
  if (error !== null && (gone !== null || isOutage(error.code))) return error;
  try {
    return await compare();
  } catch (failure) {
    signal?.throwIfAborted();
    const code = isPulleyError(failure) ? failure.code : "INTERNAL";
    return { code, message: errorText(failure) };
  }
}

/** A registry that refuses a list may still tell of a tag; one that is down tells nothing. */
function isOutage(code: string): boolean {
  return exitOf(code) === errorTable.REGISTRY_UNREACHABLE.exit && code !== "REGISTRY_PROTOCOL";
}

function upstreamOf({ image, answer, copies }: Asked, hasNames: boolean): UpstreamImage {
  const compared = "code" in copies ? undefined : copies;
  return { answer, copies: compared, gone: goneOf(image, answer, compared, hasNames) };
}

/**
 * A machine without a name server finds no registry at all, and none of them is gone. A kubelet asks for a digest where
 * there is one, and does not notice that the tag beside it is gone.
 */
function goneOf(
  { used: { image } }: FleetImage,
  { gone }: OutdatedImage,
  copies: ComparedCopies | undefined,
  hasNames: boolean,
): UpstreamImage["gone"] {
  if (gone === "registry") return hasNames ? gone : null;
  if (gone === "repository" || image.kind === "invalid" || image.digest === undefined) return gone;
  return copies?.gone.has(image.digest) ? "digest" : null;
}

function registryOf({ used: { image } }: FleetImage): string {
  return image.kind === "invalid" ? "" : image.repository.registry;
}

function byRegistry<Each extends Judged>(images: readonly Each[]): ReadonlyMap<string, readonly Each[]> {
  const groups = new Map<string, Each[]>();
  for (const each of images) {
    const registry = registryOf(each.image);
    const group = groups.get(registry);
    if (group === undefined) groups.set(registry, [each]);
    else group.push(each);
  }
  return groups;
}

/** Whether it takes a name server to find it. */
function isNamed(registry: string): boolean {
  return !isLoopback(registry) && !/^(?:[\d.]+|\[.*\])(?::\d+)?$/.test(registry);
}

function registriesOf(asked: readonly Asked[]): readonly AskedRegistry[] {
  return [...byRegistry(asked)]
    .map(([name, own]) => {
      const failures = own.flatMap((each) => failureOf(each) ?? []);
      const failure = failures.toSorted((one, other) => exitOf(other.code) - exitOf(one.code))[0];
      const why = failure === undefined ? null : { code: failure.code, message: failure.message };
      return { name, images: own.length, unanswered: failures.length, failure: why };
    })
    .toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

/** A registry without an address may be gone, or this machine cannot find it: either way nobody was asked. */
function failureOf({ answer: { status, gone, error }, copies }: Asked): Failure | undefined {
  if (error !== null && (status === "unknown" || gone === "registry")) return error;
  return gone === null && "code" in copies ? copies : undefined;
}
