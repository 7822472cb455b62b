import type { SecretNotes } from "../credentials/index.ts";
import type { Digest, Reference } from "../image/index.ts";
import type { Fetching, ImageFacts, Refusal } from "../policy/index.ts";
import type { Clock } from "../support/clock.ts";
import { type ErrorCode, errorTable, errorText, isPulleyError, PulleyError } from "../support/errors.ts";
import { formatDuration, quote } from "../support/go.ts";
import type { Login } from "../support/login.ts";
import type { Pod, PodContainer } from "../workload/index.ts";
import type { BackOff, RefusedBecause, Wait } from "./back-off.ts";
import { isUnreachable } from "./failure.ts";
import type { Pulled, Puller } from "./puller.ts";
import type { PullRecords } from "./records/index.ts";
import type { PullSource } from "./sources.ts";
import type { PullProgress } from "./types.ts";

/** The event that tells of a mirror not to be trusted, where the image came from elsewhere in the end. Pulley's own. */
const wrongContentEvent = "MirrorSentWrongContent";

/** The event that tells of an image that was taken though it may be a mistake. Pulley's own. */
export const oddImageEvent = "OddImage";

/** The event that tells what a rule on trial would refuse. Pulley's own. */
export const trialEvent = "PolicyWarning";

export type RecordEvent = (type: "Normal" | "Warning", reason: string, message: string) => void;

export interface PullRequest {
  readonly pod: Pod;
  readonly container: PodContainer;
  readonly record: RecordEvent;
  readonly signal?: AbortSignal | undefined;
}

/** Why a container's image cannot be used now. */
export interface Failure {
  /** Becomes the container's waiting reason. */
  readonly reason: string;
  readonly message: string;
  /** What to do about it, where the failure is one that Pulley knows. */
  readonly advice: string | undefined;
  /** The code of that failure; absent for refusals and for what nobody foresaw. */
  readonly code?: ErrorCode | undefined;
  /** When the next attempt may be made, in milliseconds since the epoch. */
  readonly backOffUntil: number | undefined;
}

/** What is to be pulled, from where, and who has a word in it on the way. */
export interface PullPlan {
  readonly image: Reference;
  readonly sources: readonly PullSource[];
  readonly order: Fetching["order"];
  /** Why the image is not to be had after all, now that it has said what it is. */
  readonly refusal: (facts: ImageFacts) => Refusal | undefined;
  /** What happens where nobody could be asked; absent: it is a failure like any other. */
  readonly unconfirmed?: ((error: PulleyError) => Unconfirmed) | undefined;
  /** Why the Secrets that the pod names give it no login for the image. */
  readonly secretNotes: () => SecretNotes | undefined;
}

/** The copy on this machine is used though nobody confirmed it, or is refused. */
export type Unconfirmed = { readonly imageId: Digest } | { readonly refusal: Refusal };

export type PullOutcome =
  | {
      readonly kind: "pulled";
      readonly pulled: Pulled;
      readonly facts: ImageFacts | undefined;
      /** Milliseconds, the wait for its turn included. */
      readonly waited: number;
    }
  | { readonly kind: "usedCached"; readonly imageId: Digest }
  | ({ readonly kind: "refused" } & Refused)
  /** `tooEarly`: nothing was attempted, because of a back-off. */
  | { readonly kind: "failed" | "tooEarly"; readonly failure: Failure };

/** The image was not what it must be, or the copy that would have to stand in for it is not. */
export interface Refused {
  readonly decision: Refusal;
  /** What the image said of itself; absent where nobody could be asked. */
  readonly facts?: ImageFacts;
}

export type ImagePull = (request: PullRequest, plan: PullPlan) => Promise<PullOutcome>;

export interface ImagePullOptions {
  readonly puller: Puller;
  readonly backOff: BackOff;
  readonly records: PullRecords | undefined;
  readonly clock: Clock;
  /** For callers who limit their pulls themselves. */
  readonly unlimited?: boolean | undefined;
}

/** One attempt to pull an image for a pod, unless it is too early for one (`pullImage` in the kubelet's image manager). */
export function createImagePull({ puller, backOff, records, clock, unlimited }: ImagePullOptions): ImagePull {
  /** Nobody is asked before its time, except that what was refused may have become allowed by other rules. */
  function waitingFor({ container, record }: PullRequest, plan: PullPlan, wait: Wait): PullOutcome | undefined {
    const { reason, message, advice, refused } = wait.noted;
    if (refused !== undefined) return refusedStill(plan, refused);
    const text = `Back-off pulling image ${quote(container.image)}`;
    record("Normal", "BackOff", text);
    const failure = {
      reason: "ImagePullBackOff",
      message: `${text}: ${reason}: ${message}`,
      advice,
      backOffUntil: wait.until,
    };
    return { kind: "tooEarly", failure };
  }

  function refusedStill({ refusal, unconfirmed }: PullPlan, because: RefusedBecause): PullOutcome | undefined {
    if ("facts" in because) {
      const decision = refusal(because.facts);
      return decision && { kind: "refused", decision, facts: because.facts };
    }
    const outcome = unconfirmed?.(because.unreachable);
    return outcome && "refusal" in outcome ? { kind: "refused", decision: outcome.refusal } : undefined;
  }

  async function attempt(request: PullRequest, plan: PullPlan): Promise<PullOutcome> {
    const { container, pod, record, signal } = request;
    const written = quote(container.image);
    const key = `${pod.uid}_${container.image}`;
    const wait = backOff.current(key);
    const waiting = wait && waitingFor(request, plan, wait);
    if (waiting !== undefined) return waiting;
    record("Normal", "Pulling", `Pulling image ${written}`);
    const start = clock.now();
    const watch = watchPull(plan, signal);
    const { image, sources, order } = plan;
    let pulled: Pulled;
    try {
      pulled = await puller.pull(image, sources, {
        order,
        unlimited,
        signal: watch.signal,
        onProgress: watch.onProgress,
      });
    } catch (error) {
      signal?.throwIfAborted();
      return notPulled(request, plan, { error, watch, key });
    } finally {
      watch.end();
    }
    const waited = clock.now() - start;
    tellPulled(request, pulled, waited);
    backOff.collect();
    return { kind: "pulled", pulled, facts: watch.facts(), waited };
  }

  function notPulled(
    { container, record }: PullRequest,
    plan: PullPlan,
    { error: thrown, watch, key }: Stopped,
  ): PullOutcome {
    const error = withSecretNotes(thrown, plan);
    const refused = watch.refused();
    if (refused !== undefined) {
      const { decision, facts } = refused;
      noteRefused(key, decision, { facts });
      return { kind: "refused", decision, facts };
    }
    if (isUnreachable(error) && !watch.answered()) {
      const unconfirmed = plan.unconfirmed?.(error);
      if (unconfirmed !== undefined && "imageId" in unconfirmed) return { kind: "usedCached", ...unconfirmed };
      if (unconfirmed !== undefined) {
        noteRefused(key, unconfirmed.refusal, { unreachable: error });
        return { kind: "refused", decision: unconfirmed.refusal };
      }
    }
    record("Warning", "Failed", `Failed to pull image ${quote(container.image)}: ${errorText(error)}`);
    const failure = classify(container.image, error);
    backOff.next(key, failure);
    return { kind: "failed", failure: { ...failure, backOffUntil: backOff.current(key)?.until } };
  }

  /** A refusal goes on being one, with its own reason, until somebody may be asked again. */
  function noteRefused(key: string, { reason, message }: Refusal, refused: RefusedBecause): void {
    backOff.next(key, { reason, message, advice: undefined, refused });
  }

  return async (request, plan) => {
    const { image } = plan;
    try {
      await records?.begin(image);
    } catch (error) {
      const message = `Failed to record image pull intent for container image ${quote(request.container.image)}: ${errorText(error)}`;
      return { kind: "failed", failure: failureOf(errorText(error), message, error) };
    }
    let outcome: PullOutcome | undefined;
    try {
      outcome = await attempt(request, plan);
      return outcome;
    } finally {
      if (outcome?.kind === "pulled")
        await records?.succeed(image, outcome.pulled.imageId, accepted(outcome.pulled, plan));
      else await records?.fail(image);
    }
  };
}

/** @param waited milliseconds: who came to a pull that was under way has waited for less than all of it */
function tellPulled({ container, record }: PullRequest, pulled: Pulled, waited: number): void {
  const { duration, size, passedOver, warnings = [] } = pulled;
  const written = quote(container.image);
  const took = `${formatDuration(Math.min(duration, waited))} (${formatDuration(waited)} including waiting)`;
  record("Normal", "Pulled", `Successfully pulled image ${written} in ${took}. Image size: ${size} bytes.`);
  for (const warning of warnings) record("Warning", oddImageEvent, `Image ${written} is taken, but ${warning}`);
  for (const { source, error } of passedOver) {
    if (!isPulleyError(error, "DIGEST_MISMATCH", "SIZE_MISMATCH")) continue;
    const text = `Mirror ${source} sent wrong content of image ${written}: ${error.message}`;
    record("Warning", wrongContentEvent, text);
  }
}

/**
 * The login that a pull is remembered with. A mirror that asked for none stands for a registry that would have: whoever
 * has the login for that may use the image again, and not every pod.
 */
function accepted({ used, source }: Pulled, { sources }: PullPlan): Login | undefined {
  return source.mirror && used === undefined ? sources.find(({ mirror }) => !mirror)?.logins[0] : used;
}

/** A pull that came to nothing. */
interface Stopped {
  readonly error: unknown;
  readonly watch: Watch;
  /** Of its back-off. */
  readonly key: string;
}

/** Listens to a pull, and leaves it as soon as the image turns out to be one that is refused. */
interface Watch {
  readonly signal: AbortSignal;
  onProgress(progress: PullProgress): void;
  /** Whether anybody has said what the name stands for. */
  answered(): boolean;
  /** What the image said of itself. */
  facts(): ImageFacts | undefined;
  refused(): Required<Refused> | undefined;
  end(): void;
}

function watchPull({ refusal }: PullPlan, signal: AbortSignal | undefined): Watch {
  const leaving = new AbortController();
  const leave = () => leaving.abort(signal?.reason);
  let answered = false;
  let heard: ImageFacts | undefined;
  let refused: Required<Refused> | undefined;
  if (signal?.aborted) leave();
  signal?.addEventListener("abort", leave, { once: true });
  return {
    signal: leaving.signal,
    onProgress: ({ digest, facts }) => {
      answered ||= digest !== undefined;
      if (facts === undefined || facts === heard) return;
      heard = facts;
      const decision = refusal(facts);
      if (decision === undefined) return;
      refused = { decision, facts };
      leaving.abort(new PulleyError("CANCELLED", decision.message));
    },
    answered: () => answered,
    facts: () => heard,
    refused: () => refused,
    end: () => signal?.removeEventListener("abort", leave),
  };
}

export function failureOf(reason: string, message: string, cause?: unknown): Failure {
  const known = isPulleyError(cause) ? { advice: cause.advice, code: cause.code } : { advice: undefined };
  return { reason, message, ...known, backOffUntil: undefined };
}

/** A pull is shared by those with equal logins, and what a pod's own Secrets are not for is only told to itself. */
function withSecretNotes(error: unknown, { secretNotes }: PullPlan): unknown {
  if (!isPulleyError(error, "REGISTRY_UNAUTHORIZED", "REGISTRY_FORBIDDEN")) return error;
  const { notes, advice } = secretNotes() ?? { notes: [], advice: "" };
  if (notes.length === 0) return error;
  const { code, message } = error;
  const isMissing = code === "REGISTRY_UNAUTHORIZED" && error.advice === errorTable[code].advice;
  return new PulleyError(code, [message, ...notes].join("; "), {
    advice: isMissing ? advice : error.advice,
    cause: error,
  });
}

/** Failures for which the kubelet has no reason of its own show their text as the reason. */
export function rawFailure(error: unknown): Failure {
  return failureOf(errorText(error), errorText(error), error);
}

/** Two failures that a runtime may announce by the first word of its text (k8s cri-api pkg/errors). */
const announced = [
  { reason: "RegistryUnavailable", because: "the registry is unavailable" },
  { reason: "SignatureValidationFailed", because: "the signature validation failed" },
] as const;

function classify(image: string, error: unknown): Failure {
  const text = errorText(error);
  const kind = announced.find(({ reason }) => text.startsWith(reason));
  if (kind === undefined) return failureOf("ErrImagePull", text, error);
  const rest = text.slice(kind.reason.length);
  return failureOf(kind.reason, `image pull failed for ${image} because ${kind.because}${rest}`, error);
}
