/** The API of one cluster: documents are read and written, and asked for again where that helps. */
import { type Clock, systemClock } from "../support/clock.ts";
import type { ClusterContext } from "./contexts.ts";
import { type ClusterLimits, usualLimits } from "./exchange.ts";
import { type JsonRecord, recordIn, textIn } from "./records.ts";
import { failureOf, type Reply } from "./replies.ts";
import { ClusterSession } from "./session.ts";
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

export interface DocumentRequest {
  /** `/api/v1/pods`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** What a server answers: the document, or the `Status` object of what is not there (404) or not there any more (410). */
export type ClusterDocument =
  | { readonly kind: "found"; readonly document: JsonRecord }
  | { readonly kind: "absent"; readonly message: string }
  | { readonly kind: "expired"; readonly message: string; readonly continuation: string | undefined };

/**
 * Every call throws any of the `CLUSTER_` codes, `CREDENTIAL_HELPER_FAILED`, `TOO_LARGE` and `CANCELLED`, with the name
 * of the context. 429 is waited for as long as the server asks, up to a minute.
 */
export interface ClusterApi {
  /** The name of its context. */
  readonly name: string;
  get(request: DocumentRequest): Promise<ClusterDocument>;
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
    apply: (request) => apply(session, request),
    patch: (request) => patch(session, request),
    update: (request) => update(session, request, (read) => get(session, read)),
    remove: (request) => remove(session, request),
    close: () => session.close(),
  };
}

async function get(session: ClusterSession, { path, query, signal }: DocumentRequest): Promise<ClusterDocument> {
  const call = { method: "GET", url: session.url(path, query) } as const;
  const reply = await session.reply(call, { isRepeatable: true, check: checkRead }, signal);
  const { document = {}, status, message } = reply;
  if (status === 404) return { kind: "absent", message };
  if (status !== 410) return { kind: "found", document };
  return { kind: "expired", message, continuation: textIn(recordIn(document, "metadata"), "continue") };
}

function checkRead(reply: Reply): void {
  if (reply.status >= 300 && reply.status !== 410 && !reply.isAbsent) throw failureOf(reply);
}
