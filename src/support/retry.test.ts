import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Clock } from "./clock.ts";
import { type RetryDecision, type RetryPlan, retry, retryDelay } from "./retry.ts";

const plan: RetryPlan = { attempts: 4, first: 100, factor: 3, longest: 500, jitter: 0.5 };

function attemptsUntil(success: number, decide: () => RetryDecision = () => ({ again: true })) {
  const waits: number[] = [];
  let attempts = 0;
  const clock: Clock = { now: () => 0, sleep: async (milliseconds) => void waits.push(milliseconds) };
  const outcome = retry(plan, { clock, random: () => 0 }, decide, async () => {
    attempts += 1;
    if (attempts < success) throw new Error(`failure ${attempts}`);
    return attempts;
  });
  return { outcome, waits };
}

describe("retry", () => {
  it("waits longer each time, up to the longest wait", async () => {
    const { outcome, waits } = attemptsUntil(4);
    expect(await outcome).toBe(4);
    expect(waits).toEqual([100, 300, 500]);
  });

  it("does not wait after success", async () => {
    const { outcome, waits } = attemptsUntil(1);
    expect(await outcome).toBe(1);
    expect(waits).toEqual([]);
  });

  it("throws the last failure when the attempts are used up", async () => {
    const { outcome, waits } = attemptsUntil(99);
    await expect(outcome).rejects.toThrow("failure 4");
    expect(waits).toHaveLength(3);
  });

  it("throws a final failure at once", async () => {
    const { outcome, waits } = attemptsUntil(99, () => ({ again: false }));
    await expect(outcome).rejects.toThrow("failure 1");
    expect(waits).toEqual([]);
  });

  it("waits as long as it is asked to, if that is longer", async () => {
    const { outcome, waits } = attemptsUntil(3, () => ({ again: true, after: 200 }));
    await outcome;
    expect(waits).toEqual([200, 300]);
  });
});

describe("retryDelay", () => {
  it("stays between the wait less its jitter and the wait", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.double({ min: 0, max: 1, noNaN: true }), (failures, chance) => {
        const whole = retryDelay(plan, failures, () => 0);
        const some = retryDelay(plan, failures, () => chance);
        expect(whole).toBeLessThanOrEqual(plan.longest);
        expect(some).toBeLessThanOrEqual(whole);
        expect(some).toBeGreaterThanOrEqual(whole * (1 - plan.jitter));
      }),
    );
  });
});
