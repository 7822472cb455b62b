/** Changes of objects (Kubernetes API concepts, "Server-Side Apply", "Patch and update", "Deletion"). */
import { printable } from "../support/format.ts";
import { type JsonRecord, recordsAt, textAt } from "../support/json-record.ts";
import { type RetryPlan, retryDelay } from "../support/retry.ts";
import { type Call, cancellation } from "./exchange.ts";
import { get } from "./reads.ts";
import { failureOf, type Reply } from "./replies.ts";
import type { ClusterSession } from "./session.ts";

interface WriteRequest {
  /** Of the object: `/api/v1/namespaces/default/configmaps/limits`; see `objectPath`. */
  readonly path: string;
  /** Changes the object's status, and nothing else of it. */
  readonly subresource?: "status";
  readonly signal?: AbortSignal | undefined;
}

export interface ApplyRequest extends WriteRequest {
  /** With `apiVersion`, `kind` and `metadata.name`, without `metadata.managedFields`: all that Pulley wants to own. */
  readonly object: JsonRecord;
  /** Whether fields are taken over that others own. Default: they are a conflict. */
  readonly force?: boolean;
}

export type JsonPatchOperation =
  | { readonly op: "add" | "replace" | "test"; readonly path: string; readonly value: unknown }
  | { readonly op: "remove"; readonly path: string };

export interface PatchRequest extends WriteRequest {
  readonly operations: readonly JsonPatchOperation[];
}

export interface UpdateRequest extends WriteRequest {
  /**
   * What is to be changed of the object as it is now; nothing: it is as it should be. Called again whenever somebody
   * else was faster, or nobody knows whether the last change was made: so it must find nothing left to do then.
   */
  readonly change: (document: JsonRecord) => readonly JsonPatchOperation[];
}

export interface RemoveRequest extends Omit<WriteRequest, "subresource"> {
  /** Only the object that has this uid, and not a later one of the same name. Without it, no delete is sent twice. */
  readonly uid?: string | undefined;
}

export type ClusterWrite =
  /** The object as it is now; of one that is deleted, the server's last word. */
  | { readonly kind: "written"; readonly document: JsonRecord }
  /** There is no such object, kind, or namespace. */
  | { readonly kind: "absent"; readonly message: string }
  /** `owners`: whose fields they are, where an apply was not forced; otherwise others kept changing the object. */
  | { readonly kind: "conflict"; readonly message: string; readonly owners: readonly FieldOwner[] };

export interface FieldOwner {
  /** `kubectl-client-side-apply`. */
  readonly manager: string;
  /** `.spec.replicas`. */
  readonly field: string;
}

/** The name under which the server keeps what Pulley has written. */
export const fieldManager = "pulley";

/** When others change an object at the same moment. */
const conflictPlan: RetryPlan = { attempts: 6, first: 50, factor: 2.5, longest: 5_000, jitter: 0.5 };

export async function apply(session: ClusterSession, request: ApplyRequest): Promise<ClusterWrite> {
  const { object, force = false, signal } = request;
  const call: Call = {
    method: "PATCH",
    url: urlOf(session, request, { fieldManager, force: `${force}` }),
    // JSON is YAML.
    body: { type: "application/apply-patch+yaml", text: JSON.stringify(object) },
  };
  return untilNoConflict(session, signal, () => write(session, call, true, signal));
}

export async function patch(session: ClusterSession, request: PatchRequest): Promise<ClusterWrite> {
  const { operations, signal } = request;
  const call = patchCall(session, request, operations);
  const isPinned = operations.some(({ path }) => path === versionPointer);
  const send = () => write(session, call, false, signal);
  return isPinned ? send() : untilNoConflict(session, signal, send);
}

export async function update(session: ClusterSession, request: UpdateRequest): Promise<ClusterWrite> {
  const { path, change, signal } = request;
  return untilNoConflict(session, signal, async () => {
    const current = await get(session, { path, signal });
    if (current.kind !== "found") return { kind: "absent", message: current.message };
    const operations = change(current.document);
    if (operations.length === 0) return { kind: "written", document: current.document };
    const version = textAt(current.document, "metadata", "resourceVersion");
    // The server refuses a version that is not the latest, so the same patch never acts twice.
    const pin = { op: "replace", path: versionPointer, value: version } as const;
    return write(session, patchCall(session, request, [pin, ...operations]), true, signal);
  });
}

export async function remove(session: ClusterSession, { path, uid, signal }: RemoveRequest): Promise<ClusterWrite> {
  const options = uid !== undefined && { preconditions: { uid } };
  const call: Call = {
    method: "DELETE",
    url: session.url(path),
    body: {
      type: "application/json",
      text: JSON.stringify({ apiVersion: "v1", kind: "DeleteOptions", propagationPolicy: "Background", ...options }),
    },
  };
  return write(session, call, uid !== undefined, signal);
}

const versionPointer = "/metadata/resourceVersion";

function patchCall(session: ClusterSession, request: WriteRequest, operations: readonly JsonPatchOperation[]): Call {
  return {
    method: "PATCH",
    url: urlOf(session, request, { fieldManager }),
    body: { type: "application/json-patch+json", text: JSON.stringify(operations) },
  };
}

function urlOf(session: ClusterSession, { path, subresource }: WriteRequest, query: Record<string, string>): URL {
  return session.url(subresource === undefined ? path : `${path}/${subresource}`, query);
}

async function write(
  session: ClusterSession,
  call: Call,
  isRepeatable: boolean,
  signal: AbortSignal | undefined,
): Promise<ClusterWrite> {
  const { status, document = {}, message } = await session.reply(call, { isRepeatable, check }, signal);
  if (status === 404) return { kind: "absent", message };
  if (status !== 409) return { kind: "written", document };
  return { kind: "conflict", message, owners: ownersIn(document) };
}

function check(reply: Reply): void {
  if (reply.status >= 300 && reply.status !== 409 && !reply.isAbsent) throw failureOf(reply);
}

/** `conflict with "kubectl" using apps/v1`. */
function ownersIn(status: JsonRecord): readonly FieldOwner[] {
  const causes = recordsAt(status, "details", "causes");
  return causes.flatMap((cause) => {
    if (cause["reason"] !== "FieldManagerConflict") return [];
    const manager = /^conflict with "(.*?)"/.exec(textAt(cause, "message") ?? "")?.[1] ?? "";
    return [{ manager: printable(manager), field: printable(textAt(cause, "field") ?? "") }];
  });
}

/** Fields that others own stay theirs; what others have changed meanwhile may fit the next time. */
async function untilNoConflict(
  { clock }: ClusterSession,
  signal: AbortSignal | undefined,
  attempt: () => Promise<ClusterWrite>,
): Promise<ClusterWrite> {
  for (let conflicts = 1; ; conflicts += 1) {
    const answer = await attempt();
    const isFinal = answer.kind !== "conflict" || answer.owners.length > 0 || conflicts >= conflictPlan.attempts;
    if (isFinal) return answer;
    await clock.sleep(retryDelay(conflictPlan, conflicts, Math.random), signal).catch((error: unknown) => {
      throw signal?.aborted ? cancellation(signal) : error;
    });
  }
}
