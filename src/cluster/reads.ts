/** Documents of the API, as they are now. */
import { type JsonRecord, textAt } from "../support/json-record.ts";
import { failureOf, type Reply } from "./replies.ts";
import type { ClusterSession } from "./session.ts";

export interface DocumentRequest {
  /** `/api/v1/pods`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Called with each item of a list; the document has none of them then. It must not throw. */
  readonly onItem?: ((item: JsonRecord) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a server answers: the document, or the `Status` object of what is not there (404) or not there any more (410). */
export type ClusterDocument =
  | { readonly kind: "found"; readonly document: JsonRecord }
  | { readonly kind: "absent"; readonly message: string }
  | { readonly kind: "expired"; readonly message: string; readonly continuation: string | undefined };

export async function get(
  session: ClusterSession,
  { path, query, onItem, signal }: DocumentRequest,
): Promise<ClusterDocument> {
  const call = { method: "GET", url: session.url(path, query), onItem } as const;
  const reply = await session.reply(call, { isRepeatable: true, check: checkRead }, signal);
  const { document = {}, status, message } = reply;
  if (status === 404) return { kind: "absent", message };
  if (status !== 410) return { kind: "found", document };
  return { kind: "expired", message, continuation: textAt(document, "metadata", "continue") };
}

function checkRead(reply: Reply): void {
  if (reply.status >= 300 && reply.status !== 410 && !reply.isAbsent) throw failureOf(reply);
}
