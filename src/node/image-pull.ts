import type { Digest } from "../image/digest.ts";
import type { Clock } from "../support/clock.ts";
import { errorText, isPulleyError } from "../support/errors.ts";
import { formatDuration, quote } from "../support/go.ts";
import type { Login } from "../support/login.ts";
import type { Pod, PodContainer } from "../workload/types.ts";
import type { BackOff, Wait } from "./back-off.ts";
import type { PullRecords } from "./pull-records/index.ts";
import type { Pulled, Puller } from "./puller.ts";
import type { NodeEvent } from "./types.ts";

export type RecordEvent = (type: NodeEvent["type"], reason: string, message: string) => void;

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
  /** When the next attempt may be made, in milliseconds since the epoch. */
  readonly backOffUntil: number | undefined;
}

export type ImagePull = (request: PullRequest, image: string, logins: readonly Login[]) => Promise<Digest | Failure>;

export interface ImagePullOptions {
  readonly puller: Puller;
  readonly backOff: BackOff;
  readonly records: PullRecords | undefined;
  readonly clock: Clock;
}

/** One attempt to pull an image for a pod, unless it is too early for one (`pullImage` in the kubelet's image manager). */
export function createImagePull({ puller, backOff, records, clock }: ImagePullOptions): ImagePull {
  function waitingFor({ container, record }: PullRequest, wait: Wait): Failure {
    const text = `Back-off pulling image ${quote(container.image)}`;
    const { reason, message, advice } = wait.noted;
    record("Normal", "BackOff", text);
    return {
      reason: "ImagePullBackOff",
      message: `${text}: ${reason}: ${message}`,
      advice,
      backOffUntil: wait.until,
    };
  }

  async function attempt(request: PullRequest, image: string, logins: readonly Login[]): Promise<Pulled | Failure> {
    const { container, pod, record, signal } = request;
    const written = quote(container.image);
    const key = `${pod.uid}_${container.image}`;
    const wait = backOff.current(key);
    if (wait !== undefined) return waitingFor(request, wait);
    record("Normal", "Pulling", `Pulling image ${written}`);
    const start = clock.now();
    let pulled: Pulled;
    try {
      pulled = await puller.pull(image, logins, signal);
    } catch (error) {
      signal?.throwIfAborted();
      record("Warning", "Failed", `Failed to pull image ${written}: ${errorText(error)}`);
      const failure = classify(container.image, error);
      backOff.next(key, failure);
      return { ...failure, backOffUntil: backOff.current(key)?.until };
    }
    const waited = clock.now() - start;
    // Who came to a pull that was under way has waited for less than all of it.
    const took = `${formatDuration(Math.min(pulled.duration, waited))} (${formatDuration(waited)} including waiting)`;
    const size = `Image size: ${pulled.size} bytes.`;
    record("Normal", "Pulled", `Successfully pulled image ${written} in ${took}. ${size}`);
    backOff.collect();
    return pulled;
  }

  return async (request, image, logins) => {
    try {
      await records?.begin(image);
    } catch (error) {
      const message = `Failed to record image pull intent for container image ${quote(request.container.image)}: ${errorText(error)}`;
      return failureOf(errorText(error), message, error);
    }
    let pulled: Pulled | undefined;
    try {
      const result = await attempt(request, image, logins);
      if ("reason" in result) return result;
      pulled = result;
      return result.imageId;
    } finally {
      if (pulled === undefined) await records?.fail(image);
      else await records?.succeed(image, pulled.imageId, pulled.used);
    }
  };
}

export function failureOf(reason: string, message: string, cause?: unknown): Failure {
  return { reason, message, advice: isPulleyError(cause) ? cause.advice : undefined, backOffUntil: undefined };
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
