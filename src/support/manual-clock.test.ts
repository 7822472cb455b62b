import { describe, expect, it } from "vitest";
import { manualClock } from "./manual-clock.ts";

describe("a manual clock", () => {
  it("wakes sleeps in the order of their times, each at its own time", async () => {
    const clock = manualClock(1000);
    const woken: string[] = [];
    const note = (name: string) => () => void woken.push(`${name} at ${clock.now()}`);
    void clock.sleep(30).then(note("late"));
    void clock.sleep(10).then(note("early"));
    void clock.sleep(10).then(note("as early"));
    await clock.advance(20);
    expect(woken).toEqual(["early at 1010", "as early at 1010"]);
    expect(clock.now()).toBe(1020);
    expect(clock.sleepers).toBe(1);
    await clock.advance(10);
    expect(woken.at(-1)).toBe("late at 1030");
  });

  it("also wakes sleeps that begin while it moves", async () => {
    const clock = manualClock();
    const times: number[] = [];
    void (async () => {
      for (let round = 0; round < 5; round += 1) {
        await clock.sleep(7);
        times.push(clock.now());
      }
    })();
    await clock.advance(30);
    expect(times).toEqual([7, 14, 21, 28]);
  });

  it("ends a sleep with the reason of its signal", async () => {
    const clock = manualClock();
    const controller = new AbortController();
    const sleep = clock.sleep(10, controller.signal);
    controller.abort(new Error("enough"));
    await expect(sleep).rejects.toThrow("enough");
    expect(clock.sleepers).toBe(0);
    await expect(clock.sleep(10, controller.signal)).rejects.toThrow("enough");
  });
});
