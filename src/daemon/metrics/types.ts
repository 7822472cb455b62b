/** What metrics are told by those who know: plain data, so that no room has to know what a metric is. */

import type { PluginRun } from "../../credentials/index.ts";
import type { RuntimeOperation } from "../../cri/index.ts";
import type { NodeSignal, PodStatus } from "../../pods/index.ts";
import type { AccessResult } from "../../pull/index.ts";

export interface MetricListeners {
  /** Goes to {@link Node.onSignal}. */
  readonly nodeSignal: (signal: NodeSignal) => void;
  /** How it was decided whether a pod may use an image that is here. */
  readonly access: (result: AccessResult) => void;
  readonly collection: (pass: CollectionPass) => void;
  readonly mirrorRequest: (request: MirrorRequest) => void;
  readonly credentialPlugin: (run: PluginRun) => void;
  /** Which configuration of credential providers holds. */
  readonly credentialProviders: (providers: { readonly configHash: string }) => void;
  readonly runtimeOperation: (operation: RuntimeOperation) => void;
  readonly policyReload: (reload: { readonly ok: boolean }) => void;
  readonly decisionLogFailure: () => void;
  readonly scrubbed: (blob: ScrubbedContent) => void;
  /** When everything in the store had been read, in milliseconds since the epoch. */
  readonly scrubFinished: (at: number) => void;
}

/** Content of the store that was read again. */
export interface ScrubbedContent {
  readonly state: "sound" | "damaged" | "missing" | "unreadable";
  readonly bytes: number;
  /** Whether it was fetched again. */
  readonly repaired: boolean;
}

/** One pass of garbage collection. */
export interface CollectionPass {
  readonly images: readonly { readonly outcome: CountedOutcome }[];
  /** What went wrong with the pass as a whole. */
  readonly error: string | undefined;
}

export type CountedOutcome =
  | {
      readonly kind: "deleted";
      readonly reason: "age" | "space";
      /** Bytes that became free on the disk, where that is known. */
      readonly freed: number | undefined;
    }
  | { readonly kind: "gone" | "kept" | "failed" };

export interface MirrorRequest {
  /** What kind of path it was, `manifests`, `blobs`; never the path. */
  readonly route: string;
  readonly method: string;
  readonly status: number;
  readonly milliseconds: number;
  /** Bytes of the body that was sent. */
  readonly bytes: number;
  /** Whether the content was here: `hit`, `miss`; absent where it is not about content. */
  readonly cache: string | undefined;
}

/** Where figures come from that are looked up when somebody asks for the metrics. */
export interface MetricSources {
  readonly pods?: () => readonly PodStatus[];
  readonly store?: () => Promise<StoreFigures>;
  readonly pullRecords?: () => Promise<PullRecordFigures>;
}

export interface StoreFigures {
  readonly images: number;
  /** Bytes that the store takes up; then those of its file system, and of them the free ones. */
  readonly used: number;
  readonly capacity: number;
  readonly available: number;
}

export interface PullRecordFigures {
  readonly intents: number;
  readonly records: number;
}
