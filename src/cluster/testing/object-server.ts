/**
 * An API server in memory: lists in pages of one moment, continuations that expire, watches with bookmarks. One contract
 * test runs over it and over a real one (test/cluster/lists-and-watches.ts).
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout } from "node:timers/promises";
import type { ClusterContext } from "../contexts.ts";
import type { ListedKind } from "../kinds.ts";
import { refuse } from "./api-server.ts";
import { serveList, serveObject } from "./object-lists.ts";
import { refuseAs, refusePath } from "./object-refusals.ts";
import { serveWatch } from "./object-watches.ts";
import {
  type ObjectMetadata,
  type ServedObject,
  type ServedRequest,
  VersionedObjects,
  Versions,
} from "./versioned-objects.ts";

export interface ObjectServer {
  readonly context: ClusterContext;
  /** Path and query of every request. */
  readonly asked: string[];
  /** Makes an object, or puts another in its place. */
  put(kind: ListedKind, object: ServedObject): void;
  /** Makes many, each again whenever it is asked for. */
  fill(kind: ListedKind, count: number, make: (number: number) => ServedObject): void;
  remove(kind: ListedKind, metadata: ObjectMetadata): void;
  /** Forgets everything but the newest versions, as etcd does every five minutes. */
  compact(): void;
  /** Breaks off every connection. */
  cut(): void;
  /** Takes no connection for a moment, and has then no memory of what was before. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface ObjectServerOptions {
  readonly kinds: readonly ListedKind[];
  /** Of the context; default: `test`. */
  readonly name?: string;
  /** The status with which a request is refused; default: none is. */
  readonly refuses?: (url: URL) => number | undefined;
  /** Whoever has the first may do everything, whoever has the second nothing; default: everybody may do everything. */
  readonly tokens?: { readonly allowed: string; readonly powerless: string };
}

export async function startObjectServer({
  kinds,
  name = "test",
  refuses,
  tokens,
}: ObjectServerOptions): Promise<ObjectServer> {
  const versions = new Versions();
  const served = new Map(kinds.map((kind) => [kind, { kind, objects: new VersionedObjects(versions) }]));
  const asked: string[] = [];
  let watchedFrom = versions.latest;
  let isDown = false;

  function objectsOf(kind: ListedKind): VersionedObjects {
    const found = served.get(kind);
    if (found === undefined) throw new Error(`${kind.plural} are not served`);
    return found.objects;
  }

  function respond(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? "/", "http://api");
    asked.push(`${url.pathname}${url.search}`);
    response.setHeader("audit-id", `${asked.length}`);
    const token = request.headers.authorization?.replace("Bearer ", "");
    const place = placeOf(url.pathname);
    const found = [...served.values()].find(({ kind }) => isOf(kind, place));
    const refusal = refuses?.(url);
    if (refusal !== undefined) refuse(response, refusal, { message: "refused" });
    else if (tokens !== undefined && token !== tokens.allowed && token !== tokens.powerless)
      refuseAs(response, "stranger");
    else if (tokens !== undefined && token === tokens.powerless) refuseAs(response, "powerless", place?.plural);
    else if (place === undefined || found === undefined) refusePath(response, kinds, place?.apiVersion);
    else {
      const query = url.searchParams;
      const { namespace, name: object } = place;
      const wanted: ServedRequest = { ...found, namespace, name: object, query, versions, watchedFrom };
      if (object !== undefined) serveObject(response, wanted);
      else if (query.has("watch")) serveWatch(response, wanted);
      else serveList(response, wanted);
    }
  }

  const server = createServer(respond).listen(0, "127.0.0.1");
  server.on("connection", (socket) => {
    if (isDown) socket.destroy();
  });
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("there is no port");
  const url = `http://127.0.0.1:${address.port}`;
  const end = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  };
  const user = tokens === undefined ? {} : { token: tokens.allowed };
  return {
    context: { name, server: new URL(url), skipsVerification: false, cluster: { server: url }, user },
    asked,
    put: (kind, object) => objectsOf(kind).put(object.metadata, () => object),
    fill: (kind, count, make) => {
      const objects = objectsOf(kind);
      for (let number = 0; number < count; number += 1) objects.put(make(number).metadata, () => make(number));
    },
    remove: (kind, metadata) => objectsOf(kind).remove(metadata),
    compact: () => {
      versions.oldest = versions.latest;
    },
    cut: () => server.closeAllConnections(),
    // It keeps its port all the while: somebody else might take it.
    restart: async () => {
      isDown = true;
      server.closeAllConnections();
      await setTimeout(5);
      watchedFrom = versions.latest;
      isDown = false;
    },
    stop: end,
  };
}

interface Place {
  readonly apiVersion: string;
  readonly namespace: string | undefined;
  readonly plural: string;
  readonly name: string | undefined;
}

const pattern = /^\/(?:api|apis\/([^/]+))\/([^/]+)(?:\/namespaces\/([^/]+))?\/([^/]+)(?:\/([^/]+))?$/;

function placeOf(path: string): Place | undefined {
  const [, group, version = "", namespace, plural = "", name] = (pattern.exec(path) ?? []).map(
    (part) => part && decodeURIComponent(part),
  );
  if (plural === "") return undefined;
  return { apiVersion: group === undefined ? version : `${group}/${version}`, namespace, plural, name };
}

function isOf(kind: ListedKind, place: Place | undefined): boolean {
  return kind.apiVersion === place?.apiVersion && kind.plural === place.plural;
}
