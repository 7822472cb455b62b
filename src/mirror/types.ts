/** What the mirror is given, and what it tells. */
import type { LoginSource } from "../credentials/index.ts";
import type { Platform } from "../image/index.ts";
import type { Policy } from "../policy/index.ts";
import type { ContentProofs, ImageManager, ImageService, LayerFetcher, PullRecords } from "../pull/index.ts";
import type { RegistryClient } from "../registry/index.ts";
import type { ImageStore } from "../store/index.ts";
import type { Clock } from "../support/clock.ts";
import type { Log } from "../support/log.ts";
import type { CacheState } from "./answer.ts";
import type { ClientAuth } from "./client-auth.ts";
import type { Route } from "./route.ts";

export interface MirrorOptions {
  /** `host:port` to listen on, `127.0.0.1:5000`, `[::1]:5000`; port 0 for a free one. */
  readonly address: string;
  /** Certificate chain and key, PEM. */
  readonly tls?: { readonly certificate: string; readonly key: string } | undefined;
  /** Serves others than this machine without TLS: for networks that protect it themselves. */
  readonly plainHttp?: boolean | undefined;
  /** Hosts of the registries that it stands for; absent: all. Must be given where others than this machine are served. */
  readonly registries?: readonly string[] | undefined;
  /** Everything to everybody who reaches the mirror, without asking a registry who may. */
  readonly openToAll?: boolean | undefined;
  readonly parts: MirrorParts;
  readonly limits?: Partial<MirrorLimits> | undefined;
  /** Hears of every request after it has been answered. */
  readonly onRequest?: ((request: ServedRequest) => void) | undefined;
}

/** The rooms below, joined as a node joins them. */
export interface MirrorParts {
  readonly store: ImageStore;
  /** Made with `via:` {@link MirrorParts.viaId}. */
  readonly registry: RegistryClient;
  readonly images: ImageService;
  readonly manager: ImageManager;
  /** The one that the image service has, too, so that nothing is on its way twice. */
  readonly layers: LayerFetcher;
  /** Which repository has shown what: the one that the image service has, and never one that shares. */
  readonly proofs: ContentProofs;
  readonly policy: () => Policy;
  /** Whose images are given their tags here. */
  readonly platform: Platform;
  /** Who pulled what, and who may use it without asking (KEP-2535): of the callers only this machine's, others are no pods of it. */
  readonly records?: PullRecords | undefined;
  /** The node's own logins; spent on the mirrors that the policy names, never on the registry that a caller means. */
  readonly logins?: LoginSource | undefined;
  /** By which this mirror is recognised: see `mirrorPseudonym`. */
  readonly viaId: string;
  readonly clock: Clock;
  /** Hears of what fails on this machine, of which clients are told no more than that. */
  readonly log: Log;
}

/** Milliseconds, unless it says otherwise. */
export interface MirrorLimits {
  /** Blobs that are sent at once; who comes later waits. Default 64. */
  readonly streams: number;
  /** How long to wait for a place among them, before the client is told to come back. Default 20 000. */
  readonly streamWait: number;
  /** Connections at once. Default 1 024. */
  readonly connections: number;
  /** Connections at once from one address, or from one IPv6 network of 64 bits. Default 256. */
  readonly connectionsPerPeer: number;
  /** How long a client may take no byte. Default 60 000. */
  readonly stallTimeout: number;
  /** How long it is good that a registry let a caller in. Default 300 000. */
  readonly accessFor: number;
  /**
   * How long it may take to look how something came here, before a registry is asked about a caller. Waited for where
   * there is nothing, too, so that nobody can tell by the clock. Default 20.
   */
  readonly lookFor: number;
  /** How long content is kept that came through and belongs to no image that is complete. Default 900 000. */
  readonly incompleteFor: number;
  /** How long a client waits for the head of an answer before it is sent, though the content is not all here. Default 10 000. */
  readonly headAfter: number;
  /** How long closing waits for answers under way. Default 5 000. */
  readonly closeAfter: number;
}

/** One request, for metrics and logs; nothing in it is secret. */
export interface ServedRequest {
  readonly route: Route["kind"];
  readonly method: string;
  readonly status: number;
  readonly milliseconds: number;
  /** Of the body. */
  readonly bytes: number;
  /** Absent where there was nothing to look up, or nothing came of it. */
  readonly cache: CacheState | undefined;
}

/** One request's circumstances. */
export interface RequestContext {
  readonly auth: ClientAuth;
  /** Whether another mirror asks: then only the registry itself is asked in turn, so that no two wait for each other. */
  readonly relayed: boolean;
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
}

/** What all handlers work with. */
export interface MirrorDeps extends MirrorParts {
  readonly limits: MirrorLimits;
  readonly openToAll: boolean;
  /** Whether only this machine's callers reach the mirror. */
  readonly local: boolean;
}

export const defaultLimits: MirrorLimits = {
  streams: 64,
  streamWait: 20_000,
  connections: 1024,
  connectionsPerPeer: 256,
  stallTimeout: 60_000,
  accessFor: 300_000,
  lookFor: 20,
  incompleteFor: 900_000,
  headAfter: 10_000,
  closeAfter: 5_000,
};
