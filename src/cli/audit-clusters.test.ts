import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { widthOf } from "../support/terminal.ts";
import { temporaryFolder } from "../support/testing.ts";
import { callPulley } from "./testing/call.ts";
import { type ClusterObjects, kubeconfigOf } from "./testing/clusters.ts";

const deployments = "/apis/apps/v1/deployments";
const replicaSets = "/apis/apps/v1/replicasets";
const pods = "/api/v1/pods";

interface Fields {
  readonly image: string;
  readonly imagePullPolicy?: string;
  readonly namespace?: string;
}

const template = ({ image, imagePullPolicy = "IfNotPresent" }: Fields) => ({
  metadata: { labels: { app: "x" } },
  spec: { containers: [{ name: "main", image, imagePullPolicy }], imagePullSecrets: [{ name: "pull" }] },
});

function deployment(name: string, fields: Fields) {
  const selector = { matchLabels: { app: "x" } };
  return { metadata: { namespace: fields.namespace ?? "shop", name }, spec: { selector, template: template(fields) } };
}

function owned(name: string, [kind, owner]: readonly [string, string], spec: object) {
  const ownerReferences = [{ apiVersion: "apps/v1", kind, name: owner, uid: owner, controller: true }];
  return { metadata: { namespace: "shop", name, ownerReferences }, spec };
}

const moving: ClusterObjects = {
  [deployments]: [deployment("web", { image: "ghcr.io/acme/web:main" })],
  [replicaSets]: [owned("web-1", ["Deployment", "web"], { template: template({ image: "ghcr.io/acme/web:main" }) })],
  [pods]: ["a", "b"].map((name) =>
    owned(`web-1-${name}`, ["ReplicaSet", "web-1"], template({ image: "ghcr.io/acme/web:main" }).spec),
  ),
};

interface Report {
  readonly findings: readonly {
    readonly ruleId: string;
    readonly source: unknown;
    readonly cluster: string | null;
    readonly field: string | null;
    readonly workload: { readonly kind: string; readonly name: string } | null;
  }[];
  readonly summary: Readonly<Record<string, number>>;
}

async function audit(...words: readonly string[]) {
  const ended = await callPulley(["audit", ...words]);
  const report = (): Report => JSON.parse(ended.stdout);
  return { ...ended, report };
}

function file(name: string, text: string): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, text);
  return path;
}

describe("an audit of clusters", () => {
  it("tells of the owner at the top, once, by the object and the field, cluster by cluster", async () => {
    const path = await kubeconfigOf({ us: moving, eu: moving });
    const clusters = ["--kubeconfig", path, "--context", "eu", "--context", "us"];
    const { report, stderr, status } = await audit(...clusters, "-o", "json");
    expect(stderr).toBe("");
    const { findings, summary } = report();
    const field = "spec.template.spec.containers[0]";
    expect(
      findings.map(({ ruleId, cluster, field: own, workload, source }) => [
        cluster,
        `${workload?.kind} ${workload?.name}`,
        ruleId,
        own,
        source,
      ]),
    ).toEqual(
      ["eu", "us"].flatMap((cluster) => [
        [cluster, "Deployment web", "tag-moving", `${field}.image`, null],
        [cluster, "Deployment web", "moving-tag-not-always", `${field}.imagePullPolicy`, null],
      ]),
    );
    expect(summary).toMatchObject({ files: 0, clusters: 2, workloads: 2, containers: 2, fixable: 0 });
    expect(status).toBe(1);
    const { stdout } = await audit(...clusters);
    expect(stdout).toContain("── eu: Deployment shop/web\n");
    expect(stdout).toContain(`  ╭─ ${field}.image  container main\n`);
    expect(stdout.trimEnd()).toMatch(/\n4 warnings in 2 clusters \(2 containers\)$/);
    // The lines that place a finding fit a terminal; sentences are as long as they are.
    expect(stdout.split("\n").filter((line) => /[╭─]/.test(line) && !/╰/.test(line) && widthOf(line) > 80)).toEqual([]);
  });

  it("goes on where a cluster cannot be read whole, and exits with 3", async () => {
    const path = await kubeconfigOf({ gone: "gone", part: { ...moving, [pods]: "forbidden" }, fine: {} });
    const { stdout, stderr, status } = await audit("--kubeconfig", path, "--all-contexts");
    expect(stderr).toMatch(/error: context "gone": GET .*connection refused/);
    expect(stderr).toMatch(/error: context "part": GET .*403 Forbidden/);
    expect(stdout).toContain("── part: Deployment shop/web");
    expect(stdout).toMatch(/2 warnings in 1 cluster \(1 container\)\n$/);
    expect(status).toBe(3);
  });

  it("is of one cluster and one namespace where images are compared", async () => {
    const image = "ghcr.io/acme/web:1.2.3";
    const always = { image, imagePullPolicy: "Always" };
    const path = await kubeconfigOf({
      eu: { [deployments]: [deployment("web", { image }), deployment("api", always)] },
      us: { [deployments]: [deployment("api", always), deployment("web", { image, namespace: "other" })] },
    });
    const { report } = await audit("--kubeconfig", path, "--all-contexts", "-o", "json");
    const conflicts = report().findings.filter(({ ruleId }) => ruleId === "pull-policy-conflict");
    expect(conflicts).toMatchObject([
      { cluster: "eu", message: expect.stringContaining("but IfNotPresent in Deployment web, in the namespace shop") },
    ]);
  });

  it("holds rules and exemptions of a policy to the cluster by its context", async () => {
    const image = "ghcr.io/acme/web:1.2.3";
    const one = { [deployments]: [deployment("web", { image })] };
    const path = await kubeconfigOf({ eu: one, us: one, asia: one });
    const policy = file(
      "policy.yaml",
      `apiVersion: pulley.dev/v1alpha1
kind: ImagePullPolicy
metadata: {name: p}
spec:
  rules:
    - name: not-in-eu
      match: {clusters: [eu, asia]}
      admit: Deny
`,
    );
    const clusters = ["--kubeconfig", path, "--context", "us", "--context", "eu", "--context", "asia"];
    const { report, stderr } = await audit(...clusters, "--policy", policy, "-o", "json");
    expect(stderr).toBe("");
    const denied = report().findings.filter(({ ruleId }) => ruleId === "not-allowed");
    expect(denied.map(({ cluster }) => cluster)).toEqual(["eu", "asia"]);
  });

  it("goes with files in one run: Secrets and comments of files say nothing of a cluster", async () => {
    const path = await kubeconfigOf({ eu: moving });
    const manifest = file(
      "secret.yaml",
      "apiVersion: v1\nkind: Secret\nmetadata: {name: other, namespace: shop}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: 'ghcr.io/a/b:edge'}]}\n",
    );
    const { stdout } = await audit("--kubeconfig", path, "--all-contexts", manifest);
    expect(stdout).toMatch(/\d warnings in 1 file and 1 cluster \(2 containers\)\n$/);
    expect(stdout).not.toContain("pull-secret-missing");
  });

  it("knows a baseline, and writes none where a cluster could not be read", async () => {
    const path = await kubeconfigOf({ eu: moving, gone: "gone" });
    const baseline = join(temporaryFolder(), "baseline.json");
    const eu = ["--kubeconfig", path, "--context", "eu", "--baseline", baseline];
    const refused = await audit(...eu, "--context", "gone", "--update-baseline");
    expect(refused.status).toBe(3);
    expect(refused.stderr).toContain("is not written");
    expect((await audit(...eu, "--update-baseline")).status).toBe(0);
    expect(readFileSync(baseline, "utf8")).toContain('"file":"eu: Deployment shop/web"');
    const { stdout, status } = await audit(...eu);
    expect(stdout).toBe("No findings in 1 cluster (1 container), 2 suppressed\n");
    expect(status).toBe(0);
  });

  it.each(["--fix", "--diff", "--check"])("changes nothing: %s is refused", async (flag) => {
    const path = await kubeconfigOf({ eu: moving });
    const { stderr, status } = await audit("--kubeconfig", path, flag);
    expect(stderr).toContain(`${flag} is about files, and cannot be used with a cluster`);
    expect(status).toBe(2);
  });
});
