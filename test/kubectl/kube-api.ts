/** As much of a Kubernetes API server as kubectl needs to show pods and events that a test makes up. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

export interface KubeApi {
  readonly address: string;
}

export interface KubeApiGiven {
  /** Answers by path; whatever is not in here is not found. */
  readonly objects?: Readonly<Record<string, unknown>>;
  /** What is told of a container's log. */
  readonly log?: string;
}

const resources = {
  kind: "APIResourceList",
  groupVersion: "v1",
  resources: [
    { name: "pods", singularName: "pod", namespaced: true, kind: "Pod", verbs: ["get", "list"], shortNames: ["po"] },
    { name: "pods/log", singularName: "", namespaced: true, kind: "Pod", verbs: ["get"] },
    { name: "events", singularName: "event", namespaced: true, kind: "Event", verbs: ["get", "list"] },
  ],
};

export async function kubeApi({ objects = {}, log = "" }: KubeApiGiven): Promise<KubeApi> {
  const known: Readonly<Record<string, unknown>> = {
    "/api": { kind: "APIVersions", versions: ["v1"] },
    "/apis": { kind: "APIGroupList", apiVersion: "v1", groups: [] },
    "/api/v1": resources,
    ...objects,
  };
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://kube");
    if (pathname.endsWith("/log")) {
      response.end(log);
      return;
    }
    const name = pathname.split("/").at(-1);
    const found = known[pathname];
    const missing = { message: `pods ${JSON.stringify(name)} not found`, reason: "NotFound", code: 404 };
    response.writeHead(found === undefined ? 404 : 200, { "content-type": "application/json" });
    const failure = { kind: "Status", apiVersion: "v1", status: "Failure", ...missing };
    response.end(JSON.stringify(found ?? failure));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  const { port } = server.address() as AddressInfo;
  return { address: `http://127.0.0.1:${port}` };
}
