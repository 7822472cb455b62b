import type { Clock } from "../support/clock.ts";
import { PulleyError } from "../support/errors.ts";
import { cancellation, describeAsked, type SentRequest } from "./failure.ts";
import type { RequestPace } from "./request-pace.ts";
import { retryMargin } from "./retries.ts";

export interface GateRules {
  readonly clock: Clock;
  /** Milliseconds that callers wait for an origin that asks to be left alone; beyond that they fail at once. */
  readonly longestWait: number;
  readonly pace: RequestPace | undefined;
  /** Called when the origin has asked for a wait that is made. */
  readonly onWait: (milliseconds: number) => void;
}

/** A request that wants to be sent. */
export interface Applicant {
  readonly asked: SentRequest;
  /** Whether it fails where it would have to wait because the origin asks for that. */
  readonly noWait: boolean;
  /** Why it is not sent any more. */
  readonly refusal?: () => PulleyError | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A request that was let through; to be given back with what became of it. */
export interface Pass {
  readonly sentAt: number;
  /** Whether the others wait for its outcome. */
  readonly isFirst: boolean;
}

export type Outcome =
  | { readonly kind: "answered" }
  /** 429; with the milliseconds of `Retry-After`, if there are any. */
  | { readonly kind: "refused"; readonly retryAfter: number | undefined }
  | { readonly kind: "failed" };

/** Times in milliseconds since the epoch. */
interface Closed {
  readonly at: number;
  readonly until: number;
  /** Until when the origin itself has said. */
  readonly said: number;
}

interface Waiting extends Applicant {
  readonly admit: (pass: Pass) => void;
  readonly reject: (error: unknown) => void;
}

/** Milliseconds of the first wait after a 429 that does not say how long, and of the longest. */
const firstWait = 1_000;
const longestUnsaid = 60_000;
/**
 * Milliseconds after which an origin is asked again, whatever it says, unless its pace is kept: as a kubelet does
 * (`MaxImageBackOff`). A server that says a year, and is mended, shows by then.
 */
const longestClosed = 300_000;

/**
 * Lets the requests to one origin through. After a 429 nobody asks it until the time that it names is over; then one
 * request goes first, and the others follow when that one has been answered otherwise.
 */
export class OriginGate {
  readonly #rules: GateRules;
  readonly #queue: Waiting[] = [];
  /** Set by a 429 until a request that was sent later has been answered. */
  #closed: Closed | undefined;
  /** Waits in a row of which the origin has not said how long. */
  #unsaid = 0;
  #hasFirst = false;
  #underWay = 0;
  #timer: AbortController | undefined;
  #over: PulleyError | undefined;

  constructor(rules: GateRules) {
    this.#rules = rules;
  }

  get isIdle(): boolean {
    const isClosed = this.#closed !== undefined && this.#rules.clock.now() < this.#closed.until;
    return this.#underWay === 0 && this.#queue.length === 0 && !isClosed;
  }

  /**
   * Waits until the request may be sent.
   * @throws PulleyError `REGISTRY_RATE_LIMITED` if that is too long, `CANCELLED`
   */
  enter(applicant: Applicant): Promise<Pass> {
    return new Promise((resolve, reject) => {
      const { signal } = applicant;
      if (signal?.aborted) {
        reject(cancellation(signal));
        return;
      }
      const leave = () => {
        this.#queue.splice(this.#queue.indexOf(waiting), 1);
        reject(signal && cancellation(signal));
        this.#admit();
      };
      const stopListening = () => signal?.removeEventListener("abort", leave);
      const waiting: Waiting = {
        ...applicant,
        admit: (pass) => {
          stopListening();
          resolve(pass);
        },
        reject: (error) => {
          stopListening();
          reject(error);
        },
      };
      signal?.addEventListener("abort", leave, { once: true });
      this.#queue.push(waiting);
      this.#turnAway();
      this.#admit();
    });
  }

  /**
   * Waits until the origin may be asked, without asking it.
   * @throws PulleyError as {@link enter}
   */
  async whenOpen(applicant: Applicant): Promise<void> {
    if (this.#closed === undefined) return;
    const pass = await this.enter(applicant);
    this.leave(pass, { kind: "failed" });
  }

  leave({ sentAt, isFirst }: Pass, outcome: Outcome): void {
    this.#underWay -= 1;
    if (isFirst) this.#hasFirst = false;
    switch (outcome.kind) {
      case "answered":
        this.#rules.pace?.passed();
        if (isFirst) this.#open();
        break;
      case "refused":
        this.#close(sentAt, outcome.retryAfter);
        break;
      case "failed":
        break;
    }
    this.#turnAway();
    this.#admit();
  }

  /** Rejects those that are refused by now. */
  reconsider(): void {
    this.#turnAway();
    this.#admit();
  }

  /** Nobody is let through any more. */
  end(): void {
    this.#over = new PulleyError("CANCELLED", "the registry client was closed");
    this.#timer?.abort(this.#over);
    this.#turnAway();
  }

  #open(): void {
    this.#closed = undefined;
    this.#unsaid = 0;
  }

  #close(sentAt: number, retryAfter: number | undefined): void {
    const { clock, longestWait, pace, onWait } = this.#rules;
    const at = clock.now();
    // Of those that were under way together, the first refusal counts, and the latest time.
    const isSame = this.#closed !== undefined && sentAt <= this.#closed.at;
    if (retryAfter === undefined && !isSame) this.#unsaid += 1;
    const unsaid = Math.min(longestUnsaid, firstWait * 2 ** (Math.max(1, this.#unsaid) - 1));
    const wait = retryAfter === undefined ? unsaid : retryAfter + retryMargin;
    const said = at + wait;
    const until = pace === undefined ? Math.min(said, at + Math.max(longestClosed, longestWait)) : said;
    if (isSame && this.#closed !== undefined) {
      const { at: first, until: before, said: saidBefore } = this.#closed;
      this.#closed = { at: first, until: Math.max(before, until), said: Math.max(saidBefore, said) };
      return;
    }
    this.#closed = { at, until, said };
    pace?.refused(at, wait);
    if (this.#mayWait(at)) onWait(wait);
  }

  #mayWait(now: number): boolean {
    const { said = 0 } = this.#closed ?? {};
    return said - retryMargin - now <= this.#rules.longestWait;
  }

  /** Rejects those for whom there is no use in waiting. */
  #turnAway(): void {
    for (const waiting of this.#queue.splice(0)) {
      const failure = this.#over ?? waiting.refusal?.() ?? this.#refusal(waiting);
      if (failure === undefined) this.#queue.push(waiting);
      else waiting.reject(failure);
    }
  }

  #refusal({ asked, noWait }: Applicant): PulleyError | undefined {
    const now = this.#rules.clock.now();
    if (this.#closed === undefined || now >= this.#closed.until || (!noWait && this.#mayWait(now))) return undefined;
    const retryAfter = this.#closed.said - now;
    const text = `${describeAsked(asked)}: not asked, for ${asked.url.host} has answered 429 Too Many Requests`;
    return new PulleyError(
      "REGISTRY_RATE_LIMITED",
      `${text}, and wants to be left alone for ${inSeconds(retryAfter)}`,
      {
        retryAfter,
      },
    );
  }

  #admit(): void {
    const { clock, pace } = this.#rules;
    while (this.#queue.length > 0 && this.#timer === undefined) {
      const now = clock.now();
      if (this.#closed !== undefined && now < this.#closed.until) return this.#wakeAt(this.#closed.until);
      if (this.#hasFirst || pace?.hasPlace(this.#underWay, now) === false) return;
      if (pace !== undefined && now < pace.nextAt) return this.#wakeAt(pace.nextAt);
      this.#letThrough(now);
    }
  }

  #letThrough(now: number): void {
    const isFirst = this.#closed !== undefined;
    this.#hasFirst = isFirst;
    this.#underWay += 1;
    this.#rules.pace?.sent(now);
    this.#queue.shift()?.admit({ sentAt: now, isFirst });
  }

  #wakeAt(time: number): void {
    const { clock } = this.#rules;
    const timer = new AbortController();
    this.#timer = timer;
    const wake = () => {
      this.#timer = undefined;
      // Waited for is waited for, also where a clock is a little behind.
      if (this.#closed?.until === time) this.#closed = { ...this.#closed, until: Math.min(time, clock.now()) };
      this.#turnAway();
      this.#admit();
    };
    clock.sleep(time - clock.now(), timer.signal).then(wake, () => undefined);
  }
}

function inSeconds(milliseconds: number): string {
  return `${Math.ceil(milliseconds / 1000)} s`;
}
