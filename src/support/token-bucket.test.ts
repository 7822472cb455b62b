import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { manualClock } from "./manual-clock.ts";
import { createThrottle } from "./token-bucket.ts";

describe("a throttle", () => {
  it("never lets in more than the burst and what has come back since", async () => {
    const asks = fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 10 }),
        fc.integer({ min: 1, max: 10 }),
        asks,
        async (qps, burst, waits) => {
          const clock = manualClock();
          const throttle = createThrottle(qps, burst, clock);
          let accepted = 0;
          for (const wait of waits) {
            await clock.advance(wait, async () => undefined);
            if (throttle.tryAccept()) accepted += 1;
            expect(accepted).toBeLessThanOrEqual(burst + (clock.now() / 1000) * qps);
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it("is full again after burst / qps seconds, and not fuller after longer", async () => {
    const clock = manualClock();
    const throttle = createThrottle(5, 10, clock);
    const taken = () => Array.from({ length: 20 }, () => throttle.tryAccept()).filter(Boolean).length;
    expect(taken()).toBe(10);
    await clock.advance(2000);
    expect(taken()).toBe(10);
    await clock.advance(60_000);
    expect(taken()).toBe(10);
  });
});
