/** Registries that are busy, failing or gone: asked again for a while, and never waited for too long. */
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type BuiltImage, buildImage } from "../../examples/world/image-builder.ts";
import type { ErrorCode } from "../../src/support/errors.ts";
import { all, type Fault, fine, header, inTurn, status } from "./faults.ts";
import { expectFailure, hurriedClock, openVictim, type Victim, type Weather, weather } from "./victim.ts";

let image: BuiltImage;
let victim: Victim;
let sky: Weather;
beforeAll(async () => {
  image = await buildImage({ layers: [{ filler: 200_000 }] });
});
beforeEach(async () => {
  sky = weather();
  victim = await openVictim();
});
afterEach(async () => {
  await victim.close();
  await sky.clear();
});

describe("busy registries", () => {
  test.each<[string, Fault, number]>([
    ["429 with Retry-After: 0", all(status(429), header("retry-after", "0")), 0],
    ["429 with Retry-After: 2", all(status(429), header("retry-after", "2")), 2000],
    ["429 with a date that is past", all(status(429), header("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT")), 0],
    ["429 with garbage", all(status(429), header("retry-after", "soon\u00a0")), 0],
    ["429 with a negative wait", all(status(429), header("retry-after", "-1")), 0],
    ["500", status(500), 0],
    ["502", status(502), 0],
    ["503 with Retry-After: 1", all(status(503), header("retry-after", "1")), 1000],
    ["504", status(504), 0],
  ])("%s is asked again after a while", async (_what, busy, least) => {
    const clock = hurriedClock();
    const other = await openVictim({ clock });
    try {
      const storm = await sky.storm({
        image,
        faults: { manifest: inTurn(busy, fine), config: inTurn(busy, fine), layer: inTurn(busy, fine) },
      });
      await other.pull(`${storm.host}/team/app:1`);
      expect(clock.waits.length).toBeGreaterThanOrEqual(3);
      for (const wait of clock.waits) expect(wait).toBeGreaterThanOrEqual(Math.max(least, 1));
    } finally {
      await other.close();
    }
  });

  test.each<[string, Fault, ErrorCode]>([
    ["429 for ever", status(429), "REGISTRY_RATE_LIMITED"],
    ["500 for ever", status(500), "REGISTRY_UNAVAILABLE"],
    ["503 for ever", status(503), "REGISTRY_UNAVAILABLE"],
    ["429 with a wait of thirty years", all(status(429), header("retry-after", "1000000000")), "REGISTRY_RATE_LIMITED"],
  ])("%s is given up after a few attempts, and never waits for hours", async (_what, busy, code) => {
    const clock = hurriedClock();
    const other = await openVictim({ clock });
    try {
      const storm = await sky.storm({ image, faults: { manifest: busy } });
      const error = await other.failure(`${storm.host}/team/app:1`);
      expectFailure(error, { code, side: storm.host });
      expect(storm.asked.length).toBeLessThan(10);
      expect(clock.waits.reduce((sum, wait) => sum + wait, 0)).toBeLessThan(120_000);
    } finally {
      await other.close();
    }
  });

  test("a long wait is told, not made", async () => {
    const storm = await sky.storm({ image, faults: { manifest: all(status(429), header("retry-after", "3600")) } });
    expect((await victim.failure(`${storm.host}/team/app:1`)).retryAfter).toBe(3_600_000);
  });
});

test("nobody who listens is said so", async () => {
  const gone = await sky.storm({ image });
  await gone.close();
  expectFailure(await victim.failure(`${gone.host}/team/app:1`), { code: "REGISTRY_UNREACHABLE", side: gone.host });
});
