import { type Digest, givenWithTag, type Reference } from "../image/index.ts";
import type { Fetching } from "../policy/index.ts";
import type { Clock } from "../support/clock.ts";
import { createSemaphore, createSingleFlight, createTokenBucket, type Task } from "../support/concurrency.ts";
import { PulleyError } from "../support/errors.ts";
import type { Login } from "../support/login.ts";
import { type Obtained, type PassedOver, trySources } from "./attempts.ts";
import { isRefusal } from "./failure.ts";
import type { ImageService } from "./image-service.ts";
import { type PullSettings, resolvePullSettings } from "./settings.ts";
import type { SourceOrder } from "./source-order.ts";
import type { PullSource } from "./sources.ts";
import type { PullProgress } from "./types.ts";

/** Pulls in turn: how many at once, how fast one after the other, from which of several sources with which login. */
export interface Puller {
  /** @throws PulleyError `PULL_QPS_EXCEEDED`, or what each source said to each of its logins */
  pull(image: Reference, sources: readonly PullSource[], call?: PullerCall): Promise<Pulled>;
  /** Calls back with how far every pull is, once however many wait for it. */
  onProgress(listener: (progress: PullProgress) => void): void;
}

export interface PullerCall {
  /** Default: as they are listed. */
  readonly order?: Fetching["order"];
  /** For callers who limit their pulls themselves: it begins at once, whatever the settings say. */
  readonly unlimited?: boolean | undefined;
  /** Leaves the pull when it aborts; others who wait for it go on. */
  readonly signal?: AbortSignal | undefined;
  /** Called with the progress of the pull that this caller waits for, from its beginning. */
  readonly onProgress?: (progress: PullProgress) => void;
}

export interface PullerOptions {
  readonly images: ImageService;
  readonly settings: PullSettings;
  readonly clock: Clock;
  /** What has been learnt of mirrors; others of this machine may learn more. */
  readonly order: SourceOrder;
}

export interface Pulled {
  readonly imageId: Digest;
  /** What the name stands for. */
  readonly digest: Digest;
  /** Bytes on disk; 0 where that could not be found out. */
  readonly size: number;
  /** Bytes of layers that were fetched for it, whoever of those that wait for it caused that. */
  readonly fetched: number;
  /** Whether it was another's pull, which was under way already. */
  readonly shared: boolean;
  /** What is odd about the image and may be a mistake, in sentences. */
  readonly warnings?: readonly string[];
  /** The source that had it. */
  readonly source: PullSource;
  /** Which of the logins that source accepted; `undefined` if there were none. */
  readonly used: Login | undefined;
  /** The sources that were asked before, and failed. */
  readonly passedOver: readonly PassedOver[];
  /** Milliseconds from the pull's turn to its end. */
  readonly duration: number;
}

/** Sources and logins are places in lists, because those who share a pull hold logins of their own, though equal ones. */
interface Shared extends Obtained {
  readonly size: number;
  readonly duration: number;
}

/** What is pulled; equal for those who may share a pull. */
interface PullKey {
  readonly image: Reference;
  readonly sources: readonly PullSource[];
  readonly order: Fetching["order"];
  readonly unlimited: boolean;
}

/**
 * One pull at a time, or several, in the order of asking; a pull that finds no token fails at once
 * (k8s pkg/kubelet/images/puller.go, helpers.go). The kubelet's queue of ten only makes those beyond it wait in the
 * same order, so there is one queue here.
 *
 * Unlike the kubelet, requests for the same image with equal logins that come while one of them is under way share its
 * place and its token: a hundred pods with one absent image cost one pull, and none of them runs into the limit.
 */
export function createPuller({ images, settings, clock, order: sourceOrder }: PullerOptions): Puller {
  const { parallel, qps, burst } = resolvePullSettings(settings);
  const semaphore = createSemaphore(parallel);
  const bucket = createTokenBucket(qps, burst, clock);
  const listeners = new Set<(progress: PullProgress) => void>();
  const singleFlight = createSingleFlight<Shared, PullProgress>();

  async function pullInTurn({ image, sources, order, unlimited }: PullKey, call: Task<PullProgress>): Promise<Shared> {
    const { signal, report } = call;
    const release = unlimited ? () => undefined : await semaphore.acquire(signal);
    try {
      if (!unlimited && !bucket.tryAccept()) throw new PulleyError("PULL_QPS_EXCEEDED", "pull QPS exceeded");
      const start = clock.now();
      const ping = (address: string, over: AbortSignal) => images.ping(image, address, over);
      const arranged = await sourceOrder.arrange(sources, order, ping);
      const obtained = await trySources(
        images,
        image,
        arranged,
        { signal, onProgress: report },
        ({ address }, error) => {
          if (!isRefusal(error)) sourceOrder.failed(address);
        },
      );
      const size = await images.size(obtained.id).catch(() => 0);
      return { ...obtained, size, duration: clock.now() - start };
    } finally {
      release();
    }
  }

  async function follow(key: PullKey, task: Task<PullProgress>): Promise<Shared> {
    let last: PullProgress = { image: givenWithTag(key.image), phase: "waiting", received: 0, total: 0, layers: [] };
    const report = (progress: PullProgress) => {
      last = progress;
      for (const listen of listeners) listen(progress);
      task.report(progress);
    };
    report(last);
    try {
      return await pullInTurn(key, { signal: task.signal, report });
    } catch (error) {
      report({ ...last, phase: "failed" });
      throw error;
    }
  }

  return {
    pull: async (image, sources, { order = "Listed", unlimited = false, signal, onProgress: hear } = {}) => {
      const key = JSON.stringify([givenWithTag(image), order, unlimited, ...sources.map(sourceKey)]);
      let shared = true;
      const work = (task: Task<PullProgress>) => {
        shared = false;
        return follow({ image, sources, order, unlimited }, task);
      };
      const { id, source: from, loginAt, ...pulled } = await singleFlight.join(key, work, { signal, onProgress: hear });
      const source = sources.find(({ address }) => address === from);
      if (source === undefined) throw new PulleyError("INTERNAL", `${from} is not one of the sources`);
      return {
        ...pulled,
        imageId: id,
        source,
        used: loginAt === undefined ? undefined : source.logins[loginAt],
        shared,
      };
    },
    onProgress: (listener) => void listeners.add(listener),
  };
}

function sourceKey({ address, mirror, logins, content = [], failure }: PullSource): unknown {
  const before = content.map((other) => [other.address, other.login?.fingerprint()]);
  return [address, before, mirror, failure !== undefined, ...logins.map((login) => login.fingerprint())];
}
