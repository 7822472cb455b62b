/** The API of one cluster: documents are read and written, and asked for again where that helps. */
import { type Clock, systemClock } from "../support/clock.ts";
import type { ClusterContext } from "./contexts.ts";
import { type ClusterLimits, usualLimits } from "./exchange.ts";
import { type ClusterDocument, type DocumentRequest, get } from "./reads.ts";
import { ClusterSession } from "./session.ts";
import { type WatchEvent, type WatchRequest, watch } from "./watch.ts";
import {
  type ApplyRequest,
  apply,
  type ClusterWrite,
  type PatchRequest,
  patch,
  type RemoveRequest,
  remove,
  type UpdateRequest,
  update,
} from "./writes.ts";

/**
 * Every call throws any of the `CLUSTER_` codes, `CREDENTIAL_HELPER_FAILED`, `TOO_LARGE` and `CANCELLED`, with the name
 * of the context. 429 is waited for as long as the server asks, up to a minute.
 */
export interface ClusterApi {
  /** The name of its context. */
  readonly name: string;
  get(request: DocumentRequest): Promise<ClusterDocument>;
  /** Changes since a version, for as long as one connection lasts; `watchKind` goes on after that. One attempt. */
  watch(request: WatchRequest): AsyncIterable<WatchEvent>;
  /** Server-side apply: makes the object, or changes what Pulley owns of it. Called twice, it changes nothing. */
  apply(request: ApplyRequest): Promise<ClusterWrite>;
  /** JSON patch (RFC 6902), never sent again where the server may have done it already. */
  patch(request: PatchRequest): Promise<ClusterWrite>;
  /** Reads an object, and patches it as long as nobody else has changed it meanwhile; otherwise reads it again. */
  update(request: UpdateRequest): Promise<ClusterWrite>;
  /** Deletes an object. */
  remove(request: RemoveRequest): Promise<ClusterWrite>;
  /** Ends every connection. */
  close(): void;
}

export interface ClusterOptions {
  readonly environment: NodeJS.ProcessEnv;
  readonly userAgent: string;
  readonly clock?: Clock;
  readonly limits?: Partial<ClusterLimits>;
}

export function openCluster(context: ClusterContext, options: ClusterOptions): ClusterApi {
  const { clock = systemClock, environment, userAgent } = options;
  const limits = { ...usualLimits, ...options.limits };
  const session = new ClusterSession(context, { environment, userAgent, clock, limits });
  return {
    name: context.name,
    get: (request) => get(session, request),
    watch: (request) => watch(session, request),
    apply: (request) => apply(session, request),
    patch: (request) => patch(session, request),
    update: (request) => update(session, request),
    remove: (request) => remove(session, request),
    close: () => session.close(),
  };
}
