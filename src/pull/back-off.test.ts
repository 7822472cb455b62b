import { describe, expect, it } from "vitest";
import { manualClock } from "../support/manual-clock.ts";
import { createBackOff } from "./back-off.ts";

const noted = { reason: "ErrImagePull", message: "no", advice: undefined };

describe("the back-off", () => {
  it("doubles from 10 s to 300 s, counted from each failure", async () => {
    const clock = manualClock(1_000_000);
    const backOff = createBackOff(clock);
    const delays: number[] = [];
    for (let failure = 0; failure < 8; failure += 1) {
      backOff.next("a", noted);
      const delay = (backOff.current("a")?.until ?? 0) - clock.now();
      delays.push(delay / 1000);
      await clock.advance(delay);
    }
    expect(delays).toEqual([10, 20, 40, 80, 160, 300, 300, 300]);
  });

  it.each([
    { after: 0, within: true },
    { after: 9_999, within: true },
    { after: 10_000, within: false },
  ])("is under way $after ms after the first failure: $within", async ({ after, within }) => {
    const clock = manualClock();
    const backOff = createBackOff(clock);
    backOff.next("a", noted);
    await clock.advance(after);
    expect(backOff.current("a") !== undefined).toBe(within);
    expect(backOff.current("b")).toBeUndefined();
  });

  it.each([
    { after: 600_000, next: 20 },
    { after: 600_001, next: 10 },
  ])("after $after ms without a failure the next wait is $next s", async ({ after, next }) => {
    const clock = manualClock();
    const backOff = createBackOff(clock);
    backOff.next("a", noted);
    await clock.advance(after);
    backOff.collect();
    backOff.next("a", noted);
    expect(backOff.current("a")?.until).toBe(clock.now() + next * 1000);
  });

  it("keeps what was noted last", () => {
    const backOff = createBackOff(manualClock());
    backOff.next("a", noted);
    backOff.next("a", { ...noted, message: "still no" });
    expect(backOff.current("a")?.noted.message).toBe("still no");
  });
});
