import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type FakeImage, fakeWorld, minute } from "./testing/fake-store.ts";

const layer = fc.record({
  name: fc.constantFrom("w", "x", "y", "z"),
  shared: fc.boolean(),
  size: fc.integer({ min: 1, max: 200 }),
});

/** Images of one to three layers, some of which they share with others; a shared layer has the same size everywhere. */
const someImages = fc
  .array(fc.array(layer, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 8 })
  .map((all) => {
    const sizes = new Map<string, number>();
    return all.map((layers, at): FakeImage => {
      const own = layers.map(({ name, shared, size }): [string, number] => {
        if (!shared) return [`${name} of ${at}`, size];
        sizes.set(name, sizes.get(name) ?? size);
        return [name, sizes.get(name) ?? size];
      });
      return { id: `image-${at}`, layers: Object.fromEntries(own) };
    });
  });

const allOfThem = fc.record({
  images: someImages,
  used: fc.uniqueArray(fc.nat(7)),
  earlier: fc.uniqueArray(fc.nat(7)),
  pinned: fc.uniqueArray(fc.nat(7)),
  lost: fc.uniqueArray(fc.nat(7)),
  others: fc.integer({ min: 0, max: 600 }),
  low: fc.integer({ min: 0, max: 84 }),
  maximumAge: fc.constantFrom(0, 5 * minute),
});

/** Where no more is on the disk than it has room for. */
const someWorld = allOfThem.filter(({ images, others }) => {
  const layers = new Map(images.flatMap((each) => Object.entries(each.layers)));
  return [...layers.values()].reduce((sum, size) => sum + size, others) <= 1000;
});

type Some = typeof someWorld extends fc.Arbitrary<infer Value> ? Value : never;

/** A node on which some images were in use for ten minutes and others are now. */
async function worldOf({ images, used, earlier, pinned, lost, others, low, maximumAge }: Some) {
  const name = (at: number) => `image-${at}`;
  const world = fakeWorld({
    images: images.map((each, at) => ({ ...each, pinned: pinned.includes(at) })),
    others,
    policy: { lowThreshold: low, maximumAge },
    presence: Object.fromEntries(lost.map((at) => [name(at), "lost" as const])),
  });
  for (const at of earlier) world.inUse.add(name(at));
  await world.collector.watch();
  await world.clock.advance(10 * minute);
  world.inUse.clear();
  for (const at of used) world.inUse.add(name(at));
  return world;
}

/** The kubelet's own way (k8s pkg/kubelet/images/image_gc_manager.go), told once more, step by step and by reported sizes. */
function kubelet({ images, used, earlier, pinned, others, low, maximumAge }: Some, total: number) {
  const now = 10 * minute;
  const candidates = images
    .map(({ id, layers }, at) => {
      const size = Object.values(layers).reduce((sum, each) => sum + each, 0);
      return { id, at, size, lastUsed: earlier.includes(at) ? 0 : Number.NEGATIVE_INFINITY };
    })
    .filter(({ at }) => !used.includes(at) && !pinned.includes(at))
    .sort((one, other) => (one.lastUsed === other.lastUsed ? 0 : one.lastUsed - other.lastUsed));
  const isOld = ({ lastUsed }: { lastUsed: number }) =>
    maximumAge > 0 && now > maximumAge && now - lastUsed > maximumAge;
  const old = candidates.filter(isOld);
  const removed = old.map(({ id }) => id);
  const available = 1000 - others - total + old.reduce((sum, { size }) => sum + size, 0);
  if (100 - Math.floor((available * 100) / 1000) < 85) return { removed, enough: true };
  const toFree = Math.floor((1000 * (100 - low)) / 100) - available;
  let freed = 0;
  for (const { id, size } of candidates.filter((each) => !isOld(each))) {
    removed.push(id);
    freed += size;
    if (freed >= toFree) break;
  }
  return { removed, enough: freed >= toFree };
}

describe("whatever is on a node", () => {
  it("never deletes what is in use, pinned or lost to its registry", async () => {
    await fc.assert(
      fc.asyncProperty(someWorld, fc.boolean(), async (some, all) => {
        const world = await worldOf(some);
        await (all ? world.collector.deleteUnused() : world.collector.collect());
        const kept = new Set([...some.used, ...some.pinned, ...some.lost].map((at) => `image-${at}`));
        expect(world.removed.filter((id) => kept.has(id))).toEqual([]);
      }),
    );
  });

  it("deletes in the order of last use, and stops as soon as the disk has enough", async () => {
    await fc.assert(
      fc.asyncProperty(someWorld, async (given) => {
        const some = { ...given, maximumAge: 0 };
        const world = await worldOf(some);
        const availableBefore = (await world.store.disk()).available;
        const { wanted, images, error } = await world.collector.collect();
        const times = images.flatMap(({ outcome, lastUsed }) => (outcome.kind === "deleted" ? [lastUsed ?? -1] : []));
        expect(times).toEqual(times.toSorted((one, other) => one - other));
        const gained = (await world.store.disk()).available - availableBefore;
        if (error === undefined) expect(gained >= wanted).toBe(true);
        const last = world.removed.at(-1);
        if (last === undefined) return;
        // Without the last one, it would not have been enough.
        const lastFreed = images.find(({ image }) => image.id === last)?.outcome;
        expect(lastFreed?.kind === "deleted" && gained - (lastFreed.freed ?? 0) < wanted).toBe(true);
        // Whatever could still go stayed because there is enough.
        const left = images.filter(({ outcome }) => outcome.kind === "kept" && outcome.because === "notNeeded");
        expect(left.length > 0 && gained < wanted).toBe(false);
      }),
    );
  });

  it("deletes what a kubelet would, one after the other, where images share nothing", async () => {
    await fc.assert(
      fc.asyncProperty(someWorld, async (given) => {
        const images = given.images.map(({ id, layers }, at) => ({
          id,
          layers: Object.fromEntries(Object.entries(layers).map(([name, size]) => [`${name} of ${at} alone`, size])),
        }));
        const some = { ...given, images, lost: [], others: 0 };
        const total = images.flatMap(({ layers }) => Object.values(layers)).reduce((sum, size) => sum + size, 0);
        fc.pre(total <= 1000);
        some.others = Math.min(given.others, 1000 - total);
        const world = await worldOf(some);
        const expected = kubelet(some, total);
        const { error } = await world.collector.collect();
        expect(world.removed).toEqual(expected.removed);
        expect(error === undefined).toBe(expected.enough);
      }),
    );
  });

  it("says of every image exactly once what became of it, and reports what is true", async () => {
    await fc.assert(
      fc.asyncProperty(someWorld, async (some) => {
        const world = await worldOf(some);
        const usedBefore = world.onDisk();
        const { images, freed } = await world.collector.collect();
        expect(images.map(({ image }) => image.id).sort()).toEqual(some.images.map(({ id }) => id).sort());
        const deleted = images.filter(({ outcome }) => outcome.kind === "deleted");
        expect(deleted.map(({ image }) => image.id).sort()).toEqual(world.removed.toSorted());
        expect(freed.reported).toBe(deleted.reduce((sum, { image }) => sum + image.size, 0));
        expect(freed.real).toBe(usedBefore - world.onDisk());
      }),
    );
  });
});
