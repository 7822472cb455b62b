import type { Fetching } from "../policy/index.ts";
import type { Clock } from "../support/clock.ts";
import type { PullSource } from "./sources.ts";

/** In which order the sources of an image are asked. What it learns of a mirror holds for all images. */
export interface SourceOrder {
  /**
   * As they are listed; or, under `Fastest`, the mirror that answers first before the others, and those that failed of
   * late behind them. The registry itself stays where it is, at the end.
   * @param ping ends when a mirror has answered; called for those that were not measured for a while
   */
  arrange(sources: readonly PullSource[], order: Fetching["order"], ping: Ping): Promise<readonly PullSource[]>;
  /** Notes that a mirror failed: for a while it comes after the others. */
  failed(address: string): void;
}

export type Ping = (address: string, signal: AbortSignal) => Promise<void>;

interface Measured {
  /** Milliseconds that it takes to answer; what was measured long ago counts for little in it. */
  readonly latency: number;
  readonly at: number;
}

/** Milliseconds for which a measurement is good enough. */
const goodFor = 60_000;
/** Milliseconds after which what was measured counts half against what is measured now. */
const halfLife = 60_000;
/** Milliseconds for which a mirror that failed comes after the others. */
const pushedBackFor = 60_000;
/** Milliseconds that are waited for an answer: a mirror that takes longer has failed. */
const longestPing = 2_000;

export function createSourceOrder(clock: Clock): SourceOrder {
  const measured = new Map<string, Measured>();
  const failures = new Map<string, number>();
  const underWay = new Map<string, Promise<void>>();

  async function measure(address: string, ping: Ping): Promise<void> {
    const start = clock.now();
    const over = new AbortController();
    const tooLong = clock.sleep(longestPing, over.signal).then(() => Promise.reject(new Error("no answer in time")));
    try {
      await Promise.race([ping(address, over.signal), tooLong]);
      note(address, clock.now() - start);
    } catch {
      failures.set(address, clock.now());
    } finally {
      tooLong.catch(() => undefined);
      over.abort();
    }
  }

  function note(address: string, latency: number): void {
    const at = clock.now();
    const before = measured.get(address);
    const weight = before === undefined ? 0 : 0.5 ** ((at - before.at) / halfLife);
    measured.set(address, { latency: weight * (before?.latency ?? 0) + (1 - weight) * latency, at });
    failures.delete(address);
  }

  /** Several pulls that begin at once measure a mirror once. */
  function measureOnce(address: string, ping: Ping): Promise<void> {
    const running = underWay.get(address);
    if (running !== undefined) return running;
    const started = measure(address, ping).finally(() => underWay.delete(address));
    underWay.set(address, started);
    return started;
  }

  function isFailing(address: string): boolean {
    const at = failures.get(address);
    return at !== undefined && clock.now() - at < pushedBackFor;
  }

  function isKnown(address: string): boolean {
    const at = measured.get(address)?.at;
    return isFailing(address) || (at !== undefined && clock.now() - at < goodFor);
  }

  function rank({ address }: PullSource): number {
    if (isFailing(address)) return Number.POSITIVE_INFINITY;
    return measured.get(address)?.latency ?? Number.MAX_VALUE;
  }

  return {
    failed: (address) => failures.set(address, clock.now()),
    arrange: async (sources, order, ping) => {
      const mirrors = sources.filter(({ mirror }) => mirror);
      if (order === "Listed" || mirrors.length < 2) return sources;
      const unknown = mirrors.filter(({ address }) => !isKnown(address));
      await Promise.all(unknown.map(({ address }) => measureOnce(address, ping)));
      const ranked = mirrors.map((source) => ({ source, rank: rank(source) }));
      ranked.sort((one, other) => compare(one.rank, other.rank));
      return [...ranked.map(({ source }) => source), ...sources.filter(({ mirror }) => !mirror)];
    },
  };
}

/** Two that are infinite are equal, which their difference does not tell. */
function compare(one: number, other: number): number {
  return one === other ? 0 : one - other;
}
