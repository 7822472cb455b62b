/** Kustomizations, built by the real kustomize: where their findings are told, and what is counted. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { describeWith } from "../../../../test/describe-with.ts";
import { audit, collectAudit } from "../../audit.ts";
import { auditInputs, type InputOptions } from "../index.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "pulley-audit-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, content: string): void {
  const whole = join(root, path);
  mkdirSync(dirname(whole), { recursive: true });
  writeFileSync(whole, content);
}

function deployment(name: string, ...containers: readonly string[]): string {
  const items = containers.map((fields) => `        - { ${fields} }\n`).join("");
  return `apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name} }
spec:
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec:
      containers:
${items}`;
}

describeWith(["kustomize"], "kustomizations, built by kustomize,", ({ kustomize }) => {
  const environment = { PATH: dirname(kustomize) };

  async function auditOf(folder = ".", options: Partial<InputOptions> = {}) {
    const stdin = (async function* () {})();
    const inputs = auditInputs([join(root, folder)], { environment, stdin, ...options });
    const result = await collectAudit(audit(inputs, { now: 0 }));
    const told = result.findings.map(({ ruleId, region, container, workload }) => [
      ruleId,
      `${region.file.slice(root.length + 1)}:${region.line}`,
      `${workload?.namespace}/${workload?.name}/${container?.name}`,
    ]);
    return { ...result, told };
  }

  it("tell of what files say at its line, once for all overlays, with the fix", async () => {
    write("base/kustomization.yaml", "resources: [web.yaml]\n");
    write("base/web.yaml", deployment("web", "name: web, image: ghcr.io/web:edge"));
    for (const name of ["eu", "us"])
      write(
        `overlays/${name}/kustomization.yaml`,
        `namespace: ${name}\nnamePrefix: ${name}-\nresources: [../../base]\n`,
      );
    const { told, findings, containers, notSeen } = await auditOf();
    expect(told).toEqual([["tag-moving", "base/web.yaml:10", "eu/eu-web/web"]]);
    expect(findings[0]?.fix?.edits).toMatchObject([{ file: join(root, "base/web.yaml") }]);
    expect({ containers, notSeen }).toEqual({ containers: 1, notSeen: [] });
  });

  it("tell of an image where it is set: by images, by a patch, by a line of the kustomization", async () => {
    write("base/kustomization.yaml", "resources: [web.yaml]\n");
    const containers = ["a", "b", "c", "d"].map((name) => `name: ${name}, image: "ghcr.io/${name}:1"`);
    write("base/web.yaml", deployment("web", ...containers));
    write("top/patch.yaml", deployment("web", "name: b, image: ghcr.io/b:beta", "name: c"));
    write(
      "top/kustomization.yaml",
      `resources: [../base]
images:
  - name: ghcr.io/a
    newTag: edge
patches:
  - path: patch.yaml
  - target: { kind: Deployment }
    patch: |-
      - op: replace
        path: /spec/template/spec/containers/3/image
        value: ghcr.io/d:nightly
`,
    );
    const { told, containers: count } = await auditOf();
    expect(told.filter(([rule]) => rule === "tag-moving")).toEqual([
      ["tag-moving", "top/kustomization.yaml:4", "default/web/a"],
      ["tag-moving", "top/kustomization.yaml:11", "default/web/d"],
      ["tag-moving", "top/patch.yaml:10", "default/web/b"],
    ]);
    expect(count).toBe(4);
  });

  it("do not judge what an overlay sets otherwise, three deep, with a component and a patch", async () => {
    write("base/kustomization.yaml", "resources: [web.yaml]\n");
    write("base/web.yaml", deployment("web", "name: web, image: app", "name: side, image: side"));
    write("tracing/kustomization.yaml", "kind: Component\npatches: [{path: agent.yaml}]\n");
    write("tracing/agent.yaml", deployment("web", 'name: agent, image: "ghcr.io/agent:1"'));
    write("middle/kustomization.yaml", "resources: [../base]\ncomponents: [../tracing]\n");
    write(
      "top/kustomization.yaml",
      "resources: [../middle]\nimages: [{name: app, newName: ghcr.io/app, newTag: '1'}, {name: side, newName: ghcr.io/side, digest: 'sha256:" +
        `${"a".repeat(64)}'}]\n`,
    );
    const { told, containers, notSeen } = await auditOf();
    expect({ told, containers, notSeen }).toEqual({ told: [], containers: 3, notSeen: [] });
  });

  it("leave the images of an overlay that cannot be built to it, and build what it builds upon", async () => {
    write("base/kustomization.yaml", "resources: [web.yaml]\nnamespace: shop\n");
    write("base/web.yaml", deployment("web", "name: web, image: app", 'name: side, image: "ghcr.io/side:edge"'));
    write(
      "top/kustomization.yaml",
      "resources: [../base, https://example.com/x]\nimages: [{name: app, newTag: '1'}]\n",
    );
    const { told, notSeen } = await auditOf();
    expect(told).toEqual([
      ["image-placeholder", "base/web.yaml:10", "shop/web/web"],
      ["tag-moving", "base/web.yaml:11", "shop/web/side"],
    ]);
    expect(notSeen).toMatchObject([{ file: join(root, "top/kustomization.yaml") }]);
  });

  it("read a base that is elsewhere, and leave it as it is", async () => {
    write("base/kustomization.yaml", "resources: [web.yaml]\n");
    write("base/web.yaml", deployment("web", 'name: web, image: "ghcr.io/web:edge"'));
    write("top/kustomization.yaml", "resources: [../base]\n");
    const { told, findings } = await auditOf("top");
    expect(told).toEqual([["tag-moving", "base/web.yaml:10", "default/web/web"]]);
    expect(findings[0]?.fix).toBeUndefined();
  });

  it("have conflicts within one of them, and not from one to the next", async () => {
    write("base/kustomization.yaml", "resources: [web.yaml]\n");
    write("base/web.yaml", deployment("web", 'name: web, image: "ghcr.io/web:1"'));
    const always = (kind: string) =>
      `resources: [../base]\npatches:\n  - target: {kind: Deployment, name: web}\n    patch: |-\n      - {op: add, path: /spec/template/spec/containers/0/imagePullPolicy, value: ${kind}}\n`;
    write("eu/kustomization.yaml", always("Always"));
    write("us/kustomization.yaml", always("IfNotPresent"));
    expect((await auditOf()).told).toEqual([]);
    write("eu/job.yaml", deployment("job", 'name: job, image: "ghcr.io/web:1"'));
    write("eu/kustomization.yaml", always("Always").replace("../base", "../base, job.yaml"));
    expect((await auditOf()).told).toMatchObject([["pull-policy-conflict", "eu/job.yaml:10", "default/job/job"]]);
  });

  it("know the Secrets that they make", async () => {
    write(
      "kustomization.yaml",
      "namespace: shop\nresources: [pod.yaml]\nsecretGenerator:\n  - {name: login, type: kubernetes.io/dockerconfigjson, literals: ['.dockerconfigjson={}']}\n",
    );
    const pod = (secret: string) =>
      `apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  imagePullSecrets: [{name: ${secret}}]\n  containers: [{name: a, image: "ghcr.io/a:1"}]\n`;
    write("pod.yaml", pod("login"));
    expect((await auditOf()).told).toEqual([]);
    write("pod.yaml", pod("logout"));
    expect((await auditOf()).told).toMatchObject([["pull-secret-missing", "pod.yaml:5", "shop/a/undefined"]]);
  });
});
