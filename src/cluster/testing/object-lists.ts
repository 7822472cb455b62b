/** Lists in pages of one moment (k8s apiserver storage/etcd3/store.go). */
import type { ServerResponse } from "node:http";
import { isRecord } from "../../support/json-record.ts";
import { answer, refuse } from "./api-server.ts";
import { refuseExpired, refuseFuture, refuseInvalid } from "./object-refusals.ts";
import type { ServedRequest, VersionedObject } from "./versioned-objects.ts";

/** From which key on, and of which version; none: of the latest, whichever that is. */
interface Continuation {
  readonly version: number | undefined;
  readonly after: string;
}

export function serveList(response: ServerResponse, request: ServedRequest): void {
  const { kind, objects, namespace, query, versions } = request;
  const text = query.get("continue");
  const continuation = text === null ? undefined : readContinuation(text);
  if (text !== null && continuation === undefined) return refuseInvalid(response, "continue", text);
  const asked = query.get("resourceVersion") ?? "";
  if (!/^\d*$/.test(asked)) return refuseInvalid(response, "resourceVersion", asked);
  const exact = query.get("resourceVersionMatch") === "Exact" ? Number(asked) : undefined;
  if (Number(asked) > versions.latest) return refuseFuture(response, Number(asked), versions.latest);
  const version = (continuation === undefined ? exact : continuation.version) ?? versions.latest;
  const after = continuation?.after ?? "";
  if (version < versions.oldest) {
    return refuseExpired(response, continuation && writeContinuation({ version: undefined, after }));
  }
  const limit = Number(query.get("limit") ?? 0) || Number.POSITIVE_INFINITY;
  const wanted = objects.at(version).filter(({ key }) => key > after && isIn(key, namespace));
  const page = wanted.slice(0, limit);
  const rest = wanted.length - page.length;
  const last = page.at(-1);
  const more = rest > 0 && last !== undefined;
  answer(response, {
    kind: `${kind.kind}List`,
    apiVersion: kind.apiVersion,
    metadata: {
      resourceVersion: `${version}`,
      ...(more && { continue: writeContinuation({ version, after: last.key }), remainingItemCount: rest }),
    },
    items: page.map((object) => shown(object, object.version)),
  });
}

export function serveObject(response: ServerResponse, { kind, objects, namespace, name = "" }: ServedRequest): void {
  const found = objects.get({ ...(namespace !== undefined && { namespace }), name });
  if (found !== undefined) {
    return answer(response, { kind: kind.kind, apiVersion: kind.apiVersion, ...shown(found, found.version) });
  }
  refuse(response, 404, { reason: "NotFound", message: `${kind.plural} "${name}" not found` });
}

export function isIn(key: string, namespace: string | undefined): boolean {
  return namespace === undefined || key.startsWith(`${namespace}/`);
}

/** @param version of the object, or of what has become of it */
export function shown({ key, read }: VersionedObject, version: number): object {
  const object = read();
  return { ...object, metadata: { uid: `uid-${key}`, ...object.metadata, resourceVersion: `${version}` } };
}

function writeContinuation({ version, after }: Continuation): string {
  return Buffer.from(JSON.stringify({ version, after })).toString("base64url");
}

function readContinuation(text: string): Continuation | undefined {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(text, "base64url").toString());
    if (!isRecord(parsed) || typeof parsed["after"] !== "string") return undefined;
    const version = typeof parsed["version"] === "number" ? parsed["version"] : undefined;
    return { version, after: parsed["after"] };
  } catch {
    return undefined;
  }
}
