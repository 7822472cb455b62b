/** Milliseconds for which requests count as sent just now. */
const recently = 60_000;
/**
 * Requests in that time after which they are sent one after another: registries that count allow a hundred or more, and
 * of several that are under way at the limit, each would be refused.
 */
const mostAtOnce = 80;
/** Requests that passed before a refusal, from which on that says how many may: fewer, and others had used the quota. */
const telling = 50;
/** The share of what a registry has let pass that is asked for from then on. */
const share = 0.9;

/**
 * How fast one origin is asked: several requests at once in the beginning, one after another when there have been many,
 * and below the rate at which it has refused.
 */
export class RequestPace {
  readonly #atOnce: number;
  #recent: number[] = [];
  /** Milliseconds between two requests. */
  #interval = 0;
  #lastSentAt = Number.NEGATIVE_INFINITY;
  /** When what is counted in `passed` began. */
  #since: number | undefined;
  #passed = 0;
  #refusals = 0;

  /** @param atOnce most requests at once */
  constructor(atOnce: number) {
    this.#atOnce = Math.max(1, atOnce);
  }

  /** Whether there may be one more beside those that are under way. */
  hasPlace(underWay: number, now: number): boolean {
    this.#recent = this.#recent.filter((at) => now - at < recently);
    const isSlow = this.#refusals > 0 || this.#recent.length >= mostAtOnce;
    return underWay < (isSlow ? 1 : this.#atOnce);
  }

  /** When the next may be sent, in milliseconds since the epoch. */
  get nextAt(): number {
    return this.#lastSentAt + this.#interval;
  }

  sent(now: number): void {
    this.#lastSentAt = now;
    this.#since ??= now;
    if (this.#recent.length < mostAtOnce) this.#recent.push(now);
    else this.#recent = [...this.#recent.slice(1), now];
  }

  passed(): void {
    this.#passed += 1;
  }

  /** A refusal, after which nothing is sent for `wait` milliseconds. */
  refused(now: number, wait: number): void {
    const passed = this.#passed;
    if (passed > 0 && (passed >= telling || this.#refusals > 0)) {
      const window = now - (this.#since ?? now) + wait;
      this.#interval = Math.max(this.#interval, window / (passed * share));
    }
    this.#refusals += 1;
    this.#passed = 0;
    this.#since = undefined;
  }
}
