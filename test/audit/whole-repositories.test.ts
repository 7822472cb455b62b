/** Repositories as people have them, written for this test: the audit misses no image in them, and has no false error. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { audit, auditInputs, collectAudit } from "../../src/audit/index.ts";
import { describeWith } from "../describe-with.ts";
import { requiredTool } from "../programs.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "pulley-repository-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function repository(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    const whole = join(root, path);
    mkdirSync(dirname(whole), { recursive: true });
    writeFileSync(whole, text);
  }
}

/** Under the profile `offline` each image without a digest has a finding: those are the images that were seen. */
async function seen(path = ""): Promise<{ images: string[]; errors: string[]; notSeen: string[] }> {
  const environment = { PATH: path };
  const inputs = async () => {
    const all = [];
    const stdin = (async function* () {})();
    for await (const input of auditInputs([root], { environment, stdin })) all.push(input);
    return all;
  };
  const all = await inputs();
  const strict = await collectAudit(audit(all, { now: 0, profile: "offline" }));
  const usual = await collectAudit(audit(all, { now: 0 }));
  const place = (region: { file: string; line: number }) => `${region.file.slice(root.length + 1)}:${region.line}`;
  return {
    images: strict.findings.filter(({ ruleId }) => ruleId === "digest-missing").map(({ region }) => place(region)),
    errors: usual.findings
      .filter(({ severity }) => severity === "error")
      .map(({ region, ruleId }) => `${place(region)} ${ruleId}`),
    notSeen: usual.notSeen.map(({ file }) => file.slice(root.length + 1)),
  };
}

function deployment(name: string, container: string): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      containers:
        - ${container}
`;
}

describe("a monorepo", () => {
  it("has files of every kind that are no manifests, and says nothing of them", async () => {
    repository({
      "tsconfig.json": '{\n  // strict\n  "compilerOptions": { "strict": true, /* all */ },\n}\n',
      "packages/web/tsconfig.build.json": '{ "extends": "../../tsconfig.json", }\n',
      "data/events.json": '{"a":1}\n{"b":2}\n',
      "data/twice.json": '{"a":1,"a":2}\n',
      ".gitlab-ci.yml":
        "image: node:22\nservices:\n  - postgres:17\nbuild:\n  image: {name: kaniko:debug, entrypoint: ['']}\n  script: !reference [.build, script]\n",
      "azure-pipelines.yml":
        "resources:\n  containers:\n    - container: linux\n      image: ubuntu:24.04\njobs:\n  - ${{ if eq(1, 1) }}:\n      - job: a\n",
      "bitbucket-pipelines.yml": "image: node:22\ndefinitions:\n  services:\n    docker:\n      image: docker:dind\n",
      ".drone.yml": "kind: pipeline\ntype: docker\nname: default\nsteps:\n  - name: test\n    image: node\n",
      "cloudbuild.yaml": "steps:\n  - name: gcr.io/cloud-builders/docker\nimages: [gcr.io/acme/web]\n",
      "serverless.yml":
        "service: hello\nprovider:\n  name: aws\nfunctions:\n  hello:\n    handler: handler.hello\n  other:\n    image: 1.dkr.ecr.eu-west-1.amazonaws.com/x:1\n",
      "config/services.yaml": "services:\n  _defaults:\n    autowire: true\n  App\\:\n    resource: '../src/'\n",
      "kind.yaml":
        "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnodes:\n  - role: control-plane\n    image: kindest/node:v1.34.0\n",
      "openapi.yaml":
        "openapi: 3.0.0\ncomponents: {schemas: {Pod: {properties: {containers: {items: {properties: {image: {type: string}}}}}}}}\n",
      "deploy/web.yaml": deployment("web", "{name: web, image: ghcr.io/acme/web:1}"),
    });
    expect(await seen()).toEqual({ images: ["deploy/web.yaml:10"], errors: [], notSeen: [] });
  });

  it("has charts: those that cannot be rendered are named, and libraries have nothing to render", async () => {
    repository({
      "charts/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
      "charts/web/values.yaml": "image: ghcr.io/acme/web:1\n",
      "charts/web/templates/web.yaml": deployment("web", '{name: web, image: "{{ .Values.image }}"}'),
      "charts/common/Chart.yaml": "apiVersion: v2\nname: common\ntype: library\nversion: 1.0.0\n",
      "charts/common/templates/_names.yaml": '{{- define "common.name" -}}\n{{ .Chart.Name }}\n{{- end -}}\n',
    });
    expect(await seen()).toEqual({ images: [], errors: [], notSeen: ["charts/web/Chart.yaml"] });
  });
});

describe("a service mesh", () => {
  it("has gateways whose proxy is put in later", async () => {
    repository({
      "gateway.yaml": deployment("gateway", "{name: istio-proxy, image: auto}"),
      "sidecar.yaml": deployment("web", "{name: web, image: ghcr.io/acme/web:1}"),
    });
    expect(await seen()).toEqual({ images: ["sidecar.yaml:10"], errors: [], notSeen: [] });
  });
});

describe("a collection of Compose files", () => {
  it("has services that extend, include and build others", async () => {
    repository({
      "compose.yaml": `include: [db/compose.yaml]
x-defaults: &defaults
  pull_policy: always
services:
  base:
    image: ghcr.io/acme/base:1
    pull_policy: always
  web:
    extends: base
    image: ghcr.io/acme/web:main
  far:
    extends: {file: common.yaml, service: base}
    image: ghcr.io/acme/far:main
  merged:
    <<: *defaults
    image: ghcr.io/acme/merged:main
  built:
    build: .
    image: ghcr.io/acme/built:main
  alike:
    extends: {service: built}
    image: ghcr.io/acme/alike:main
  heir:
    extends: {service: base}
`,
      "common.yaml": "services:\n  base:\n    image: ghcr.io/acme/base:1\n    pull_policy: always\n",
      "db/compose.yaml": "services:\n  db:\n    image: ghcr.io/acme/db:1\n",
    });
    const images = ["common.yaml:3", "compose.yaml:6", "compose.yaml:10", "compose.yaml:13", "compose.yaml:16"];
    expect(await seen()).toEqual({ images: [...images, "db/compose.yaml:3"], errors: [], notSeen: [] });
    const stdin = (async function* () {})();
    const { findings } = await collectAudit(audit(auditInputs([root], { environment: {}, stdin }), { now: 0 }));
    expect(findings.map(({ ruleId, message }) => [ruleId, message.includes("pull_policy")])).toEqual([
      ["tag-moving", false],
      ["tag-moving", false],
      ["tag-moving", false],
    ]);
  });
});

describe("operators", () => {
  it("have images in fields that may be empty, and containers that are patches", async () => {
    repository({
      "tenant.yaml":
        'apiVersion: minio.min.io/v2\nkind: Tenant\nmetadata: {name: t}\nspec:\n  image: quay.io/minio/minio:1\n  kes:\n    image: ""\n',
      "prometheus.yaml":
        "apiVersion: monitoring.coreos.com/v1\nkind: Prometheus\nmetadata: {name: p}\nspec:\n  version: v3.0.0\n  containers:\n    - name: prometheus\n      image: ''\n    - name: config-reloader\n",
      "cluster.yaml":
        "apiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata: {name: c}\nspec:\n  imageName: ghcr.io/cloudnative-pg/postgresql:18\n  postgresql:\n    extensions:\n      - name: postgis\n        image:\n          reference: ghcr.io/cloudnative-pg/postgis:3\n",
    });
    const images = ["cluster.yaml:5", "cluster.yaml:10", "tenant.yaml:5"];
    expect(await seen()).toEqual({ images, errors: [], notSeen: [] });
  });
});

describeWith(["kustomize"], "overlays, built by kustomize,", () => {
  it("three deep, with components, patches and neighbours, hide no image", async () => {
    repository({
      "base/kustomization.yaml": "resources: [web.yaml, job.yaml]\n",
      "base/web.yaml": deployment("web", "{name: web, image: web}"),
      "base/job.yaml":
        "apiVersion: batch/v1\nkind: Job\nmetadata: {name: job}\nspec:\n  template:\n    spec:\n      restartPolicy: Never\n      containers:\n        - {name: job, image: ghcr.io/acme/job:1}\n",
      "components/trace/kustomization.yaml":
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches:\n  - path: agent.yaml\n",
      "components/trace/agent.yaml": deployment("web", "{name: agent, image: ghcr.io/acme/agent:1}"),
      "staging/kustomization.yaml": "namespace: staging\nresources: [../base]\ncomponents: [../components/trace]\n",
      "production/kustomization.yaml": `namespace: production
resources: [../staging]
images:
  - name: web
    newName: ghcr.io/acme/web
    newTag: "2"
patches:
  - path: policy.yaml
`,
      "production/policy.yaml": deployment("web", "{name: web, imagePullPolicy: Always}"),
      "production/unlisted/old.yaml": deployment("old", "{name: old, image: ghcr.io/acme/old:1}"),
      "other/pod.yaml": deployment("other", "{name: other, image: ghcr.io/acme/other:1}"),
    });
    expect(await seen(dirname(requiredTool("kustomize")))).toEqual({
      images: [
        "base/job.yaml:9",
        "components/trace/agent.yaml:10",
        "other/pod.yaml:10",
        "production/kustomization.yaml:6",
        "production/unlisted/old.yaml:10",
      ],
      errors: [],
      notSeen: [],
    });
  });
});
