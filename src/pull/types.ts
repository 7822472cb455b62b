/** What a pull tells: how far it is, and how a request for an image ended. */
import type { Digest } from "../image/index.ts";
import type { Decision, ImageFacts } from "../policy/index.ts";
import type { ErrorCode } from "../support/errors.ts";
import type { PullPolicy } from "../workload/index.ts";
import type { OutcomeKind } from "./decision-log/types.ts";

/** How far one pull is; several pods may be waiting for it. */
export interface PullProgress {
  /** As it was asked for, with the implied tag. */
  readonly image: string;
  readonly phase: "waiting" | "resolving" | "downloading" | "done" | "failed";
  /** What the name stands for, once somebody has said it. */
  readonly digest?: Digest;
  /** What the image says of itself: known before any layer is fetched. */
  readonly facts?: ImageFacts;
  /** Bytes of all layers that are here, or have come so far. */
  readonly received: number;
  /** Bytes of all layers; 0 until the manifest is known. */
  readonly total: number;
  readonly layers: readonly LayerProgress[];
}

export interface LayerProgress {
  readonly digest: Digest;
  readonly size: number;
  readonly received: number;
  readonly state: "waiting" | "exists" | "downloading" | "complete";
}

/** The labels of the kubelet's `image_manager_ensure_image_requests_total`. */
export interface RequestLabels {
  readonly pullPolicy: PullPolicy;
  readonly presentLocally: boolean | "unknown";
  readonly pullRequired: boolean | "unknown";
}

/** How one request for an image ended. */
export interface EnsuredImage {
  readonly labels: RequestLabels;
  /** Absent where something failed before there was anything to decide. */
  readonly decision: Decision | undefined;
  /** Absent where nothing was decided, or it was too early to try again. */
  readonly outcome: OutcomeKind | undefined;
  /** The code of the failure; absent where there was none, or one that nobody foresaw. */
  readonly failure: ErrorCode | undefined;
  /** Only where a pull succeeded, be it that nothing had to be fetched. */
  readonly pull: FinishedPull | undefined;
}

export interface FinishedPull {
  readonly from: "registry" | "mirror";
  /** Bytes of layers that were fetched for this request, and not for another that waited for the same. */
  readonly fetched: number;
  /** Bytes of the image on disk; 0 where that could not be found out. */
  readonly size: number;
  /** Milliseconds, the wait for its turn included. */
  readonly milliseconds: number;
}
