/** Options of the mirror, its limits, and what it reports. */
import type { LoginSource } from "../credentials/index.ts";
import type { Policy } from "../policy/index.ts";
import type { ImageManager, PullRecords, StorePulls } from "../pull/index.ts";
import type { Log } from "../support/log.ts";
import type { ClientAuth } from "./client-auth.ts";
import type { CacheState } from "./response.ts";
import type { Route } from "./route.ts";

export interface MirrorOptions {
  /** `host:port` to listen on, `127.0.0.1:5000`, `[::1]:5000`; port 0 for a free one. */
  readonly address: string;
  /** Certificate chain and key, PEM. */
  readonly tls?: { readonly certificate: string; readonly key: string } | undefined;
  /** Serves other machines without TLS: for networks that are protected otherwise. */
  readonly plainHttp?: boolean | undefined;
  /** Hosts of the registries that are mirrored; absent: all. Required when it serves other machines. */
  readonly registries?: readonly string[] | undefined;
  /** Serves everything to everyone, without asking the registry whether the client has access. */
  readonly openToAll?: boolean | undefined;
  readonly parts: MirrorParts;
  readonly limits?: Partial<MirrorLimits> | undefined;
  /** Called with each finished request. */
  readonly onRequest?: ((request: ServedRequest) => void) | undefined;
}

/** The parts of a node that the mirror uses. */
export interface MirrorParts {
  /** The node's own; the registry client is made with `via:` {@link MirrorParts.viaId}. */
  readonly pulls: StorePulls;
  readonly manager: ImageManager;
  readonly policy: () => Policy;
  /** Pull records (KEP-2535). Only clients on this machine use them; others are no pods of it. */
  readonly records?: PullRecords | undefined;
  /** The node's own logins: used for mirrors that the policy names, never for the registry that a client asks for. */
  readonly logins?: LoginSource | undefined;
  /** The identifier of this mirror in `Via`: see `createViaId`. */
  readonly viaId: string;
  /** Gets the details of internal failures, which clients do not get. */
  readonly log: Log;
}

/** Milliseconds, unless it says otherwise. */
export interface MirrorLimits {
  /** Blobs that are sent at once; further requests wait. Default 64. */
  readonly streams: number;
  /** How long a request waits for its turn before it is answered with 429. Default 20 000. */
  readonly streamWait: number;
  /** Connections at once. Default 1 024. */
  readonly connections: number;
  /** Connections at once from one address, or from one IPv6 network of 64 bits. Default 256. */
  readonly connectionsPerPeer: number;
  /** How long a client may stall without reading a byte. Default 60 000. */
  readonly stallTimeout: number;
  /** How long it is remembered that a registry gave a client access. Default 300 000. */
  readonly accessFor: number;
  /**
   * How long looking up pull records may take before the registry is asked about a client. The same time passes where
   * there are none, so that the duration reveals nothing. Default 20.
   */
  readonly lookFor: number;
  /** How long content of an incomplete image is kept. Default 900 000. */
  readonly incompleteFor: number;
  /** How long a client waits for the head of a response before it is sent ahead of the complete content. Default 10 000. */
  readonly headAfter: number;
  /** How long `close` waits for responses under way. Default 5 000. */
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
  /** Absent where there was nothing to look up, or the request failed. */
  readonly cache: CacheState | undefined;
}

/** What is known about the client of a request. */
export interface RequestContext {
  readonly auth: ClientAuth;
  /** Whether another mirror asks. Then only the registry itself is asked, so that two mirrors never wait for each other. */
  readonly relayed: boolean;
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
}

/** What all handlers use. */
export interface MirrorDeps extends Omit<MirrorParts, "pulls">, Omit<StorePulls, "manager" | "puller" | "forPlatform"> {
  readonly limits: MirrorLimits;
  readonly openToAll: boolean;
  /** Whether only clients on this machine can reach the mirror. */
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
