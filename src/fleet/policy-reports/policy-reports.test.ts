import { describe, expect, it } from "vitest";
import { fleetReport } from "../report.ts";
import { cluster, digestOf, node, pod } from "../testing/objects.ts";
import { type PolicyReportOptions, policyReports } from "./policy-reports.ts";

const now = Date.parse("2026-11-29T12:00:00Z");
const seconds = now / 1000;

function reportsOf(objects: readonly unknown[], options: Partial<PolicyReportOptions> = {}) {
  const clusters = [cluster(objects, "eu"), cluster([pod({ name: "far", image: "acme/far:main" })], "us")];
  const report = fleetReport(clusters, { policy: undefined, teams: [], incomplete: new Set(), now });
  return policyReports(report, { group: "wgpolicyk8s", cluster: "eu", knownSince: () => undefined, now, ...options });
}

const failing = pod({
  name: "web",
  namespace: "shop",
  image: "ghcr.io/acme/web:2",
  waiting: ["ErrImagePull", "\u001b[31m no space left on device"],
  since: "2026-11-29T09:00:00Z",
});
const moving = pod({ name: "etl", namespace: "data", image: "acme/etl:main", owner: ["Strange", "etl"] });

describe("the policy reports of a cluster", () => {
  it("are one for each namespace, and one for what is in none", () => {
    const reports = reportsOf([failing, moving, node("n1", [[1000, "redis:1"]])]);
    expect(reports.map(({ kind, metadata }) => [kind, metadata.name, metadata.namespace])).toEqual([
      ["PolicyReport", "pulley-fleet", "data"],
      ["PolicyReport", "pulley-fleet", "shop"],
      ["ClusterPolicyReport", "pulley-fleet", undefined],
    ]);
    expect(reports[1]).toEqual({
      apiVersion: "wgpolicyk8s.io/v1alpha2",
      kind: "PolicyReport",
      metadata: { name: "pulley-fleet", namespace: "shop", labels: { "app.kubernetes.io/managed-by": "pulley" } },
      scope: { apiVersion: "v1", kind: "Namespace", name: "shop" },
      summary: { pass: 0, fail: 1, warn: 0, error: 0, skip: 0 },
      results: [
        {
          source: "pulley",
          policy: "cannot-pull",
          rule: "disk",
          category: "Images",
          severity: "critical",
          result: "fail",
          scored: true,
          message: "Pod shop/web cannot pull ghcr.io/acme/web:2: the node's disk is full",
          resources: [{ apiVersion: "v1", kind: "Pod", namespace: "shop", name: "web" }],
          properties: {
            id: expect.stringMatching(/^cannot-pull:/),
            image: "ghcr.io/acme/web:2",
            details: expect.stringMatching(/^[^\u001b]*no space left on device$/),
            advice: expect.any(String),
            command: expect.any(String),
          },
          timestamp: { seconds: seconds - 3 * 3600, nanos: 0 },
        },
      ],
    });
    expect(reports[0]?.results[0]?.resources).toEqual([{ kind: "Strange", namespace: "data", name: "etl" }]);
    expect(reports[2]?.results).toMatchObject([{ policy: "unused-image", severity: "low", result: "warn" }]);
    expect(reports[2]?.summary).toMatchObject({ fail: 0, warn: 1 });
  });

  it("have the kinds of openreports.io, which say their source themselves", () => {
    const reports = reportsOf([moving, node("n1", [[1000, "redis:1"]])], { group: "openreports" });
    expect(reports).toMatchObject([
      { apiVersion: "openreports.io/v1alpha1", kind: "Report", source: "pulley" },
      { apiVersion: "openreports.io/v1alpha1", kind: "ClusterReport", source: "pulley" },
    ]);
    expect(reports[0]?.configuration).toEqual({ limits: { maxResults: 500 } });
  });

  it("keep the time at which an item was seen first", () => {
    const knownSince = (namespace: string | undefined, id: string) =>
      namespace === "data" && id.startsWith("always-missing:") ? 7 : undefined;
    expect(reportsOf([moving], { knownSince })[0]?.results[0]?.timestamp).toEqual({ seconds: 7, nanos: 0 });
    expect(reportsOf([moving])[0]?.results[0]?.timestamp).toEqual({ seconds, nanos: 0 });
    const clusters = [cluster([moving], "eu")];
    const report = fleetReport(clusters, { policy: undefined, teams: [], incomplete: new Set(), now });
    const items = report.items.map((item) => ({ ...item, firstSeen: "2026-11-01T00:00:00Z" }));
    const options = { group: "wgpolicyk8s", cluster: "eu", knownSince: () => undefined, now } as const;
    const [recorded] = policyReports({ ...report, items }, options);
    expect(recorded?.results[0]?.timestamp.seconds).toBe(Date.parse("2026-11-01T00:00:00Z") / 1000);
  });

  it("tell a namespace nothing of another one", () => {
    const words = { image: "acme/web:1", policy: "Never" };
    const [, shop] = reportsOf([
      pod({ name: "here", namespace: "shop", digest: digestOf("a"), ...words }),
      pod({ name: "secret", namespace: "data", digest: digestOf("b"), ...words }),
    ]);
    expect(shop?.results).toMatchObject([{ policy: "mixed-digests", resources: [{ name: "here" }] }]);
    expect(JSON.stringify(shop)).not.toMatch(/secret|data\/|"data"/);
  });

  it("are of bounded size: the least severe are left out, and the last result says how many", () => {
    const many = Array.from({ length: 700 }, (_, at) => pod({ name: `p${at}`, image: `acme/p${at}:main` }));
    const [report] = reportsOf([...many, { ...failing, metadata: { ...failing.metadata, namespace: "prod" } }]);
    expect(report?.results).toHaveLength(500);
    expect(report?.results[0]).toMatchObject({ policy: "cannot-pull" });
    expect(report?.results.at(-1)).toMatchObject({ result: "skip", message: /^202 more, none of them worse/ });
    expect(report?.summary).toEqual({ pass: 0, fail: 499, warn: 0, error: 0, skip: 1 });
    const long = Array.from({ length: 499 }, (_, at) => {
      const image = `acme/${"x".repeat(200)}${at}:1`;
      return pod({ name: `p${at}`, image, waiting: ["ErrImagePull", `no space left on device ${"ü".repeat(900)}`] });
    });
    const [bounded] = reportsOf(long);
    const bytes = Buffer.byteLength(JSON.stringify(bounded));
    expect(bytes).toBeGreaterThan(900_000);
    expect(bytes).toBeLessThan(1_010_000);
    expect(bounded?.results.at(-1)).toMatchObject({ result: "skip" });
  });

  it("are none where there is nothing to do", () => {
    expect(reportsOf([pod({ name: "fine", image: `acme/web@${digestOf("a")}` })])).toEqual([]);
  });
});
