/** What the policy says to a request: the same decision as for every other pull. */
import { type Digest, isDigest, parseReference, type Reference, type Repository, type Tag } from "../image/index.ts";
import {
  type Decision,
  type ImageFacts,
  type LocalFacts,
  prepare,
  type Refusal,
  type Warning,
} from "../policy/index.ts";
import { findLocal, syntheticPod } from "../pull/index.ts";
import { PulleyError } from "../support/errors.ts";
import type { ImageRequest } from "../workload/index.ts";
import type { Asking } from "./sources.ts";
import type { MirrorDeps } from "./types.ts";

/** A request that is not refused, as far as anything is known about the image. */
export interface AuthorizedPull {
  readonly reference: Reference;
  readonly decision: Exclude<Decision, { action: "Refuse" }>;
  /** Why the copy on this machine is not to be had, though another may be. */
  readonly refusal: Refusal | undefined;
  readonly facts: LocalFacts;
  readonly id: Digest | undefined;
  readonly now: number;
  /** @throws PulleyError `IMAGE_REFUSED` if the image, as it is now known, is not to be had */
  check(image: ImageFacts): void;
  /** What rules on trial would refuse, as far as the image is known. */
  warnings(): readonly Warning[];
}

/** What rules say to whoever asks, without a look at what is on this machine. */
export interface Outline extends Asking {
  /** Why it is not to be had, whatever is here. */
  readonly refusal: PulleyError | undefined;
}

export interface PullAuthorizer {
  /**
   * What a stranger may be told, and whom to ask about him: the same, whatever is here.
   * @throws PulleyError `REFERENCE_INVALID`
   */
  outline(repository: Repository, version: Tag | Digest): Outline;
  /**
   * @param here that content under a digest is here, though no name says so
   * @throws PulleyError `IMAGE_REFUSED` with the rule's own words, `REFERENCE_INVALID`
   */
  image(repository: Repository, version: Tag | Digest, signal: AbortSignal, here?: boolean): Promise<AuthorizedPull>;
}

export function createPullAuthorizer({
  images,
  policy,
  clock,
}: Pick<MirrorDeps, "images" | "policy" | "clock">): PullAuthorizer {
  const outline = (repository: Repository, version: Tag | Digest): Outline => {
    const reference = referenceTo(repository, version);
    const [{ request }] = mirrorPod(reference).containers;
    const now = clock.now();
    const prepared = prepare(request, policy(), now);
    const absent = prepared.decide({ presence: "absent" });
    if (absent.action !== "Refuse") return { reference, decision: absent, refusal: undefined };
    const decision = { action: "Use" } as const;
    // What is refused only because it is not here may be here.
    const present = prepared.decide(presentAs(version, now));
    if (present.action !== "Refuse") return { reference, decision, refusal: undefined };
    return { reference, decision, refusal: refused(absent, request) };
  };

  const authorizeImage: PullAuthorizer["image"] = async (repository, version, signal, here = false) => {
    const reference = referenceTo(repository, version);
    const [{ request }] = mirrorPod(reference).containers;
    const now = clock.now();
    const prepared = prepare(request, policy(), now);
    // Who may use the copy is asked later: a registry may say so while it is asked for the image.
    const found = await findLocal(prepared, { images, records: undefined, clock }, noLogins, signal);
    if (found.failure !== undefined) throw found.failure.error;
    const facts: LocalFacts = here && found.facts.presence !== "present" ? presentAs(version, now) : found.facts;
    const decision = prepared.decide(facts);
    if (decision.action === "Refuse") throw refused(decision, request);
    const { refusal } = prepared.onCopy(facts);
    let { warnings } = decision.trial;
    const check = (image: ImageFacts) => {
      if (!prepared.needs.image) return;
      const again = prepared.decide({ ...facts, image });
      if (again.action === "Refuse") throw refused(again);
      warnings = again.trial.warnings;
    };
    return { reference, decision, refusal, facts, id: found.id, now, check, warnings: () => warnings };
  };

  return { outline, image: authorizeImage };
}

function refused({ reason, message }: Refusal, request?: ImageRequest): PulleyError {
  if (reason === "InvalidImageName") return new PulleyError("REFERENCE_INVALID", message);
  if (reason !== "ErrImageNeverPull") return new PulleyError("IMAGE_REFUSED", message);
  return new PulleyError(
    "IMAGE_NOT_FOUND",
    `${request?.image.given ?? "the image"} is not here, and a rule says Never: ${message}`,
  );
}

/** Content under its digest is what it was whenever a registry said so. */
function presentAs(version: Tag | Digest, now: number): LocalFacts {
  const digest = isDigest(version) ? version : undefined;
  return { presence: "present", digest, confirmedAt: now, access: "granted" };
}

export function referenceTo(repository: Repository, version: Tag | Digest): Reference {
  return parseReference(`${repository.name}${isDigest(version) ? "@" : ":"}${version}`);
}

async function noLogins() {
  return [];
}

/** The pod that rules about namespaces and labels see: clients of the mirror do not say which pod an image is for. */
export const mirrorPod = (image: Reference) => syntheticPod(image, { name: "pulley-mirror" });
