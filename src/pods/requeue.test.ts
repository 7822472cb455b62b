import { describe, expect, it } from "vitest";
import { manualClock } from "../support/manual-clock.ts";
import { createRequeue } from "./requeue.ts";

describe("waiting for the next sync", () => {
  it("lasts as long as it is to last", async () => {
    const clock = manualClock();
    const waiting = createRequeue(clock).wait(1000, new AbortController().signal);
    await clock.advance(999);
    expect(clock.sleepers).toBe(1);
    await clock.advance(1);
    await waiting;
  });

  it("ends early when it is woken, also before it has begun", async () => {
    const clock = manualClock();
    const requeue = createRequeue(clock);
    const { signal } = new AbortController();
    const waiting = requeue.wait(1000, signal);
    requeue.wake();
    await waiting;
    requeue.wake();
    await requeue.wait(1000, signal);
    expect(clock.now()).toBe(0);
    expect(clock.sleepers).toBe(0);
  });

  it("ends with the signal's reason, whenever that aborts", async () => {
    const clock = manualClock();
    const requeue = createRequeue(clock);
    const during = new AbortController();
    const waiting = requeue.wait(1000, during.signal);
    during.abort(new Error("over"));
    await expect(waiting).rejects.toThrow("over");
    // The last look at a pod may have gone through without asking the signal.
    await expect(requeue.wait(1000, AbortSignal.abort(new Error("long over")))).rejects.toThrow("long over");
    expect(clock.sleepers).toBe(0);
  });
});
