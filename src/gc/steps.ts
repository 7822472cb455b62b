/** The steps of a pass (k8s pkg/kubelet/images/image_gc_manager.go), each a function of its own. */
import { PulleyError } from "../support/errors.ts";
import { formatDuration } from "../support/go.ts";
import { bytesToFree, formatSize, usagePercent } from "./disk-usage.ts";
import { detected } from "./memory.ts";
import { type Candidate, deleteImage, freedSince, keepRemaining, type Pass, recordOutcome } from "./pass.ts";
import { isPinned } from "./pins.ts";
import type { Disk } from "./types.ts";

/** Lists images and their use, and orders the candidates: the longest unused first, then the oldest. */
export async function detect(pass: Pass): Promise<void> {
  const { store, inUse, memory, pins, clock } = pass.deps;
  const images = await store.images();
  const used = await inUse.images();
  const histories = detected(await memory.load(), images, used, { at: pass.startedAt, now: clock.now() });
  await memory.save(histories);
  const candidates: Candidate[] = [];
  for (const image of images) {
    const { firstDetected = pass.startedAt, lastUsed } = histories.get(image.id) ?? {};
    const candidate = { image, firstDetected, lastUsed };
    if (used.has(image.id)) recordOutcome(pass, candidate, { kind: "kept", because: "inUse" });
    else if (image.pinned || isPinned(image.names, pins))
      recordOutcome(pass, candidate, { kind: "kept", because: "pinned" });
    else candidates.push(candidate);
  }
  pass.candidates = candidates.sort(inOrder);
}

function inOrder(one: Candidate, other: Candidate): number {
  if (one.lastUsed === other.lastUsed) return one.firstDetected - other.firstDetected;
  // An image that was never seen in use counts as unused the longest.
  return (one.lastUsed ?? Number.NEGATIVE_INFINITY) - (other.lastUsed ?? Number.NEGATIVE_INFINITY);
}

/** Deletes images that were unused for longer than the maximum age, once images have been watched for that long. */
export async function deleteOld(pass: Pass): Promise<void> {
  const { policy, memory } = pass.deps;
  const { maximumAge } = policy;
  if (maximumAge === 0 || pass.startedAt - memory.began <= maximumAge) return;
  const errors: string[] = [];
  const rest: Candidate[] = [];
  for (const candidate of pass.candidates) {
    const isOld = candidate.lastUsed === undefined || pass.startedAt - candidate.lastUsed > maximumAge;
    if (!isOld) {
      rest.push(candidate);
      continue;
    }
    const outcome = await deleteImage(pass, candidate, "age");
    if (outcome.kind === "failed") errors.push(outcome.error);
  }
  pass.candidates = rest;
  if (errors.length === 0) return;
  const wanted = `wanted to free images older than ${formatDuration(maximumAge)}`;
  throw failed(`${wanted}, encountered errors in image deletion: ${aggregateText(errors)}`);
}

/** Reads the disk usage; returns it if it is above the high threshold. */
export async function measure(pass: Pass): Promise<Disk | undefined> {
  const disk = await pass.deps.store.disk();
  if (disk.capacity === 0) {
    const message = "invalid capacity 0 on image filesystem";
    recordEvent(pass, "InvalidDiskCapacity", message);
    throw failed(message);
  }
  const { highThreshold, lowThreshold } = pass.deps.policy;
  if (usagePercent(disk) < highThreshold) return undefined;
  pass.wanted = bytesToFree(disk, lowThreshold);
  return disk;
}

/** Deletes in order until enough has really gone from the disk. */
export async function freeSpace(pass: Pass, before: Disk): Promise<void> {
  const { deps, wanted, unlinked: unlinkedBefore } = pass;
  const { store, policy } = deps;
  const errors: string[] = [];
  let freed = 0;
  for (const candidate of pass.candidates) {
    pass.candidates = pass.candidates.slice(1);
    if (candidate.lastUsed !== undefined && candidate.lastUsed >= pass.startedAt) {
      recordOutcome(pass, candidate, { kind: "kept", because: "usedMeanwhile" });
      continue;
    }
    if (pass.startedAt - candidate.firstDetected < policy.minimumAge) {
      recordOutcome(pass, candidate, { kind: "kept", because: "tooYoung" });
      continue;
    }
    const outcome = await deleteImage(pass, candidate, "space");
    if (outcome.kind === "failed") errors.push(outcome.error);
    if (outcome.kind !== "deleted" && outcome.kind !== "gone") continue;
    freed = freedSince(before, await store.disk(), pass.unlinked - unlinkedBefore);
    if (freed >= wanted) break;
  }
  keepRemaining(pass, "notNeeded");
  if (errors.length > 0) {
    const amount = wanted === Number.POSITIVE_INFINITY ? "9223372036854775807" : String(wanted);
    const gained = `wanted to free ${amount} bytes, but freed ${freed} bytes space`;
    throw failed(`${gained} with errors in image deletion: ${aggregateText(errors)}`);
  }
  if (freed < wanted && wanted !== Number.POSITIVE_INFINITY) {
    const message =
      `Insufficient free disk space on the node's image filesystem (${usagePercent(before)}% of ` +
      `${formatSize(before.capacity)} used). Failed to free sufficient space by deleting unused images (freed ` +
      `${freed} bytes). Investigate disk usage, as it could be used by active images, logs, volumes, or other data.`;
    recordEvent(pass, "FreeDiskSpaceFailed", message);
    throw failed(message);
  }
}

/**
 * Forgets who pulled what is no longer here. The kubelet keeps only the records of images that the pass looked at and
 * left, and so forgets those in use; to a pod without a login, such an image would look like one that everybody may have.
 */
export async function prune(pass: Pass): Promise<void> {
  const { records, store } = pass.deps;
  if (records === undefined) return;
  const present = await store.images();
  await records.prune(new Set(present.map(({ id }) => id)), pass.startedAt);
}

function recordEvent({ deps }: Pass, reason: "InvalidDiskCapacity" | "FreeDiskSpaceFailed", message: string): void {
  deps.onEvent?.({ time: deps.clock.now(), type: "Warning", reason, message });
}

function failed(message: string): PulleyError {
  return new PulleyError("DISK_FULL", message);
}

/** As Go's aggregate: each text once, in brackets if there are several. */
function aggregateText(errors: readonly string[]): string {
  const texts = [...new Set(errors)];
  return texts.length === 1 ? texts.join("") : `[${texts.join(", ")}]`;
}
