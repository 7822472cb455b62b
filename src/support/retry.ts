import type { Clock } from "./clock.ts";

/** When to try again, as data. */
export interface RetryPlan {
  /** How often in all, the first time included. */
  readonly attempts: number;
  /** Milliseconds before the second attempt. */
  readonly first: number;
  /** What each wait is multiplied with to give the next. */
  readonly factor: number;
  /** Milliseconds that no wait of the plan's own exceeds. */
  readonly longest: number;
  /** Share of a wait, from 0 to 1, that is left to chance, so that many clients do not come back at the same moment. */
  readonly jitter: number;
}

/**
 * What a failure means for the next attempt. `after`: at least so many milliseconds from now, because the other side
 * asks for it.
 */
export type RetryDecision = { readonly again: false } | { readonly again: true; readonly after?: number | undefined };

export interface Pace {
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
}

/** Milliseconds before the attempt that follows `failures` failures. */
export function retryDelay(plan: RetryPlan, failures: number, random: () => number): number {
  const wait = Math.min(plan.longest, plan.first * plan.factor ** (failures - 1));
  return wait * (1 - plan.jitter * random());
}

/** Does the work until it succeeds, its failure is final, or the plan is used up; throws the last failure then. */
export async function retry<T>(
  plan: RetryPlan,
  { clock, random }: Pace,
  decide: (error: unknown) => RetryDecision,
  work: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await work();
    } catch (error) {
      const verdict = decide(error);
      if (!verdict.again || failures >= plan.attempts) throw error;
      await clock.sleep(Math.max(verdict.after ?? 0, retryDelay(plan, failures, random)), signal);
    }
  }
}
