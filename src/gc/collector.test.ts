import { describe, expect, it } from "vitest";
import { bytesToFree, formatSize, usagePercent } from "./disk-usage.ts";
import { fakeWorld, image, minute, outcomes, start } from "./testing/fake-store.ts";

describe("when images go", () => {
  it.each<[string, Parameters<typeof fakeWorld>[0], readonly string[], object]>([
    [
      "none below the high threshold, however old they are",
      { images: [image("a", 100), image("b", 740)] },
      [],
      { a: "notNeeded", b: "notNeeded" },
    ],
    // 850 of 1,000 are in use: 200 have to be free.
    [
      "from the high threshold on, until the low one is reached",
      { images: [image("a", 40), image("b", 30), image("c", 780)] },
      ["a", "b"],
      { a: "deleted", b: "deleted", c: "notNeeded" },
    ],
    [
      "the percentage of use is rounded up",
      { capacity: 10_000, others: 8401, images: [image("a", 1000)] },
      ["a"],
      { a: "deleted" },
    ],
    [
      "no further than the low threshold asks for",
      { images: [image("a", 50), image("b", 800)] },
      ["a"],
      { a: "deleted", b: "notNeeded" },
    ],
    [
      "none that is in use, be the disk as full as it may",
      { images: [image("a", 500), image("b", 500)], inUse: ["a"] },
      ["b"],
      { a: "inUse", b: "deleted" },
    ],
    [
      "none that the runtime pins",
      { images: [image("a", 500, { pinned: true }), image("b", 500)] },
      ["b"],
      { a: "pinned", b: "deleted" },
    ],
    [
      "none that a pattern pins, matched with the normalised name",
      {
        images: [
          image("a", 300, { names: ["docker.io/library/nginx:1"] }),
          image("b", 300, { names: ["registry.acme.io/team/app:1"] }),
          image("c", 300, { names: ["registry.acme.io.example.com/app:1"] }),
          image("d", 100),
        ],
        pins: ["docker.io/library/*", "registry.acme.io"],
      },
      ["c"],
      { a: "pinned", b: "pinned", c: "deleted", d: "notNeeded" },
    ],
    [
      "those that a pattern excludes from what another pins",
      {
        images: [
          image("a", 450, { names: ["docker.io/library/nginx:1"] }),
          image("b", 450, { names: ["docker.io/library/httpd:1"] }),
        ],
        pins: ["docker.io/**", "!docker.io/library/nginx"],
      },
      ["a"],
      { a: "deleted", b: "pinned" },
    ],
    [
      "none before it has been known for the minimum age",
      { images: [image("a", 900)], policy: { minimumAge: 2 * minute } },
      [],
      { a: "tooYoung" },
    ],
    [
      "never, if the threshold is 100 and there is room for one byte",
      { capacity: 100, images: [image("a", 99)], policy: { highThreshold: 100 } },
      [],
      { a: "notNeeded" },
    ],
  ])("%s", async (_rule, world, removed, became) => {
    const { collector, removed: gone } = fakeWorld(world);
    const report = await collector.collect();
    expect(gone).toEqual(removed);
    expect(outcomes(report)).toEqual(became);
  });

  it("once the minimum age has passed, to the millisecond", async () => {
    const world = fakeWorld({ images: [image("a", 900)], policy: { minimumAge: 2 * minute } });
    await world.collector.watch();
    await world.clock.advance(2 * minute - 1);
    expect(outcomes(await world.collector.collect())).toEqual({ a: "tooYoung" });
    await world.clock.advance(1);
    expect(outcomes(await world.collector.collect())).toEqual({ a: "deleted" });
  });
});

describe("the order", () => {
  it("is that of last use, those never used first, and then that of age", async () => {
    const world = fakeWorld({ images: [image("used", 100)], inUse: ["used"] });
    await world.collector.watch();
    await world.clock.advance(minute);
    world.here.set("young", image("young", 100));
    world.here.set("recent", image("recent", 100));
    world.inUse.clear();
    world.inUse.add("recent");
    await world.collector.watch();
    await world.clock.advance(minute);
    world.here.set("youngest", image("youngest", 100));
    world.inUse.clear();
    const report = await world.collector.deleteUnused();
    expect(world.removed).toEqual(["young", "youngest", "used", "recent"]);
    expect(report.images.map(({ lastUsed }) => lastUsed)).toEqual([undefined, undefined, start, start + minute]);
    expect(report.images.map(({ firstDetected }) => firstDetected)).toEqual(
      [minute, 2 * minute, 0, minute].map((after) => start + after),
    );
  });

  it("forgets images that were gone for a while", async () => {
    const world = fakeWorld({ images: [image("a", 100), image("b", 100)] });
    await world.collector.watch();
    const back = world.here.get("a");
    world.here.delete("a");
    await world.clock.advance(minute);
    await world.collector.watch();
    if (back !== undefined) world.here.set("a", back);
    await world.collector.deleteUnused();
    expect(world.removed).toEqual(["b", "a"]);
  });
});

describe("the maximum age", () => {
  const policy = { maximumAge: 10 * minute, minimumAge: 0 };

  it("counts from the last use, and only once images have been watched for longer", async () => {
    const world = fakeWorld({ images: [image("a", 10), image("b", 10)], inUse: ["b"], policy });
    await world.collector.collect();
    await world.clock.advance(10 * minute);
    expect(outcomes(await world.collector.collect())).toEqual({ a: "notNeeded", b: "inUse" });
    await world.clock.advance(1);
    world.inUse.clear();
    expect(outcomes(await world.collector.collect())).toEqual({ a: "deleted", b: "notNeeded" });
    await world.clock.advance(10 * minute);
    expect(outcomes(await world.collector.collect())).toEqual({ b: "deleted" });
    expect(world.deleted).toEqual(["age", "age"]);
  });

  it("takes no heed of the minimum age", async () => {
    const world = fakeWorld({ images: [image("a", 10)], policy: { maximumAge: 10 * minute, minimumAge: 9 * minute } });
    await world.clock.advance(11 * minute);
    expect(outcomes(await world.collector.collect())).toEqual({ a: "deleted" });
  });

  it("ends the pass if an image that is too old cannot be deleted", async () => {
    const world = fakeWorld({ images: [image("a", 450), image("b", 450), image("c", 50)], policy });
    world.failures.set("a", "device is busy");
    world.failures.set("c", "read-only file system");
    await world.clock.advance(11 * minute);
    const report = await world.collector.collect();
    expect(report.error).toBe(
      "wanted to free images older than 10m0s, encountered errors in image deletion: [device is busy, read-only file system]",
    );
    expect(outcomes(report)).toEqual({ a: "failed", b: "deleted", c: "failed" });
    expect(report.steps.map(({ name }) => name)).toEqual(["detect", "age"]);
    expect(world.pruned).toEqual([]);
  });

  it("comes before want of space, and both are told apart", async () => {
    const world = fakeWorld({ images: [image("a", 40), image("b", 60)], inUse: ["b"], others: 850, policy });
    await world.clock.advance(11 * minute);
    await world.collector.watch();
    world.inUse.clear();
    await world.clock.advance(1);
    const report = await world.collector.collect();
    expect(world.removed).toEqual(["a", "b"]);
    expect(world.deleted).toEqual(["age", "space"]);
    expect(report).toMatchObject({ wanted: 110, freed: { reported: 100, real: 100 } });
  });
});

describe("what goes wrong", () => {
  it("too little to delete is an event and an error in the kubelet's words", async () => {
    const world = fakeWorld({
      capacity: 10 * 1024 ** 3,
      images: [image("a", 1024 ** 3)],
      others: Math.floor(8.9 * 1024 ** 3),
    });
    const { error } = await world.collector.collect();
    const message =
      "Insufficient free disk space on the node's image filesystem (99% of 10.0 GiB used). Failed to free sufficient " +
      "space by deleting unused images (freed 1073741824 bytes). Investigate disk usage, as it could be used by " +
      "active images, logs, volumes, or other data.";
    expect(error).toBe(message);
    expect(world.events).toEqual([{ time: start, type: "Warning", reason: "FreeDiskSpaceFailed", message }]);
  });

  it("a disk without any capacity is one too", async () => {
    const world = fakeWorld({ capacity: 0, images: [image("a", 1)] });
    const { error, images } = await world.collector.collect();
    expect(error).toBe("invalid capacity 0 on image filesystem");
    expect(world.events).toMatchObject([{ reason: "InvalidDiskCapacity", message: error }]);
    expect(images).toMatchObject([{ outcome: { because: "notReached" } }]);
  });

  it("what cannot be deleted does not keep the others from it", async () => {
    const world = fakeWorld({ images: [image("a", 400), image("b", 100), image("c", 400)] });
    world.failures.set("a", "device is busy");
    const report = await world.collector.collect();
    expect(outcomes(report)).toEqual({ a: "failed", b: "deleted", c: "notNeeded" });
    expect(report.error).toBe(
      "wanted to free 100 bytes, but freed 100 bytes space with errors in image deletion: device is busy",
    );
    expect(world.events).toEqual([]);
    expect(world.pruned).toEqual([]);
  });

  it("what cannot be listed ends the pass, and nothing is deleted", async () => {
    const world = fakeWorld({ images: [image("a", 900)] });
    world.state.failure = "the runtime does not answer";
    expect(await world.collector.collect()).toMatchObject({ error: "the runtime does not answer", images: [] });
    expect(world.removed).toEqual([]);
  });

  it("what another has deleted meanwhile counts as what it is", async () => {
    const world = fakeWorld({ images: [image("a", 400), image("b", 500)] });
    const { remove } = world.store;
    world.store.remove = (id) => {
      if (id === "a") world.here.delete(id);
      return remove(id);
    };
    const report = await world.collector.collect();
    expect(outcomes(report)).toEqual({ a: "gone", b: "notNeeded" });
    expect(report).toMatchObject({ error: undefined, freed: { reported: 0, real: 0 } });
  });
});

describe("under pressure", () => {
  it("every image goes that may, whatever the thresholds say", async () => {
    const world = fakeWorld({
      images: [image("a", 1), image("b", 2), image("c", 3, { pinned: true }), image("d", 4)],
      inUse: ["b"],
      policy: { minimumAge: minute },
    });
    await world.collector.watch();
    await world.clock.advance(minute);
    world.here.set("e", image("e", 5));
    const report = await world.collector.deleteUnused();
    expect(outcomes(report)).toEqual({ a: "deleted", b: "inUse", c: "pinned", d: "deleted", e: "tooYoung" });
    expect(report).toMatchObject({
      error: undefined,
      wanted: Number.POSITIVE_INFINITY,
      freed: { reported: 5, real: 5 },
    });
    expect(world.events).toEqual([]);
    expect(world.pruned).toEqual([{ present: ["b", "c", "e"], before: start + minute }]);
  });

  it("failures are told with the largest number that Go has", async () => {
    const world = fakeWorld({ images: [image("a", 1)] });
    world.failures.set("a", "no");
    expect((await world.collector.deleteUnused()).error).toBe(
      "wanted to free 9223372036854775807 bytes, but freed 0 bytes space with errors in image deletion: no",
    );
  });
});

describe("what really lies on the disk", () => {
  /** Three images of 500 reported bytes, 400 of which are one layer that all of them share. */
  const shared = ["a", "b", "c"].map((id) => ({ id, layers: { base: 400, [`of ${id}`]: 100 } }));

  it("decides: sizes that count shared layers several times do not end the pass", async () => {
    const world = fakeWorld({ images: shared, others: 200 });
    const report = await world.collector.collect();
    // 900 of 1,000 are in use. By its reported size, the first image alone would have been enough.
    expect(world.removed).toEqual(["a"]);
    expect(report.freed).toEqual({ reported: 500, real: 100 });
    const fuller = fakeWorld({ images: shared, others: 250 });
    expect(await fuller.collector.collect()).toMatchObject({ wanted: 150, freed: { reported: 1000, real: 200 } });
    expect(fuller.removed).toEqual(["a", "b"]);
  });

  it("decides for a store that does not know what it frees, too", async () => {
    const world = fakeWorld({ images: shared, others: 250 });
    world.state.knowsFreed = false;
    expect(await world.collector.collect()).toMatchObject({ freed: { reported: 1000, real: 200 } });
  });

  it("is what the store has removed where the file system is slow to say so", async () => {
    const world = fakeWorld({ images: [image("a", 450), image("b", 450)] });
    const disk = await world.store.disk();
    world.store.disk = async () => disk;
    expect(outcomes(await world.collector.collect())).toEqual({ a: "deleted", b: "notNeeded" });
  });

  it("is told before and after, beside what images report", async () => {
    const { collector } = fakeWorld({ images: shared, others: 250 });
    expect((await collector.collect()).disk).toMatchObject({
      before: { capacity: 1000, available: 50, used: 700 },
      after: { capacity: 1000, available: 250, used: 500 },
    });
  });
});

describe("the last copy of an image", () => {
  it.each([
    ["offered", "deleted"],
    ["refused", "deleted"],
    ["nameless", "deleted"],
    ["lost", "lost"],
    ["unreachable", "unreachable"],
  ] as const)("of which the registry says %s: %s", async (presence, became) => {
    const world = fakeWorld({ images: [image("a", 900)], presence: { a: presence } });
    expect(outcomes(await world.collector.collect())).toEqual({ a: became });
  });

  it("is asked for only when it would go", async () => {
    const world = fakeWorld({ images: [image("a", 400), image("b", 500)], presence: { a: "lost" }, inUse: ["b"] });
    world.here.set("c", image("c", 50));
    world.here.set("d", image("d", 40));
    await world.collector.collect();
    expect(world.asked).toEqual(["a", "c", "d"]);
    expect(world.removed).toEqual(["c", "d"]);
  });

  it("stays when it has become too old", async () => {
    const world = fakeWorld({ images: [image("a", 1)], policy: { maximumAge: minute }, presence: { a: "lost" } });
    await world.clock.advance(2 * minute);
    expect(outcomes(await world.collector.collect())).toEqual({ a: "lost" });
  });
});

it("does not delete what a container has taken up while the pass went on", async () => {
  const world = fakeWorld({ images: [image("a", 100), image("b", 400), image("c", 400)], presence: {} });
  const { remove } = world.store;
  world.store.remove = (id) => {
    world.inUse.add("b");
    return remove(id);
  };
  world.state.others = 100;
  expect(outcomes(await world.collector.collect())).toEqual({ a: "deleted", b: "inUse", c: "deleted" });
});

it("forgets who pulled what is gone, and nothing of what is still here, in use or not", async () => {
  const world = fakeWorld({ images: [image("a", 500), image("b", 300), image("c", 100)], inUse: ["b"] });
  await world.collector.collect();
  expect(world.pruned).toEqual([{ present: ["b", "c"], before: start }]);
});

it("takes one pass after the other", async () => {
  const world = fakeWorld({ images: [image("a", 400), image("b", 500)] });
  const reports = await Promise.all([world.collector.collect(), world.collector.deleteUnused()]);
  expect(reports.map(outcomes)).toEqual([{ a: "deleted", b: "notNeeded" }, { b: "deleted" }]);
});

it("ends between two images when it is told to", async () => {
  const world = fakeWorld({ images: [image("a", 400), image("b", 500)] });
  const stop = new AbortController();
  const { remove } = world.store;
  world.store.remove = (id) => {
    stop.abort(new Error("enough"));
    return remove(id);
  };
  await expect(world.collector.deleteUnused(stop.signal)).rejects.toThrow("enough");
  expect(world.removed).toEqual(["a"]);
});

describe("the arithmetic", () => {
  it.each([
    [1000, 1000, 0],
    [1000, 999, 1],
    [1000, 151, 85],
    [1000, 150, 85],
    [1000, 149, 86],
    [1000, 0, 100],
    [1000, 2000, 0],
    [300e12, 45e12, 85],
  ])("of %d bytes with %d free, %d percent are in use", (capacity, available, percent) => {
    expect(usagePercent({ capacity, available })).toBe(percent);
  });

  it("goes beyond what JavaScript counts exactly", () => {
    expect(bytesToFree({ capacity: 300_000_000_000_007, available: 1 }, 80)).toBe(60_000_000_000_000);
    expect(bytesToFree({ capacity: 999, available: 100 }, 80)).toBe(99);
  });

  it.each([
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.0 KiB"],
    [10 * 1024 ** 3, "10.0 GiB"],
    [5000 * 1024 ** 4, "5000.0 TiB"],
  ])("writes %d bytes as %s", (bytes, text) => expect(formatSize(bytes)).toBe(text));
});
