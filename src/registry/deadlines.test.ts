import { describe, expect, it } from "vitest";
import { manualClock } from "../support/manual-clock.ts";
import { inTime, pausable, pausing, watchRate } from "./deadlines.ts";

describe("a deadline", () => {
  it("ends work that listens, and work that does not", async () => {
    for (const listens of [true, false]) {
      const clock = manualClock();
      const heard: unknown[] = [];
      const work = inTime({ clock, milliseconds: 120_000, what: "GET x" }, (signal) => {
        signal.addEventListener("abort", () => heard.push(signal.reason));
        return new Promise((_resolve, reject) => {
          if (listens) signal.addEventListener("abort", () => reject(signal.reason));
        });
      });
      const ended = work.catch((error: unknown) => error);
      await clock.advance(119_999);
      expect(heard).toEqual([]);
      await clock.advance(1);
      expect(await ended).toMatchObject({
        code: "REGISTRY_STALLED",
        message: "GET x: the answer was not complete within 120 s",
      });
      expect(heard).toHaveLength(1);
    }
  });

  it("does not count what it is paused for, however many pause it at once", async () => {
    const clock = manualClock();
    const timers = pausable(clock);
    const waits = pausing(clock, timers);
    let isOver = false;
    const deadline = { clock: timers, milliseconds: 1_000, what: "x" };
    const ended = inTime(deadline, () => new Promise(() => undefined)).catch(() => {
      isOver = true;
    });
    await clock.advance(400);
    const both = Promise.all([waits.sleep(5_000), timers.pause(clock.sleep(7_000))]);
    await clock.advance(7_000);
    await both;
    await clock.advance(300);
    const again = waits.sleep(10_000);
    await clock.advance(10_000);
    await again;
    await clock.advance(299);
    expect(isOver).toBe(false);
    await clock.advance(1);
    await ended;
    expect(clock.now()).toBe(18_000);
  });

  it("goes on when what it is paused for fails", async () => {
    const clock = manualClock();
    const timers = pausable(clock);
    await expect(timers.pause(Promise.reject(new Error("no")))).rejects.toThrow("no");
    const slept = timers.sleep(10);
    await clock.advance(10);
    await slept;
    expect(clock.sleepers).toBe(0);
  });

  it("leaves nothing behind, and says what the work says", async () => {
    const clock = manualClock();
    expect(await inTime({ clock, milliseconds: 1000, what: "x" }, async () => 7)).toBe(7);
    await expect(
      inTime({ clock, milliseconds: 1000, what: "x" }, () => Promise.reject(new Error("no"))),
    ).rejects.toThrow("no");
    expect(clock.sleepers).toBe(0);
  });

  it("passes on that the caller has given up", async () => {
    const caller = new AbortController();
    const deadline = { clock: manualClock(), milliseconds: 1000, what: "x", signal: caller.signal };
    const work = inTime(
      deadline,
      (signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
        }),
    );
    caller.abort(new Error("given up"));
    await expect(work).rejects.toThrow("given up");
  });
});

const second = 1000;
const minute = 60 * second;

/** Lets bytes come, `bytes` every `every` milliseconds; when it ends, or `undefined` if it does not. */
async function comeFor(duration: number, every: number, bytes: number, leastRate = 1024): Promise<number | undefined> {
  const clock = manualClock();
  const watch = watchRate({ clock, leastRate, what: "GET layer" });
  for (let now = every; now <= duration; now += every) {
    await clock.advance(every);
    if (watch.signal.aborted) return clock.now();
    watch.received(bytes);
  }
  watch.end();
  await clock.advance(0);
  expect(clock.sleepers).toBe(0);
  return undefined;
}

describe("the least rate", () => {
  it.each([
    ["a byte every 59 seconds", 59 * second, 1],
    ["a byte a second", second, 1],
    ["one KiB every two seconds", 2 * second, 1024],
    ["a good piece, but every eight minutes", 8 * minute, 307_200],
  ])("ends %s after the first window", async (_title, every, bytes) => {
    expect(await comeFor(60 * minute, every, bytes)).toBeLessThanOrEqual(8 * minute);
  });

  it.each([
    ["just above the rate", second, 1030],
    ["a slow modem", second, 1400],
    ["pauses of four minutes between pieces of 1 MiB", 4 * minute, 1024 * 1024],
    ["a fast one", second, 100_000_000],
  ])("lets %s go on", async (_title, every, bytes) => {
    expect(await comeFor(60 * minute, every, bytes)).toBeUndefined();
  });

  it("ends what was fast once, and is slow now", async () => {
    const clock = manualClock();
    const watch = watchRate({ clock, leastRate: 1024, what: "GET layer" });
    watch.received(10_000_000_000);
    await clock.advance(5.5 * minute);
    expect(watch.signal.aborted).toBe(true);
    expect(watch.signal.reason).toMatchObject({
      code: "REGISTRY_STALLED",
      message: "GET layer: 0 bytes in 300 s, less than 1024 a second",
    });
  });

  it("is another one, or none", async () => {
    expect(await comeFor(60 * minute, second, 1024, 10_000)).toBeLessThanOrEqual(6 * minute);
    expect(await comeFor(60 * minute, 59 * second, 1, 0)).toBeUndefined();
  });
});
