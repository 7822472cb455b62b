/** A real API server, kubeconfigs for it, and the program's way to it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ClusterApi, type ClusterOptions, openCluster } from "../../src/cluster/api.ts";
import { chooseContexts } from "../../src/cluster/contexts.ts";
import { readKubeconfig } from "../../src/cluster/kubeconfig.ts";
import { type KubeApiServer, startApiServer } from "../kube-api-server.ts";

export interface RealCluster {
  readonly server: KubeApiServer;
  readonly folder: string;
  /** Path of a kubeconfig with one context, `real`. */
  kubeconfig(user: object, more?: object): string;
  /** Closed with the cluster. Default: a user with every right. */
  open(user?: object, more?: object, options?: Partial<ClusterOptions>): ClusterApi;
  stop(): Promise<void>;
}

export async function startRealCluster(): Promise<RealCluster> {
  const folder = mkdtempSync(join(tmpdir(), "pulley-real-cluster-"));
  const server = await startApiServer();
  const opened: ClusterApi[] = [];

  function kubeconfig(user: object, more: object = {}): string {
    const file = join(folder, "kubeconfig");
    const cluster = { server: server.url, "certificate-authority": server.authority, ...more };
    writeFileSync(
      file,
      JSON.stringify({
        contexts: [{ name: "real", context: { cluster: "real", user: "me" } }],
        clusters: [{ name: "real", cluster }],
        users: [{ name: "me", user }],
        "current-context": "real",
      }),
    );
    return file;
  }

  return {
    server,
    folder,
    kubeconfig,
    open: (user = { token: server.token }, more = {}, options = {}) => {
      const file = kubeconfig(user, more);
      const contexts = chooseContexts(readKubeconfig({ file, home: folder }), { names: [], all: false }, undefined);
      const [context] = contexts;
      if (context === undefined) throw new Error("there is no context");
      const api = openCluster(context, { environment: {}, userAgent: "pulley/test", ...options });
      opened.push(api);
      return api;
    },
    stop: async () => {
      for (const api of opened) api.close();
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
