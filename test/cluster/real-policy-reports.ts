/** The reports of policies in a real API server, of both API groups. */
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { callPulley } from "../../src/cli/testing/call.ts";
import type { ClusterApi } from "../../src/cluster/api.ts";
import { type ReportGroup, reportKinds } from "../../src/fleet/policy-reports/groups.ts";
import { type WriteRequest, writePolicyReports } from "../../src/fleet/policy-reports/write.ts";
import { type FleetReport, fleetReport } from "../../src/fleet/report.ts";
import { cluster, node, pod } from "../../src/fleet/testing/objects.ts";
import type { KubeApiServer } from "../kube-api-server.ts";
import type { RealCluster } from "./real-cluster.ts";

const now = Date.parse("2026-11-29T12:00:00Z");

const failing = (namespace: string) =>
  pod({ name: "web", namespace, image: "acme/web:2", waiting: ["ErrImagePull", "no space left on device"] });

/** Of a cluster in which these are. */
function reportOf(...objects: readonly unknown[]): FleetReport {
  return fleetReport([cluster(objects, "real")], { policy: undefined, teams: [], incomplete: new Set(), now });
}

export function testPolicyReports(real: () => RealCluster): void {
  const written = (report: FleetReport, request: Partial<WriteRequest> = {}, api: ClusterApi = real().open()) => {
    const signal = new AbortController().signal;
    return writePolicyReports(api, report, { group: undefined, namespaces: undefined, now, signal, ...request });
  };

  it("says which definitions are missing", async () => {
    const names = /does not have reports of wgpolicyk8s\.io\/v1alpha2 nor openreports\.io\/v1alpha1/;
    await expect(written(reportOf())).rejects.toThrow(names);
    await expect(written(reportOf(), { group: "openreports" })).rejects.toMatchObject({
      code: "CLUSTER_FAILED",
      advice: expect.stringContaining("reports.openreports.io and clusterreports.openreports.io (v1alpha1)"),
    });
  });

  // The first definitions of wgpolicyk8s.io/v1alpha2 know no severity above high.
  it.each([
    ["openreports", ["critical", "high", "medium", "low", "info"], "critical"],
    ["wgpolicyk8s", ["high", "medium", "low"], "high"],
  ] as const)(
    "writes those of %s, changes nothing the second time, and deletes what is solved",
    async (group, severities, severity) => {
      const { server } = real();
      await define(server, group, severities);
      for (const name of ["shop", "data"]) {
        await server.send("POST", "/api/v1/namespaces", { metadata: { name } }).catch(() => undefined);
      }
      const unused = node("n1", [[1000, "redis:1"]]);
      const both = reportOf(failing("shop"), failing("data"), unused);
      const reports = await reportsIn(server, group);

      expect(await written(both, { group })).toMatchObject({ reports: 3, changed: 3, deleted: 0 });
      const first = await reports();
      expect(first.map(({ metadata }) => metadata.namespace)).toEqual(["data", "shop", undefined]);
      expect(first[1]).toMatchObject({
        metadata: { name: "pulley-fleet", labels: { "app.kubernetes.io/managed-by": "pulley" } },
        scope: { kind: "Namespace", name: "shop" },
        summary: { fail: 1 },
        results: [{ policy: "cannot-pull", rule: "disk", severity, result: "fail" }],
      });

      expect(first[2]).toMatchObject({ results: [{ policy: "unused-image", timestamp: { seconds: now / 1000 } }] });

      // Later, and by somebody who was not there before.
      expect(await written(both, { group, now: now + 60_000 })).toMatchObject({ reports: 3, changed: 0, deleted: 0 });
      expect((await reports()).map(({ metadata }) => metadata.resourceVersion)).toEqual(
        first.map(({ metadata }) => metadata.resourceVersion),
      );

      const stranger = await plantStranger(server, group);
      expect(await written(reportOf(failing("data")), { group, namespaces: ["data"] })).toMatchObject({
        reports: 1,
        changed: 0,
        deleted: 0,
      });
      expect(await written(reportOf(failing("data")), { group })).toMatchObject({ reports: 1, changed: 0, deleted: 2 });
      expect(await written(reportOf(), { group })).toMatchObject({ reports: 0, changed: 0, deleted: 1 });
      expect((await reports()).map(({ metadata }) => metadata.name)).toEqual([stranger]);
    },
  );

  it("are written by pulley fleet report, and taken away", async () => {
    const { server, folder, kubeconfig } = real();
    await server.send("POST", "/api/v1/namespaces/shop/pods", {
      metadata: { name: "moving" },
      spec: { containers: [{ name: "app", image: "acme/web:main", imagePullPolicy: "IfNotPresent" }] },
    });
    const call = ["fleet", "report", "--kubeconfig", kubeconfig({ token: server.token }), "-n", "shop"];
    const run = () => callPulley([...call, "--policy-reports", "openreports"], { HOME: folder });
    expect(await run()).toMatchObject({
      status: 0,
      stderr: expect.stringMatching(/^real: 1 report of openreports.io\/v1alpha1, 1 of them changed, 0 deleted$/m),
    });
    expect((await run()).stderr).toContain("1 report of openreports.io/v1alpha1, 0 of them changed, 0 deleted");
    await server.send("DELETE", "/api/v1/namespaces/shop/pods/moving?gracePeriodSeconds=0");
    expect((await run()).stderr).toContain("0 reports of openreports.io/v1alpha1, 0 of them changed, 1 deleted");
  });

  it("finds the group that the cluster has, and leaves a report of its name that is another's", async () => {
    const { server } = real();
    expect(await written(reportOf(failing("shop")))).toMatchObject({ apiVersion: "wgpolicyk8s.io/v1alpha2" });
    const path = "/apis/wgpolicyk8s.io/v1alpha2/namespaces/data/policyreports?fieldManager=someone";
    const summary = { fail: 7 };
    await server.send("POST", path, { ...kindOf("wgpolicyk8s"), metadata: { name: "pulley-fleet" }, summary });
    await expect(written(reportOf(failing("data")))).rejects.toThrow(/PolicyReport data\/pulley-fleet is of someone/);
    expect(await written(reportOf())).toMatchObject({ deleted: 1 });
    const reports = await reportsIn(server, "wgpolicyk8s");
    expect((await reports()).map(({ metadata: { name } }) => name)).toEqual(["pulley-fleet", "theirs"]);
  });
}

interface Stored {
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly resourceVersion: string };
}

/** Reads all reports of a group, by namespace, the cluster's last. */
async function reportsIn(server: KubeApiServer, group: ReportGroup): Promise<() => Promise<readonly Stored[]>> {
  const { apiVersion, namespaced, clusterWide } = reportKinds[group];
  const list = async (plural: string): Promise<readonly Stored[]> => {
    const found: { items: Stored[] } = JSON.parse(
      JSON.stringify(await server.send("GET", `/apis/${apiVersion}/${plural}`)),
    );
    return found.items;
  };
  return async () => [...(await list(namespaced.plural)), ...(await list(clusterWide.plural))];
}

/** A report with Pulley's label that Pulley has not written. */
async function plantStranger(server: KubeApiServer, group: ReportGroup): Promise<string> {
  const { apiVersion, namespaced } = reportKinds[group];
  const path = `/apis/${apiVersion}/namespaces/shop/${namespaced.plural}?fieldManager=someone`;
  const metadata = { name: "theirs", labels: { "app.kubernetes.io/managed-by": "pulley" } };
  await server.send("POST", path, { ...kindOf(group), metadata });
  return metadata.name;
}

function kindOf(group: ReportGroup) {
  const { apiVersion, namespaced } = reportKinds[group];
  return { apiVersion, kind: namespaced.kind };
}

/** Definitions with the fields that both groups have, and waits until the server knows them. */
async function define(server: KubeApiServer, group: ReportGroup, severities: readonly string[]): Promise<void> {
  const { apiVersion, namespaced, clusterWide, hasSource } = reportKinds[group];
  const [domain = "", version = ""] = apiVersion.split("/");
  const text = { type: "string" };
  const count = { type: "integer" };
  const texts = { type: "object", additionalProperties: text };
  const reference = record({ apiVersion: text, kind: text, namespace: text, name: text });
  const result = record({
    source: text,
    policy: text,
    rule: text,
    category: text,
    severity: { ...text, enum: severities },
    result: { ...text, enum: ["pass", "fail", "warn", "error", "skip"] },
    scored: { type: "boolean" },
    message: text,
    resources: { type: "array", items: reference },
    properties: texts,
    timestamp: {
      ...record({ seconds: { ...count, format: "int64" }, nanos: { ...count, format: "int32" } }),
      required: ["seconds", "nanos"],
    },
  });
  const schema = record({
    apiVersion: text,
    kind: text,
    metadata: { type: "object" },
    scope: reference,
    summary: record({ pass: count, fail: count, warn: count, error: count, skip: count }),
    results: { type: "array", items: { ...result, required: ["policy"] } },
    ...(hasSource && { source: text, configuration: record({ limits: record({ maxResults: count }) }) }),
  });
  for (const { kind, plural } of [namespaced, clusterWide]) {
    await server.send("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: `${plural}.${domain}`, annotations: { "api-approved.kubernetes.io": "unapproved, a test" } },
      spec: {
        group: domain,
        names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
        scope: kind === namespaced.kind ? "Namespaced" : "Cluster",
        versions: [{ name: version, served: true, storage: true, schema: { openAPIV3Schema: schema } }],
      },
    });
  }
  for (const { plural } of [namespaced, clusterWide]) {
    for (let attempt = 0; attempt < 300; attempt += 1) {
      const isKnown = await server.send("GET", `/apis/${apiVersion}/${plural}`).then(
        () => true,
        () => false,
      );
      if (isKnown) break;
      await delay(100);
    }
  }
}

function record(properties: object) {
  return { type: "object", properties };
}
