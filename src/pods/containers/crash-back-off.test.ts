import { expect, it } from "vitest";
import { manualClock } from "../../support/manual-clock.ts";
import { type CrashLimits, createCrashBackOff } from "./crash-back-off.ts";

/** Seconds that a container rests which ends at once, again and again. */
async function rests(limits: CrashLimits | undefined, times: number): Promise<readonly number[]> {
  const clock = manualClock(1_000_000);
  const backOff = createCrashBackOff(clock, limits);
  const delays: number[] = [];
  for (let turn = 0; turn < times; turn += 1) {
    backOff.next("main", clock.now());
    const wait = backOff.waiting("main", clock.now());
    delays.push((wait?.delay ?? 0) / 1000);
    await clock.advance(wait?.delay ?? 0);
  }
  return delays;
}

it.each<[CrashLimits | undefined, readonly number[]]>([
  [undefined, [10, 20, 40, 80, 160, 300, 300]],
  [{ initial: 10_000, maxContainerRestartPeriod: 60_000 }, [10, 20, 40, 60, 60, 60, 60]],
  [{ initial: 4000, maxContainerRestartPeriod: 4000 }, [4, 4, 4, 4, 4, 4, 4]],
  [{ initial: 1000, maxContainerRestartPeriod: 60_000 }, [1, 2, 4, 8, 16, 32, 60]],
])("with the limits %j, a container that keeps failing rests for %j seconds", async (limits, seconds) => {
  expect(await rests(limits, seconds.length)).toEqual(seconds);
});
