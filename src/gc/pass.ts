/** One pass of garbage collection: its state, and how images are deleted. */
import type { Clock } from "../support/clock.ts";
import { errorText, isPulleyError } from "../support/errors.ts";
import type { ImageMemory } from "./memory.ts";
import type { Pins } from "./pins.ts";
import type {
  CollectableImage,
  CollectableStore,
  CollectionEvent,
  CollectionOutcome,
  CollectionPolicy,
  DeletionReason,
  Disk,
  ImageOutcome,
  InUse,
  Registries,
} from "./types.ts";

/** What a collector uses. */
export interface CollectorDeps {
  readonly store: CollectableStore;
  readonly inUse: InUse;
  readonly policy: CollectionPolicy;
  /** Images that must stay besides those that the runtime pins. */
  readonly pins: Pins;
  /** Asked before an image is deleted; absent: it is deleted even if it can never be had again. */
  readonly registries: Registries | undefined;
  readonly memory: ImageMemory;
  /** Forgets who pulled images that are no longer here. */
  readonly records?: { prune(present: ReadonlySet<string>, before: number): Promise<void> } | undefined;
  readonly clock: Clock;
  readonly onEvent?: ((event: CollectionEvent) => void) | undefined;
  /** Called for each image that is deleted, as the kubelet's `image_garbage_collected_total` counts them. */
  readonly onDeleted?: ((reason: DeletionReason) => void) | undefined;
  /** Called with the outcome of each image. */
  readonly onOutcome?: ((image: ImageOutcome) => void) | undefined;
}

/** An image that may be deleted. */
export interface Candidate {
  readonly image: CollectableImage;
  readonly firstDetected: number;
  readonly lastUsed: number | undefined;
}

export interface Pass {
  readonly deps: CollectorDeps;
  readonly startedAt: number;
  readonly signal: AbortSignal | undefined;
  /** Images that may be deleted and are not decided yet, in the order of deletion. */
  candidates: readonly Candidate[];
  readonly outcomes: ImageOutcome[];
  /** Bytes to be freed; 0 until it is known that any have to be. */
  wanted: number;
  reportedFreed: number;
  /** Bytes that the store says it has removed from the disk. */
  unlinked: number;
}

export function beginPass(deps: CollectorDeps, signal: AbortSignal | undefined): Pass {
  const startedAt = deps.clock.now();
  return { deps, startedAt, signal, candidates: [], outcomes: [], wanted: 0, reportedFreed: 0, unlinked: 0 };
}

export function recordOutcome(
  pass: Pass,
  { image, firstDetected, lastUsed }: Candidate,
  outcome: CollectionOutcome,
): void {
  const settled = { image, firstDetected, lastUsed, outcome };
  pass.outcomes.push(settled);
  pass.deps.onOutcome?.(settled);
}

/** Keeps the remaining candidates. */
export function keepRemaining(pass: Pass, because: "notNeeded" | "notReached"): void {
  for (const candidate of pass.candidates) recordOutcome(pass, candidate, { kind: "kept", because });
  pass.candidates = [];
}

/** Deletes an image, unless a container uses it by now, or no registry has it any more. */
export async function deleteImage(
  pass: Pass,
  candidate: Candidate,
  reason: DeletionReason,
): Promise<CollectionOutcome> {
  pass.signal?.throwIfAborted();
  const outcome = await remove(pass, candidate, reason);
  recordOutcome(pass, candidate, outcome);
  if (outcome.kind === "deleted") {
    pass.reportedFreed += candidate.image.size;
    pass.unlinked += outcome.freed ?? 0;
    pass.deps.onDeleted?.(reason);
  }
  return outcome;
}

async function remove(
  { deps, signal }: Pass,
  { image }: Candidate,
  reason: DeletionReason,
): Promise<CollectionOutcome> {
  try {
    const presence = (await deps.registries?.presence(image, signal)) ?? "offered";
    if (presence === "lost" || presence === "unreachable") return { kind: "kept", because: presence };
    // Asking registries takes time; the image may be in use by now.
    if ((await deps.inUse.images()).has(image.id)) return { kind: "kept", because: "inUse" };
    return { kind: "deleted", reason, freed: await deps.store.remove(image.id) };
  } catch (error) {
    if (isPulleyError(error, "IMAGE_NOT_FOUND")) return { kind: "gone" };
    if (signal?.aborted) throw error;
    return { kind: "failed", error: errorText(error) };
  }
}

/** What has come free since a measurement: what the file system says or, where that comes late, what was removed. */
export function freedSince(before: Disk, now: Disk, unlinked: number): number {
  return Math.max(now.available - before.available, unlinked);
}
