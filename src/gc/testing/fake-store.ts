import { parseReference } from "../../image/index.ts";
import { PulleyError } from "../../support/errors.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { type Collector, createCollector } from "../collector.ts";
import { type ImageMemory, processMemory } from "../memory.ts";
import { parsePins } from "../pins.ts";
import type {
  CollectableImage,
  CollectableStore,
  CollectionEvent,
  CollectionPolicy,
  CollectionReport,
  DeletionReason,
  RegistryPresence,
} from "../types.ts";

export interface FakeImage {
  readonly id: string;
  /** Bytes of each layer, by its name; those of one name are one layer. */
  readonly layers: Readonly<Record<string, number>>;
  readonly names?: readonly string[];
  readonly pinned?: boolean;
}

/** An image that shares nothing. */
export function image(id: string, size: number, more: Partial<FakeImage> = {}): FakeImage {
  return { id, layers: { [`of ${id}`]: size }, ...more };
}

export interface FakeWorld {
  readonly capacity?: number;
  /** Bytes on the disk that are no images. */
  readonly others?: number;
  readonly images: readonly FakeImage[];
  readonly inUse?: readonly string[];
  readonly policy?: Partial<CollectionPolicy>;
  readonly pins?: readonly string[];
  /** By id; the registries have every other image. Absent: nobody asks them. */
  readonly presence?: Readonly<Record<string, RegistryPresence>>;
  readonly memory?: ImageMemory;
}

export const minute = 60_000;

/** Some time after the epoch, as every time is. */
export const start = 1_000_000_000;

export type World = ReturnType<typeof fakeWorld>;

/** A node whose disk, containers, registries and clock are in the hands of a test. */
export function fakeWorld(given: FakeWorld) {
  const clock = manualClock(start);
  const here = new Map(given.images.map((each) => [each.id, each]));
  const inUse = new Set(given.inUse);
  const failures = new Map<string, string>();
  const removed: string[] = [];
  const asked: string[] = [];
  const events: CollectionEvent[] = [];
  const deleted: DeletionReason[] = [];
  const pruned: { readonly present: readonly string[]; readonly before: number }[] = [];
  const state = { capacity: given.capacity ?? 1000, others: given.others ?? 0, knowsFreed: true, failure: "" };
  const onDisk = () => {
    const layers = new Map([...here.values()].flatMap((each) => Object.entries(each.layers)));
    return [...layers.values()].reduce((sum, size) => sum + size, 0);
  };

  const store: CollectableStore = {
    images: async () => {
      if (state.failure !== "") throw new PulleyError("RUNTIME_FAILED", state.failure);
      return [...here.values()].map(collectable);
    },
    remove: async (id) => {
      const failure = failures.get(id);
      if (failure !== undefined) throw new PulleyError("STORE_FAILED", failure);
      if (!here.has(id)) throw new PulleyError("IMAGE_NOT_FOUND", `there is no image ${id}`);
      const before = onDisk();
      here.delete(id);
      removed.push(id);
      return state.knowsFreed ? before - onDisk() : undefined;
    },
    disk: async () => ({
      path: "/images",
      capacity: state.capacity,
      available: Math.max(0, state.capacity - state.others - onDisk()),
      inodes: 1000,
      inodesFree: 1000 - here.size,
    }),
    used: async () => onDisk(),
  };
  const policy = { highThreshold: 85, lowThreshold: 80, minimumAge: 0, maximumAge: 0, ...given.policy };
  const { presence } = given;
  const collector: Collector = createCollector({
    store,
    policy,
    clock,
    pins: parsePins(given.pins ?? []),
    inUse: { images: async () => new Set(inUse) },
    memory: given.memory ?? processMemory(clock.now()),
    registries: presence && {
      presence: async ({ id }) => {
        asked.push(id);
        return presence[id] ?? "offered";
      },
    },
    records: { prune: async (present, before) => void pruned.push({ present: [...present].sort(), before }) },
    onEvent: (event) => events.push(event),
    onDeleted: (reason) => deleted.push(reason),
  });
  return {
    clock,
    here,
    inUse,
    failures,
    removed,
    asked,
    events,
    deleted,
    pruned,
    state,
    store,
    policy,
    collector,
    onDisk,
  };
}

function collectable({ id, layers, names = [], pinned = false }: FakeImage): CollectableImage {
  const size = Object.values(layers).reduce((sum, each) => sum + each, 0);
  const digest = `sha256:${"0".repeat(64)}`;
  const sources = names.flatMap((name) => {
    const reference = parseReference(`${name.replace(/[:@].*$/, "")}@${digest}`);
    return reference.digest === undefined ? [] : [{ repository: reference.repository, digest: reference.digest }];
  });
  return { id, names, size, pinned, sources };
}

/** What became of each image: `a deleted`, `b inUse`. */
export function outcomes({ images }: CollectionReport): Readonly<Record<string, string>> {
  return Object.fromEntries(
    images.map(({ image: { id }, outcome }) => [id, outcome.kind === "kept" ? outcome.because : outcome.kind]),
  );
}
