/** Watches (k8s apiserver storage/cacher): what has changed since a version, and then what changes. */
import type { ServerResponse } from "node:http";
import { isIn, shown } from "./object-lists.ts";
import { refuseInvalid } from "./object-refusals.ts";
import type { Change, ServedRequest } from "./versioned-objects.ts";

/** Milliseconds before the end of a watch at which its bookmark comes. */
const bookmarkBefore = 2_000;

/** Seconds, where nobody says how many. */
const usualSeconds = 1_800;

export function serveWatch(response: ServerResponse, request: ServedRequest): void {
  const { kind, objects, namespace, query, watchedFrom, versions } = request;
  const asked = query.get("resourceVersion") ?? "";
  if (!/^\d*$/.test(asked)) return refuseInvalid(response, "resourceVersion", asked);
  const version = Number(asked);
  const send = (type: string, object: object) => {
    response.write(`${JSON.stringify({ type, object })}\n`);
  };
  const sendObject = (type: string, object: object) =>
    send(type, { kind: kind.kind, apiVersion: kind.apiVersion, ...object });
  const sendChange = ({ before, after, version: changed }: Change) => {
    const object = after ?? before;
    if (changed <= version || object === undefined || !isIn(object.key, namespace)) return;
    const type = after === undefined ? "DELETED" : before === undefined ? "ADDED" : "MODIFIED";
    sendObject(type, shown(object, changed));
  };
  response.writeHead(200, { "content-type": "application/json" });
  response.flushHeaders();
  if (version !== 0 && version < watchedFrom) {
    const message = `too old resource version: ${version} (${watchedFrom})`;
    send("ERROR", { kind: "Status", apiVersion: "v1", status: "Failure", reason: "Expired", code: 410, message });
    response.end();
    return;
  }
  if (version === 0) {
    const there = objects.at(versions.latest).filter(({ key }) => isIn(key, namespace));
    for (const object of there) sendObject("ADDED", shown(object, object.version));
  } else for (const change of objects.changesSince(version)) sendChange(change);
  const ignore = objects.listen(sendChange);
  const seconds = Number(query.get("timeoutSeconds") ?? usualSeconds);
  const bookmark = () => {
    const { lastChange } = objects;
    if (lastChange !== undefined) sendObject("BOOKMARK", { metadata: { resourceVersion: `${lastChange}` } });
  };
  const wanted = query.get("allowWatchBookmarks") === "true" && seconds * 1000 > bookmarkBefore;
  const timers = [
    ...(wanted ? [setTimeout(bookmark, seconds * 1000 - bookmarkBefore)] : []),
    setTimeout(() => response.end(), seconds * 1000),
  ];
  response.once("close", () => {
    ignore();
    for (const timer of timers) clearTimeout(timer);
  });
}
