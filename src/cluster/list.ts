/** Lists, page by page (Kubernetes API concepts, "Retrieving large results sets in chunks"). */
import { isPulleyError, PulleyError } from "../support/errors.ts";
import { type JsonRecord, recordAt, textAt } from "../support/json-record.ts";
import type { ClusterApi } from "./api.ts";
import type { ClusterDocument } from "./reads.ts";

export interface ListRequest<T> {
  /** `/apis/apps/v1/deployments`. */
  readonly path: string;
  /** Of objects that have these labels: `app=web`. Default: all. */
  readonly labelSelector?: string;
  /** What is kept of an object; `undefined`: nothing. So memory holds one page as it came, and not all of them. */
  readonly pick: (item: JsonRecord) => T | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Objects of a page, as in kubectl. */
const pageSize = 500;

/** Continuations in a row that may have expired. */
const mostRestarts = 10;

/**
 * All objects of one kind in all namespaces, each once. Where a continuation has expired, those that were not there yet
 * follow from a later moment: what was deleted meanwhile may be missing, what was made meanwhile may be there.
 * @returns nothing at all where the cluster does not have the kind
 * @throws PulleyError as {@link ClusterApi.get}
 */
export async function* listPages<T>(api: ClusterApi, request: ListRequest<T>): AsyncGenerator<readonly T[]> {
  const { pick } = request;
  let picks: T[] = [];
  let continuation: string | undefined;
  let last = "";
  /** What was there before the list was begun anew. */
  let had = "";
  const read = pageReader(api, request, (item) => {
    const key = keyOf(item);
    if (key <= had) return;
    if (key > last) last = key;
    const picked = pick(item);
    if (picked !== undefined) picks.push(picked);
  });
  for (let restarts = 0; ; ) {
    const answer = await read(continuation);
    if (answer.kind === "absent") return;
    if (answer.kind === "expired") {
      restarts += 1;
      if (restarts > mostRestarts) throw new PulleyError("CLUSTER_FAILED", `context "${api.name}": ${answer.message}`);
      // The server's own continuation goes on at the same place; without one, what was there already is passed over.
      continuation = answer.continuation;
      if (continuation === undefined) had = last;
      continue;
    }
    yield picks;
    picks = [];
    continuation = textAt(answer.document, "metadata", "continue");
    if (continuation === undefined) return;
  }
}

/**
 * Reads pages of a list, each where the continuation of the one before says, and smaller ones where they are too long.
 * @param take is called with each item; what it throws is thrown
 */
export function pageReader(
  api: ClusterApi,
  { path, labelSelector, signal }: Omit<ListRequest<never>, "pick">,
  take: (item: JsonRecord) => void,
): (continuation: string | undefined) => Promise<ClusterDocument> {
  let limit = pageSize;
  /** A failure of whoever takes the items is none of the server's. */
  let fault: { readonly error: unknown } | undefined;
  const onItem = (item: JsonRecord) => {
    if (fault !== undefined) return;
    try {
      take(item);
    } catch (error) {
      fault = { error };
    }
  };
  return async (continuation) => {
    for (;;) {
      const query = {
        limit: `${limit}`,
        ...(labelSelector !== undefined && { labelSelector }),
        ...(continuation !== undefined && { continue: continuation }),
      };
      try {
        const page = await api.get({ path, query, onItem, signal });
        if (fault === undefined) return page;
      } catch (error) {
        if (!isPulleyError(error, "TOO_LARGE") || limit === 1) throw error;
        limit = Math.ceil(limit / 8);
        continue;
      }
      throw fault.error;
    }
  };
}

/** The object among those of its kind. Lists come in the order of these keys: it is that of etcd. */
export function keyOf(item: JsonRecord): string {
  const metadata = recordAt(item, "metadata");
  return `${textAt(metadata, "namespace") ?? ""}/${textAt(metadata, "name") ?? ""}`;
}
