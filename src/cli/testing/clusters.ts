/** Stand-ins for API servers, and a kubeconfig with a context for each. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { answerPage, refuse, startStandIn } from "../../cluster/testing/api-server.ts";
import { temporaryFolder } from "../../support/testing.ts";

/** Objects by the path of their list: `/apis/apps/v1/deployments`; `forbidden`: the login has no right to it. */
export type ClusterObjects = Readonly<Record<string, readonly object[] | "forbidden">>;

/** A kubeconfig for clusters by their names; one that is `gone` cannot be reached. All end with the test. */
export async function kubeconfigOf(clusters: Readonly<Record<string, ClusterObjects | "gone">>): Promise<string> {
  const servers: [name: string, server: string][] = [];
  for (const [name, objects] of Object.entries(clusters)) {
    const server = await startStandIn((_request, response, url) => {
      const found = objects === "gone" ? undefined : objects[url.pathname];
      if (found === "forbidden") refuse(response, 403, { message: `${url.pathname} is forbidden` });
      else if (found === undefined) refuse(response, 404, { reason: "NotFound" });
      else answerPage(response, found, url);
    });
    if (objects === "gone") await server.stop();
    else onTestFinished(server.stop);
    servers.push([name, server.url]);
  }
  const file = join(temporaryFolder(), "kubeconfig");
  const contexts = servers.map(([name]) => ({ name, context: { cluster: name } }));
  writeFileSync(
    file,
    JSON.stringify({ contexts, clusters: servers.map(([name, server]) => ({ name, cluster: { server } })) }),
  );
  return file;
}
