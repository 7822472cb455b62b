/** Types of garbage collection: images, their disk, the policy, and the outcomes. */
import type { Digest, Repository } from "../image/index.ts";

/** An image as collection sees it. */
export interface CollectableImage {
  readonly id: string;
  /** Normalised names with tag or digest, those with a tag first. */
  readonly names: readonly string[];
  /** Bytes, as the store or the runtime reports them; layers that it shares with others included. */
  readonly size: number;
  /** Whether the runtime says that it must stay, as it does of sandbox images. */
  readonly pinned: boolean;
  /** Under which digests in which repositories it could be had again. */
  readonly sources: readonly ImageOrigin[];
}

export interface ImageOrigin {
  readonly repository: Repository;
  readonly digest: Digest;
}

/** A file system with images. */
export interface Disk {
  readonly path: string;
  /** Bytes. */
  readonly capacity: number;
  readonly available: number;
  readonly inodes: number;
  readonly inodesFree: number;
}

/** A store that is collected: the embedded store, containerd's, or that of a dry run. */
export interface CollectableStore {
  images(): Promise<readonly CollectableImage[]>;
  /**
   * Removes an image with all its names; answers with the bytes that went from the disk, where the store knows.
   * @throws PulleyError `IMAGE_NOT_FOUND` if it is gone already
   */
  remove(id: string): Promise<number | undefined>;
  /** What the file system says now; cheap enough to be asked after every removal. */
  disk(): Promise<Disk>;
  /** Bytes that the store takes up on the disk, where that is known; counted file by file, so not for every removal. */
  used(): Promise<number | undefined>;
}

/** Which images are in use. */
export interface InUse {
  /** The ids of all images that a container has, be it one that has exited, or that an image volume has. */
  images(): Promise<ReadonlySet<string>>;
}

/** Whether an image that is deleted could be had again. */
export type RegistryPresence =
  /** A registry has just said that it has it. */
  | "offered"
  /** The registry is there, but does not tell us: our logins may be others than the pods'. */
  | "refused"
  /** Under none of its names does any registry have it any more. */
  | "lost"
  /** No answer. */
  | "unreachable"
  /** It has no name by which a registry could be asked. */
  | "nameless";

export interface Registries {
  presence(image: CollectableImage, signal?: AbortSignal): Promise<RegistryPresence>;
}

/** When images go, in the kubelet's terms. */
export interface CollectionPolicy {
  /** Percent of the file system from which on images are deleted; 100 for never. */
  readonly highThreshold: number;
  /** Percent down to which they are deleted. */
  readonly lowThreshold: number;
  /** Milliseconds that an image stays at least, counted from when it was first seen. */
  readonly minimumAge: number;
  /** Milliseconds after which an unused image is deleted, however much space is free; 0 for never. */
  readonly maximumAge: number;
}

export type DeletionReason = "age" | "space";

export type KeptBecause =
  | "inUse"
  | "pinned"
  /** First seen less than the minimum age ago. */
  | "tooYoung"
  /** Used since the pass began. */
  | "usedMeanwhile"
  /** There is room enough without it. */
  | "notNeeded"
  /** The pass ended before its turn came. */
  | "notReached"
  /** No registry has it any more: here is the last copy. */
  | "lost"
  /** No registry could be asked whether it still has it. */
  | "unreachable";

export type CollectionOutcome =
  | { readonly kind: "deleted"; readonly reason: DeletionReason; readonly freed: number | undefined }
  /** Somebody else has removed it. */
  | { readonly kind: "gone" }
  | { readonly kind: "kept"; readonly because: KeptBecause }
  | { readonly kind: "failed"; readonly error: string };

export interface ImageOutcome {
  readonly image: CollectableImage;
  readonly firstDetected: number;
  /** Absent: it was never seen in use. */
  readonly lastUsed: number | undefined;
  readonly outcome: CollectionOutcome;
}

/** An event about the node itself (k8s pkg/kubelet/events/event.go). */
export interface CollectionEvent {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly type: "Warning";
  readonly reason: "ImageGCFailed" | "InvalidDiskCapacity" | "FreeDiskSpaceFailed";
  readonly message: string;
}

export type CollectionStepName = "detect" | "age" | "measure" | "space" | "prune";

/** How one pass went. */
export interface CollectionReport {
  readonly startedAt: number;
  readonly endedAt: number;
  /** The steps that were taken, and how many milliseconds each took. */
  readonly steps: readonly { readonly name: CollectionStepName; readonly took: number }[];
  /** Every image that was there, in the order in which they would go; those that may not go last. */
  readonly images: readonly ImageOutcome[];
  readonly disk: { readonly before: MeasuredDisk; readonly after: MeasuredDisk };
  /** Bytes to be freed for the low threshold; 0 where the high one was not reached, `Infinity` where all unused ones go. */
  readonly wanted: number;
  readonly freed: {
    /** The sum of the deleted images' sizes, which counts shared layers for each of them. */
    readonly reported: number;
    /** What really went from the disk with them. */
    readonly real: number;
  };
  /** What went wrong, in the kubelet's words. */
  readonly error: string | undefined;
}

export interface MeasuredDisk extends Disk {
  /** Bytes of the store, where known. */
  readonly used: number | undefined;
}
