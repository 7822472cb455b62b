import { createHash } from "node:crypto";
import type { Digest } from "../image/digest.ts";
import type { Clock } from "../support/clock.ts";
import { errorText, isPulleyError, PulleyError } from "../support/errors.ts";
import type { Login } from "../support/login.ts";
import { createFlights, type Work } from "./flight.ts";
import type { ImageService, PullCall } from "./image-service.ts";
import { type PullSettings, resolvePullSettings } from "./pull-settings.ts";
import { createThrottle } from "./throttle.ts";
import { createTurns } from "./turns.ts";
import type { PullProgress } from "./types.ts";

/** Pulls in turn: how many at once, how fast one after the other, with which of several logins. */
export interface Puller {
  /** @throws PulleyError `PULL_QPS_EXCEEDED`, or what the registry said to each login */
  pull(image: string, logins: readonly Login[], signal?: AbortSignal): Promise<Pulled>;
}

export interface PullerOptions {
  readonly images: ImageService;
  readonly settings: PullSettings;
  readonly clock: Clock;
  /** Hears of every pull once, however many wait for it. */
  readonly onProgress?: (progress: PullProgress) => void;
}

export interface Pulled {
  readonly imageId: Digest;
  /** Bytes on disk; 0 where that could not be found out. */
  readonly size: number;
  /** Which of the logins the registry accepted; `undefined` if there were none. */
  readonly used: Login | undefined;
  /** Milliseconds from the pull's turn to its end. */
  readonly duration: number;
}

interface Shared extends Omit<Pulled, "used"> {
  /** A place in the list of logins, because those who share a pull hold logins of their own, though equal ones. */
  readonly usedAt: number;
}

/**
 * One pull at a time, or several, in the order of asking; a pull that finds no token fails at once
 * (k8s pkg/kubelet/images/puller.go, helpers.go). The kubelet's queue of ten only makes those beyond it wait in the
 * same order, so there is one queue here.
 *
 * Unlike the kubelet, requests for the same image with equal logins that come while one of them is under way share its
 * place and its token: a hundred pods with one absent image cost one pull, and none of them runs into the limit.
 */
export function createPuller({ images, settings, clock, onProgress }: PullerOptions): Puller {
  const { parallel, qps, burst } = resolvePullSettings(settings);
  const turns = createTurns(parallel);
  const throttle = createThrottle(qps, burst, clock);
  const flights = createFlights<Shared>();

  async function pullInTurn(image: string, logins: readonly Login[], call: PullCall): Promise<Shared> {
    const giveBack = await turns.take(call.signal);
    try {
      if (!throttle.tryAccept()) throw new PulleyError("PULL_QPS_EXCEEDED", "pull QPS exceeded");
      const start = clock.now();
      const { imageId, usedAt } = await tryEach(images, image, logins, call);
      const size = await images.size(imageId).catch(() => 0);
      return { imageId, usedAt, size, duration: clock.now() - start };
    } finally {
      giveBack();
    }
  }

  function followed(image: string, logins: readonly Login[]): Work<Shared, never> {
    return async ({ signal }) => {
      let last: PullProgress = { image, phase: "waiting", received: 0, total: 0, layers: [] };
      const report = (progress: PullProgress) => {
        last = progress;
        onProgress?.(progress);
      };
      report(last);
      try {
        return await pullInTurn(image, logins, { signal, onProgress: report });
      } catch (error) {
        report({ ...last, phase: "failed" });
        throw error;
      }
    };
  }

  return {
    pull: async (image, logins, signal) => {
      const key = JSON.stringify([image, ...logins.map(loginKey)]);
      const { usedAt, ...pulled } = await flights.join(key, followed(image, logins), { signal });
      return { ...pulled, used: logins[usedAt] };
    },
  };
}

/** The same for logins that a registry cannot tell apart. A hash, so that no secret lies about as a key. */
export function loginKey(login: Login | undefined): string {
  const text = JSON.stringify(login?.reveal() ?? null);
  return createHash("sha256").update(text).digest("hex");
}

/** The first login that succeeds; otherwise all failures (k8s pkg/kubelet/kuberuntime/kuberuntime_image.go). */
async function tryEach(
  images: ImageService,
  image: string,
  logins: readonly Login[],
  call: PullCall,
): Promise<{ imageId: Digest; usedAt: number }> {
  const candidates = logins.length === 0 ? [undefined] : logins;
  const failures: unknown[] = [];
  for (const [usedAt, login] of candidates.entries()) {
    try {
      return { imageId: await images.pull(image, login, call), usedAt };
    } catch (error) {
      call.signal?.throwIfAborted();
      failures.push(error);
    }
  }
  throw aggregate(failures);
}

/** One failure out of several, as Go's aggregate writes them: each text once, in brackets if there are several. */
function aggregate(failures: readonly unknown[]): unknown {
  const [first] = failures;
  const texts = [...new Set(failures.map(errorText))];
  if (texts.length < 2) return first;
  const known = failures.find((failure) => isPulleyError(failure));
  return new PulleyError(known?.code ?? "INTERNAL", `[${texts.join(", ")}]`, {
    ...(known && { advice: known.advice }),
    cause: new AggregateError(failures),
  });
}
