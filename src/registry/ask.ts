import type { Clock } from "../support/clock.ts";
import { type Pace, retry } from "../support/retry.ts";
import { readErrorBody } from "./body.ts";
import { named, statusFailure } from "./failure.ts";
import { judge, planFor } from "./retries.ts";
import type { Session, SessionRequest } from "./session.ts";
import type { Answer } from "./transport.ts";

/** What every request of one call has in common. */
export interface Asking {
  readonly session: Session;
  readonly pace: Pace;
  /** Milliseconds without a byte after which a body counts as stalled. */
  readonly stallTimeout: number;
  /** By what deadlines are told. */
  readonly timers: Clock;
  /** Milliseconds for the whole of a document. */
  readonly documentTimeout: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks, again where that may help, and reads the answer if its status is one that was expected.
 * @throws PulleyError any of the registry codes; and what `read` throws, which is tried again like any other failure
 */
export function ask<T>(
  asking: Asking,
  request: SessionRequest,
  expected: (status: number, answer: Answer) => boolean,
  read: (answer: Answer) => Promise<T>,
): Promise<T> {
  const { session, pace, signal } = asking;
  return retry(
    planFor(session.endpoint),
    pace,
    judge,
    async () => {
      const answer = await session.send({ ...request, signal });
      if (!expected(answer.status, answer)) throw await failureOf(answer, asking);
      return read(answer);
    },
    signal,
  ).catch((error: unknown) => {
    throw named(error, signal);
  });
}

export async function failureOf(answer: Answer, asking: Asking) {
  return statusFailure(answer, await readErrorBody(answer, asking), asking.pace.clock.now());
}
