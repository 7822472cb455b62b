import { describe, expect, it } from "vitest";
import type { EvictionThreshold } from "../kubelet-config/index.ts";
import { runCollection, runPressureRelief } from "./loop.ts";
import { fakeWorld, image, minute, start } from "./testing/fake-store.ts";
import type { CollectionReport } from "./types.ts";

function hard(signal: EvictionThreshold["signal"], share: number): EvictionThreshold {
  return {
    signal,
    text: `${share * 100}%`,
    value: { kind: "share", share },
    gracePeriod: undefined,
    minimumReclaim: undefined,
  };
}

/** Lets collection go on for a while, and answers with its passes. */
async function collecting(world: ReturnType<typeof fakeWorld>, during: () => Promise<void>) {
  const { collector, policy, clock, events } = world;
  const reports: CollectionReport[] = [];
  const stop = new AbortController();
  const onEvent = (event: (typeof events)[number]) => events.push(event);
  const loop = { collector, policy, clock, onEvent, onReport: (report: CollectionReport) => reports.push(report) };
  const running = runCollection(loop, stop.signal);
  await clock.advance(0);
  await during();
  stop.abort();
  await running;
  return reports;
}

describe("collection that goes on", () => {
  it("begins at once and comes back every five minutes", async () => {
    const world = fakeWorld({ images: [image("a", 1)] });
    const reports = await collecting(world, () => world.clock.advance(10 * minute));
    expect(reports.map(({ startedAt }) => startedAt)).toEqual([0, 5, 10].map((after) => start + after * minute));
    expect(world.clock.sleepers).toBe(0);
  });

  it("makes an event of a failure from the second in a row on", async () => {
    const world = fakeWorld({ images: [] });
    world.state.failure = "no figures yet";
    await collecting(world, async () => {
      expect(world.events).toEqual([]);
      await world.clock.advance(5 * minute);
      const event = { type: "Warning", reason: "ImageGCFailed", message: "no figures yet" };
      expect(world.events).toEqual([{ ...event, time: start + 5 * minute }]);
      await world.clock.advance(5 * minute);
      expect(world.events).toHaveLength(2);
      world.state.failure = "";
      await world.clock.advance(5 * minute);
      world.state.failure = "once more";
      await world.clock.advance(5 * minute);
      expect(world.events).toHaveLength(2);
    });
  });

  it("only looks where neither fullness nor age matter", async () => {
    const world = fakeWorld({ images: [image("a", 1000)], policy: { highThreshold: 100 } });
    const reports = await collecting(world, () => world.clock.advance(10 * minute));
    expect(reports).toEqual([]);
    const { images } = await world.collector.deleteUnused();
    expect(images).toMatchObject([{ firstDetected: start, outcome: { kind: "deleted" } }]);
  });
});

describe("relief of pressure", () => {
  async function watching(
    world: ReturnType<typeof fakeWorld>,
    thresholds: readonly EvictionThreshold[],
    during: (told: string[]) => Promise<void>,
  ) {
    const told: string[] = [];
    const stop = new AbortController();
    const { collector, store, clock } = world;
    const onPressure = (met: readonly EvictionThreshold[]) => told.push(met.map(({ signal }) => signal).join(" "));
    const running = runPressureRelief({ collector, store, clock, thresholds, onPressure }, stop.signal);
    await clock.advance(0);
    await during(told);
    stop.abort();
    await running;
  }

  it("deletes all unused images as soon as a hard threshold is met, and looks every ten seconds", async () => {
    const world = fakeWorld({ images: [image("a", 800)] });
    await watching(world, [hard("imagefs.available", 0.15)], async (told) => {
      world.state.others = 51;
      await world.clock.advance(9999);
      expect(world.removed).toEqual([]);
      await world.clock.advance(1);
      expect(world.removed).toEqual(["a"]);
      await world.clock.advance(10_000);
      expect(told).toEqual(["imagefs.available", ""]);
    });
  });

  it("waits for the grace period of a soft one, anew each time", async () => {
    const world = fakeWorld({ images: [image("a", 900)] });
    const soft = { ...hard("imagefs.available", 0.15), gracePeriod: minute };
    await watching(world, [soft], async () => {
      await world.clock.advance(50_000);
      world.state.capacity = 10_000;
      await world.clock.advance(10_000);
      world.state.capacity = 1000;
      await world.clock.advance(60_000);
      expect(world.removed).toEqual([]);
      await world.clock.advance(10_000);
      expect(world.removed).toEqual(["a"]);
    });
  });

  it.each([
    [hard("imagefs.inodesFree", 1), ["a"]],
    [{ ...hard("imagefs.available", 0), value: { kind: "quantity", quantity: 101 } } as const, ["a"]],
    [{ ...hard("imagefs.available", 0), value: { kind: "quantity", quantity: 100 } } as const, []],
    // Deleting images helps only where images are.
    [hard("nodefs.available", 1), []],
    [hard("memory.available", 1), []],
  ])("%j", async (threshold, removed) => {
    const world = fakeWorld({ images: [image("a", 900)] });
    await watching(world, [threshold], () => world.clock.advance(0));
    expect(world.removed).toEqual(removed);
  });
});
