/** A stand-in for an API server that answers as a test says, and a kubeconfig for it. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { ClusterContext } from "../contexts.ts";

export interface StandIn {
  readonly context: ClusterContext;
  readonly url: string;
  /** What was asked: path and query. */
  readonly asked: string[];
  stop(): Promise<void>;
}

export type Handler = (request: IncomingMessage, response: ServerResponse, url: URL) => void;

export async function startStandIn(handler: Handler, user: ClusterContext["user"] = {}, port = 0): Promise<StandIn> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://api");
    asked.push(`${url.pathname}${url.search}`);
    handler(request, response, url);
  }).listen(port, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("there is no port");
  const url = `http://127.0.0.1:${address.port}`;
  return {
    context: { name: "test", server: new URL(url), skipsVerification: false, cluster: { server: url }, user },
    url,
    asked,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

export function answer(response: ServerResponse, document: object, status = 200, headers: object = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(document));
}

/** A failure as API servers tell it. */
export function refuse(response: ServerResponse, code: number, fields: object, headers: object = {}): void {
  answer(response, { kind: "Status", apiVersion: "v1", status: "Failure", code, ...fields }, code, headers);
}

/** A list in pages, as `limit` and `continue` ask for them. */
export function answerPage(response: ServerResponse, items: readonly object[], { searchParams }: URL): void {
  const from = Number(searchParams.get("continue") ?? 0);
  const to = from + Number(searchParams.get("limit") ?? items.length);
  const metadata = { resourceVersion: "7", ...(to < items.length && { continue: `${to}` }) };
  answer(response, { kind: "List", apiVersion: "v1", metadata, items: items.slice(from, to) });
}
