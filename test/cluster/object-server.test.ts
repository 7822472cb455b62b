/** The stand-in for API servers, as honest as a real one. */
import { afterAll, beforeAll, describe } from "vitest";
import { type ClusterApi, openCluster } from "../../src/cluster/api.ts";
import { type ObjectServer, startObjectServer } from "../../src/cluster/testing/object-server.ts";
import { configMapKind, testListsAndWatches } from "./lists-and-watches.ts";

describe("an API server in memory", () => {
  const tokens = { allowed: "all", powerless: "none" };
  const open: ClusterApi[] = [];
  let server: ObjectServer;

  beforeAll(async () => {
    server = await startObjectServer({ kinds: [configMapKind], tokens });
  });
  afterAll(async () => {
    for (const api of open) api.close();
    await server.stop();
  });

  function api(user?: "powerless" | "stranger"): ClusterApi {
    const token = user === undefined ? tokens.allowed : user === "powerless" ? tokens.powerless : "unknown";
    const opened = openCluster({ ...server.context, user: { token } }, { environment: {}, userAgent: "pulley/test" });
    open.push(opened);
    return opened;
  }

  testListsAndWatches(() => ({
    api,
    put: async (namespace, name, data) => server.put(configMapKind, { metadata: { namespace, name }, data }),
    remove: async (namespace, name) => server.remove(configMapKind, { namespace, name }),
    compact: async () => server.compact(),
    restart: () => server.restart(),
  }));
});
