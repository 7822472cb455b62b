/** Limits of the gRPC server. Calls above them wait or are refused. */
import type { ConnectionLimits } from "../../support/connection-limits.ts";

export interface GrpcLimits {
  /** Connections at once. Peers of a unix socket are not distinguished: an idle connection makes room for a new one. */
  readonly connections: ConnectionLimits;
  /** Calls at once on a connection. Clients are told, and the next one waits with them. */
  readonly streams: number;
  /** Calls at once on all connections. */
  readonly calls: number;
  /** Bytes of a call's headers, as HTTP/2 counts them: 32 more for each. */
  readonly headers: number;
  readonly headerFields: number;
  /** Bytes of all requests that have begun to come and are not answered yet. */
  readonly requests: number;
  /** Milliseconds in which a request has to be here, once its headers are. */
  readonly requestTime: number;
}

/**
 * A kubelet has two connections, and as many calls at once as it has pods to look after; the pulls of hundreds of pods at
 * once must leave it some.
 */
export const defaultLimits: GrpcLimits = {
  connections: { total: 64, perPeer: 64 },
  streams: 1_000,
  calls: 4_000,
  headers: 64 * 1024,
  headerFields: 128,
  requests: 64 * 1024 * 1024,
  requestTime: 30_000,
};
