/** Garbage collection of images, as the kubelet does it, with what really lies on the disk. */

export { collectableStore } from "./collectable-store.ts";
export { type Collector, createCollector } from "./collector.ts";
export { usagePercent } from "./disk-usage.ts";
export { dryRunStore } from "./dry-run.ts";
export { confirmedMemory, type Histories, type ImageMemory, processMemory } from "./memory.ts";
export { fileMemory } from "./memory-file.ts";
export { collectionPolicy, collectOnNode, type NodeCollection, type NodeCollectionOptions } from "./node-collection.ts";
export { isPinned, type Pins, parsePins } from "./pins.ts";
export { createRegistries } from "./registries.ts";
export type {
  CollectableImage,
  CollectionEvent,
  CollectionOutcome,
  CollectionPolicy,
  CollectionReport,
  ImageOutcome,
  InUse,
  KeptBecause,
  MeasuredDisk,
} from "./types.ts";
