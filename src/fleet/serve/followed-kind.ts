/** The objects of one kind of a cluster, kept up to date between reports. */
import { type ClusterApi, type ListedKind, type WatchedKind, watchKind } from "../../cluster/index.ts";
import type { Clock } from "../../support/clock.ts";
import { isPulleyError, type PulleyError } from "../../support/errors.ts";
import type { JsonRecord } from "../../support/json-record.ts";
import type { HeldObject } from "./held-object.ts";

export interface FollowedKindOptions {
  readonly api: ClusterApi;
  readonly kind: ListedKind;
  /** Default: all. */
  readonly namespaces: readonly string[] | undefined;
  readonly hold: (object: JsonRecord) => HeldObject;
  /** Called with why the kind cannot be watched, though it could be listed. */
  readonly onRefused: (failure: PulleyError) => void;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** A list, and the watches that follow it. */
interface Following {
  readonly watch: WatchedKind<HeldObject>;
  isListed: boolean;
  /** Whether nothing follows any more. */
  isOver: boolean;
}

/** Milliseconds in which a watch that broke off goes on, as a rule: what is held is not old for that. */
const short = 10_000;

export class FollowedKind {
  readonly #options: FollowedKindOptions;
  #following: Following | undefined;

  constructor(options: FollowedKindOptions) {
    this.#options = options;
  }

  get kind(): ListedKind {
    return this.#options.kind;
  }

  values(): Iterable<HeldObject> {
    return this.#following?.watch.values() ?? [];
  }

  /**
   * Has what is held be what the cluster has. As long as a watch sees to that, there is nothing to do; otherwise the kind
   * is listed once. If that fails, what is held stays as it was; where the login may not, there is only what could be read.
   * @returns why it may be old
   * @throws what the signal says
   */
  async refresh(): Promise<PulleyError | undefined> {
    const { signal, clock } = this.#options;
    const before = this.#following;
    if (before !== undefined && isCurrent(before, clock.now())) return undefined;
    const fresh = this.#follow();
    const { watch } = fresh;
    // Whoever has too many objects, or is ended, is never ready; both are looked at here.
    await Promise.race([watch.settled, watch.ready]).catch(() => undefined);
    signal.throwIfAborted();
    const failure = fresh.isListed ? undefined : watch.failure;
    if (!fresh.isListed) await end(fresh);
    if (before?.isListed && failure !== undefined && !isForbidden(failure)) return failure;
    this.#following = fresh;
    await end(before);
    return failure;
  }

  close(): Promise<void> {
    return end(this.#following);
  }

  #follow(): Following {
    const { api, kind, namespaces, hold, onRefused, clock, signal } = this.#options;
    const onFailure = (failure: PulleyError) => {
      if (!following.isListed || following.isOver || !isForbidden(failure)) return;
      void end(following);
      onRefused(failure);
    };
    const watch = watchKind(api, kind, hold, { namespaces, onFailure, clock, signal });
    const following: Following = { watch, isListed: false, isOver: false };
    const listed = () => {
      following.isListed = true;
    };
    watch.ready.then(listed, () => undefined);
    return following;
  }
}

function isCurrent({ watch, isListed, isOver }: Following, now: number): boolean {
  if (!isListed || isOver) return false;
  const { failure, failingSince = now } = watch;
  return failure === undefined || (failure.code === "CLUSTER_UNREACHABLE" && now - failingSince < short);
}

async function end(following: Following | undefined): Promise<void> {
  if (following === undefined) return;
  following.isOver = true;
  await following.watch.close();
}

function isForbidden(failure: PulleyError): boolean {
  return isPulleyError(failure, "CLUSTER_FORBIDDEN");
}
