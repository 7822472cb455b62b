import { describe, expect, it } from "vitest";
import { manualClock } from "../support/manual-clock.ts";
import { createRequeue } from "./requeue.ts";

describe("a rest", () => {
  it("lasts as long as it is to last", async () => {
    const clock = manualClock();
    const rest = createRequeue(clock).wait(1000, new AbortController().signal);
    await clock.advance(999);
    expect(clock.sleepers).toBe(1);
    await clock.advance(1);
    await rest;
  });

  it("ends early when it is woken, also before it has begun", async () => {
    const clock = manualClock();
    const requeue = createRequeue(clock);
    const { signal } = new AbortController();
    const rest = requeue.wait(1000, signal);
    requeue.wake();
    await rest;
    requeue.wake();
    await requeue.wait(1000, signal);
    expect(clock.now()).toBe(0);
    expect(clock.sleepers).toBe(0);
  });

  it("ends with the signal's reason, whenever that aborts", async () => {
    const clock = manualClock();
    const requeue = createRequeue(clock);
    const during = new AbortController();
    const rest = requeue.wait(1000, during.signal);
    during.abort(new Error("over"));
    await expect(rest).rejects.toThrow("over");
    // The last look at a pod may have gone through without asking the signal.
    await expect(requeue.wait(1000, AbortSignal.abort(new Error("long over")))).rejects.toThrow("long over");
    expect(clock.sleepers).toBe(0);
  });
});
