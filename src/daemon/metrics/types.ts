/** What metrics are fed with: plain data, so that no room depends on the metrics library. */

import type { PluginRun } from "../../credentials/index.ts";
import type { RuntimeOperation } from "../../cri/index.ts";
import type { NodeSignal, PodStatus } from "../../pods/index.ts";
import type { AccessResult } from "../../pull/index.ts";

export interface MetricListeners {
  /** A listener for `PodManager.onSignal`. */
  readonly nodeSignal: (signal: NodeSignal) => void;
  /** How it was decided whether a pod may use an image that is present. */
  readonly access: (result: AccessResult) => void;
  readonly collection: (pass: CollectionPass) => void;
  readonly mirrorRequest: (request: MirrorRequest) => void;
  readonly credentialPlugin: (run: PluginRun) => void;
  /** Called with the hash of the credential provider configuration. */
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

/** Where values come from that are read when the metrics are scraped. */
export interface MetricSources {
  readonly pods?: () => readonly PodStatus[];
  readonly store?: () => Promise<StoreFigures>;
  readonly pullRecords?: () => Promise<PullRecordFigures>;
}

export interface StoreFigures {
  readonly images: number;
  /** Bytes that the store uses; then size and free bytes of its file system. */
  readonly used: number;
  readonly capacity: number;
  readonly available: number;
}

export interface PullRecordFigures {
  readonly intents: number;
  readonly records: number;
}
