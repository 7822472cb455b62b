/** Clusters, beside a real API server with its etcd. */
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { getHeapStatistics } from "node:v8";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callPulley } from "../../src/cli/testing/call.ts";
import { type ClusterApi, openCluster } from "../../src/cluster/api.ts";
import type { ClusterContext } from "../../src/cluster/contexts.ts";
import { objectPath } from "../../src/cluster/kinds.ts";
import { listPages } from "../../src/cluster/list.ts";
import { watchKind } from "../../src/cluster/watched-kind.ts";
import { textAt } from "../../src/support/json-record.ts";
import { apiServerTools, type KubeApiServer, powerlessToken } from "../kube-api-server.ts";
import { describeWith } from "../tools.ts";
import { configMapKind, contractNamespaces, testListsAndWatches } from "./lists-and-watches.ts";
import { type RealCluster, startRealCluster } from "./real-cluster.ts";
import { testPolicyReports } from "./real-policy-reports.ts";
import { testWrites } from "./real-writes.ts";

const count = 20_000;
const configMaps = "/api/v1/configmaps";

/** Bytes that this thread has from the system: of the whole process, other tests have theirs at the same time. */
function ownMemory(): number {
  const { total_heap_size: heap, external_memory: external } = getHeapStatistics();
  return heap + external;
}

describeWith(apiServerTools, "a real API server", () => {
  let real: RealCluster;
  let server: KubeApiServer;

  beforeAll(async () => {
    real = await startRealCluster();
    server = real.server;
  });
  afterAll(() => real?.stop());

  const name = (item: object) => `${textAt(item, "metadata", "namespace")}/${textAt(item, "metadata", "name")}`;

  it(`lists ${count} objects in pages, each once, within 100 MB`, async () => {
    const payload = "x".repeat(1_000);
    await server.plant(
      "configmaps",
      Array.from({ length: count }, (_, at) => ({
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { namespace: `many-${at % 200}`, name: `c${at}` },
        data: { payload },
      })),
    );
    global.gc?.();
    const before = ownMemory();
    let most = before;
    const found: string[] = [];
    let pages = 0;
    for await (const page of listPages(real.open(), { path: configMaps, pick: name })) {
      found.push(...page);
      pages += 1;
      most = Math.max(most, ownMemory());
    }
    const ours = found.filter((each) => /\/c\d+$/.test(each));
    expect(new Set(ours).size).toBe(count);
    expect(ours).toHaveLength(count);
    expect(pages).toBeGreaterThanOrEqual(count / 500);
    expect((most - before) / 1e6).toBeLessThan(100);
  });

  it("goes on where a continuation has expired: each object once", async () => {
    const found: string[] = [];
    const answers: string[] = [];
    const api = real.open();
    const get: ClusterApi["get"] = async (request) => {
      const answer = await api.get(request);
      answers.push(answer.kind);
      return answer;
    };
    for await (const page of listPages({ ...api, get }, { path: configMaps, pick: name })) {
      found.push(...page);
      if (answers.length !== 3) continue;
      await server.send("POST", "/api/v1/namespaces/default/configmaps", { metadata: { name: `later-${Date.now()}` } });
      await server.compact();
    }
    expect(answers.filter((kind) => kind === "expired")).toHaveLength(1);
    const ours = found.filter((each) => /\/c\d+$/.test(each));
    expect(new Set(ours).size).toBe(count);
    expect(ours).toHaveLength(count);
  });

  it("says what it refuses", async () => {
    const list = (api: ClusterApi) => listPages(api, { path: configMaps, pick: name }).next();
    await expect(list(real.open({ token: powerlessToken }))).rejects.toMatchObject({
      code: "CLUSTER_FORBIDDEN",
      message: expect.stringContaining('configmaps is forbidden: User "nobody" cannot list resource "configmaps"'),
    });
    await expect(list(real.open({ token: "no-such-token" }))).rejects.toMatchObject({ code: "CLUSTER_UNAUTHORIZED" });
  });

  it("knows a user by the certificate", async () => {
    const { certificate, key } = server.client;
    const files = { "client-certificate": certificate, "client-key": key };
    const data = {
      "client-certificate-data": readFileSync(certificate).toString("base64"),
      "client-key-data": readFileSync(key).toString("base64"),
      "client-key": "/not/read",
    };
    for (const user of [files, data]) {
      const answer = real.open(user).get({ path: "/api/v1/pods" });
      await expect(answer).rejects.toMatchObject({ message: expect.stringContaining('User "client" cannot list') });
    }
  });

  it("is reached through the proxy of the kubeconfig", async () => {
    const asked: string[] = [];
    const proxy = createServer().on("connect", (request, socket, head) => {
      asked.push(request.url ?? "");
      const [host, port] = (request.url ?? "").split(":");
      const other = connect(Number(port), host, () => {
        socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
        other.write(head);
        other.pipe(socket).pipe(other);
      });
      for (const each of [socket, other]) each.on("error", () => undefined);
    });
    await once(proxy.listen(0, "127.0.0.1"), "listening");
    const address = proxy.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const api = real.open({ token: server.token }, { "proxy-url": `http://127.0.0.1:${port}` });
    for (let time = 0; time < 3; time += 1) {
      expect(await api.get({ path: "/version" })).toMatchObject({ kind: "found", document: { major: "1" } });
    }
    expect(asked.length).toBeGreaterThan(0);
    expect(new Set(asked)).toEqual(new Set([new URL(server.url).host]));
    api.close();
    proxy.closeAllConnections();
    proxy.close();
  });

  it("is not believed where its authority is not known", async () => {
    const stranger: ClusterContext = {
      name: "stranger",
      server: new URL(server.url),
      skipsVerification: false,
      cluster: { server: server.url },
      user: { token: server.token },
    };
    const api = openCluster(stranger, { environment: {}, userAgent: "pulley/test" });
    await expect(api.get({ path: "/version" })).rejects.toMatchObject({
      code: "CLUSTER_UNREACHABLE",
      message: expect.stringContaining("certificate signed by unknown authority"),
    });
    api.close();
  });

  it(`keeps ${count} objects within 100 MB`, async () => {
    global.gc?.();
    const before = ownMemory();
    const kept = watchKind(real.open(), configMapKind, name);
    await kept.ready;
    expect([...kept.values()].filter((each) => /\/c\d+$/.test(each))).toHaveLength(count);
    expect((ownMemory() - before) / 1e6).toBeLessThan(100);
    await kept.close();
  });

  describe("of which lists and watches are read", () => {
    const user = { powerless: powerlessToken, stranger: "no-such-token" };
    const placed = (namespace: string, name: string) => ({ namespace, name });

    beforeAll(async () => {
      for (const namespace of contractNamespaces) {
        await server.send("POST", "/api/v1/namespaces", { metadata: { name: namespace } });
      }
    });

    /** In the middle of a list, which goes on all the same: each start takes seconds, and one is enough for all. */
    async function restart(): Promise<void> {
      const found: string[] = [];
      let restarted: Promise<void> | undefined;
      for await (const page of listPages(real.open(), { path: configMaps, pick: name })) {
        found.push(...page);
        restarted ??= server.restart();
      }
      await restarted;
      expect(new Set(found.filter((each) => /\/c\d+$/.test(each))).size).toBe(count);
    }

    testListsAndWatches(() => ({
      api: (as) => real.open(as && { token: user[as] }),
      put: (namespace, object, data) =>
        real.open().apply({
          path: objectPath(configMapKind, placed(namespace, object)),
          object: { apiVersion: "v1", kind: "ConfigMap", metadata: placed(namespace, object), data },
        }),
      remove: (namespace, object) => real.open().remove({ path: objectPath(configMapKind, placed(namespace, object)) }),
      compact: () => server.compact(),
      restart,
    }));
  });

  describe("of which objects are changed", () => testWrites(() => real));

  describe("that is given policy reports", () => testPolicyReports(() => real));

  it("gives pulley outdated each owner at the top, once", async () => {
    await server.send("POST", "/apis/apps/v1/namespaces/default/deployments", {
      metadata: { name: "web" },
      spec: { replicas: 0, selector: { matchLabels: { app: "web" } }, template: template() },
    });
    const deployment = await server.send("GET", "/apis/apps/v1/namespaces/default/deployments/web");
    const owner = { apiVersion: "apps/v1", kind: "Deployment", name: "web", uid: uidOf(deployment), controller: true };
    await server.send("POST", "/apis/apps/v1/namespaces/default/replicasets", {
      metadata: { name: "web-1", ownerReferences: [owner] },
      spec: { replicas: 0, selector: { matchLabels: { app: "web" } }, template: template() },
    });
    await server.send("POST", "/api/v1/namespaces/default/pods", {
      metadata: { name: "alone" },
      spec: template().spec,
    });
    const environment = { HOME: real.folder, PATH: "", XDG_CACHE_HOME: real.folder };
    const file = real.kubeconfig({ token: server.token });
    const call = ["outdated", "--kubeconfig", file, "--context", "real", "-o", "json"];
    const { stdout, stderr } = await callPulley(call, environment);
    expect(stderr).toBe("");
    const { images } = JSON.parse(stdout);
    const users: { kind: string; name: string }[] = images[0].workloads;
    expect(users.map(({ kind, name: own }) => `${kind} ${own}`)).toEqual(["Deployment web", "Pod alone"]);
  });

  it("gives pulley fleet report the pods that cannot pull, and takes them out when they can", async () => {
    const path = "/api/v1/namespaces/default/pods/alone/status";
    const told = (state: object) =>
      server.send("PATCH", path, {
        status: {
          phase: "Pending",
          startTime: "2026-01-01T00:00:00Z",
          containerStatuses: [{ name: "main", image: "", imageID: "", ready: false, restartCount: 0, state }],
        },
      });
    const call = ["fleet", "report", "--kubeconfig", real.kubeconfig({ token: server.token }), "-o", "json"];
    const items = async () => {
      const { stdout } = await callPulley(call, { HOME: real.folder });
      const { items: found }: { items: { kind: string; workload?: { name: string } }[] } = JSON.parse(stdout);
      return found.filter(({ kind }) => kind === "cannot-pull");
    };
    await told({ waiting: { reason: "ErrImagePull", message: "dial tcp 127.0.0.1:9: connect: connection refused" } });
    expect(await items()).toHaveLength(1);
    await told({ running: { startedAt: "2026-01-01T00:00:00Z" } });
    expect(await items()).toEqual([]);
  });

  it("gives audit, simulate and the blast radius each owner at the top, once, until it is solved", async () => {
    const judged = "/namespaces/judged";
    const spec = { replicas: 1, selector: { matchLabels: { app: "web" } }, template: template("127.0.0.1:9/app:main") };
    const owned = async (kind: string, owner: string, path: string) => {
      const uid = uidOf(await server.send("GET", path));
      return { ownerReferences: [{ apiVersion: "apps/v1", kind, name: owner, uid, controller: true }] };
    };
    await server.send("POST", "/api/v1/namespaces", { metadata: { name: "judged" } });
    const deployments = `/apis/apps/v1${judged}/deployments`;
    await server.send("POST", deployments, { metadata: { name: "web" }, spec });
    const byDeployment = await owned("Deployment", "web", `${deployments}/web`);
    const replicaSets = `/apis/apps/v1${judged}/replicasets`;
    await server.send("POST", replicaSets, { metadata: { name: "web-1", ...byDeployment }, spec });
    const byReplicaSet = await owned("ReplicaSet", "web-1", `${replicaSets}/web-1`);
    for (const name of ["web-1-a", "web-1-b"]) {
      const metadata = { name, labels: spec.template.metadata.labels, ...byReplicaSet };
      await server.send("POST", `/api/v1${judged}/pods`, { metadata, spec: spec.template.spec });
    }
    const policy = join(real.folder, "policy.yaml");
    const rule = "  - { name: no-main, match: { tags: [main], clusters: [real] }, admit: Deny }";
    const head = "apiVersion: pulley.dev/v1alpha1\nkind: ImagePullPolicy\nmetadata: { name: p }\nspec:\n  rules:\n";
    writeFileSync(policy, `${head}${rule}\n`);
    const kubeconfig = real.kubeconfig({ token: server.token });
    const ask = async (...words: readonly string[]) => {
      const call = [...words, "--kubeconfig", kubeconfig, "-n", "judged", "-o", "json", "--policy", policy];
      const { stdout, status } = await callPulley(call, { HOME: real.folder });
      return { ...JSON.parse(stdout), status };
    };

    const audited = await ask("audit");
    expect(audited).toMatchObject({ status: 1, summary: { clusters: 1, workloads: 1, containers: 1 } });
    const workload = { kind: "Deployment", namespace: "judged", name: "web" };
    const place = { cluster: "real", field: "spec.template.spec.containers[0].image", workload };
    expect(audited.findings).toMatchObject([
      { ruleId: "tag-moving", ...place },
      { ruleId: "not-allowed", ...place },
      { ruleId: "moving-tag-not-always", workload },
    ]);
    expect(await ask("simulate")).toMatchObject({
      status: 1,
      total: { workloads: 1, starts: 2, effects: { refused: 1 } },
      changes: [{ effect: "refused", cluster: "real", workload, starts: 2, after: { reason: "ImageDenied" } }],
    });
    expect(await ask("fleet", "blast-radius", "127.0.0.1:9")).toMatchObject({ workloads: [] });

    const solved = { spec: { template: template("127.0.0.1:9/app:1.0.0") } };
    await server.send("PATCH", `${deployments}/web`, solved);
    for (const name of ["web-1-a", "web-1-b"])
      await server.send("DELETE", `/api/v1${judged}/pods/${name}?gracePeriodSeconds=0`);
    expect(await ask("audit")).toMatchObject({ status: 0, findings: [] });
    expect(await ask("simulate")).toMatchObject({ status: 0, total: { starts: 1 }, changes: [] });
    expect(await ask("fleet", "blast-radius", "127.0.0.1:9")).toMatchObject({
      workloads: [{ ...workload, cluster: "real", pods: 0, outcome: "none" }],
    });
  });
});

function template(image = "127.0.0.1:9/app:1.0.0") {
  return {
    metadata: { labels: { app: "web" } },
    spec: { containers: [{ name: "main", image, imagePullPolicy: "IfNotPresent" }] },
  };
}

function uidOf(object: unknown): string | undefined {
  return textAt(object, "metadata", "uid");
}
