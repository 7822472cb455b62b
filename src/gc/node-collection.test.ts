import { expect, it } from "vitest";
import { kubeletConfiguration } from "../kubelet-config/index.ts";
import { processMemory } from "./memory.ts";
import { collectOnNode } from "./node-collection.ts";
import { fakeWorld, image, minute } from "./testing/fake-store.ts";
import type { CollectionReport } from "./types.ts";

it("goes by the kubelet's configuration: thresholds, ages and pressure", async () => {
  const world = fakeWorld({ images: [image("a", 100), image("b", 600)] });
  const { store, clock, events } = world;
  const reports: CollectionReport[] = [];
  const stop = new AbortController();
  const configuration = kubeletConfiguration({
    imageGCHighThresholdPercent: 70,
    imageGCLowThresholdPercent: 60,
    imageMinimumGCAge: 2 * minute,
    evictionHard: new Map([["imagefs.available", "5%"]]),
  });
  const { ended } = collectOnNode(
    {
      store,
      clock,
      configuration,
      pins: [],
      registries: undefined,
      memory: processMemory(clock.now()),
      inUse: { images: async () => new Set(world.inUse) },
      onEvent: (event) => events.push(event),
      onReport: (report) => reports.push(report),
    },
    stop.signal,
  );
  await clock.advance(0);
  // Seventy percent are in use, but both images are too young.
  expect(world.removed).toEqual([]);
  expect(events).toMatchObject([{ reason: "FreeDiskSpaceFailed" }]);
  await clock.advance(5 * minute);
  expect(world.removed).toEqual(["a"]);
  world.state.others = 360;
  await clock.advance(10_000);
  expect(world.removed).toEqual(["a", "b"]);
  expect(reports.map(({ wanted }) => wanted)).toEqual([100, 100, Number.POSITIVE_INFINITY]);
  stop.abort();
  await ended;
  expect(clock.sleepers).toBe(0);
});
