import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readImageName } from "../image/index.ts";
import { readManifests } from "./documents.ts";
import { imageRequests } from "./requests.ts";
import type { ImageRequest } from "./types.ts";

function requestsOf(text: string, file = "x.yaml"): ImageRequest[] {
  const { documents, problems } = readManifests(text, file);
  expect(problems).toEqual([]);
  return documents.flatMap((document) => imageRequests(document));
}

/** Kind, name and image of each request. */
function brief(text: string): string[] {
  return requestsOf(text).map(({ container, image }) => `${container.kind} ${container.name} ${image.given}`);
}

/** What stands in the text where a request says that its image is written. */
function atPlace(text: string, { source }: ImageRequest): string {
  const line = text.replace(/^\ufeff/, "").split("\n")[(source?.line ?? 0) - 1] ?? "";
  return line.slice((source?.column ?? 0) - 1);
}

const object = (apiVersion: string, kind: string, rest: object) =>
  JSON.stringify({ apiVersion, kind, metadata: { name: "web" }, ...rest });
const spec = { containers: [{ name: "app", image: "nginx" }] };
const template = { template: { spec } };

describe("the kinds of Kubernetes", () => {
  it.each<[string, string, object]>([
    ["v1", "Pod", { spec }],
    ["v1", "PodTemplate", template],
    ["v1", "ReplicationController", { spec: template }],
    ["apps/v1", "ReplicaSet", { spec: template }],
    ["apps/v1", "Deployment", { spec: template }],
    ["extensions/v1beta1", "Deployment", { spec: template }],
    ["apps/v1", "StatefulSet", { spec: template }],
    ["apps/v1", "DaemonSet", { spec: template }],
    ["batch/v1", "Job", { spec: template }],
    ["batch/v1", "CronJob", { spec: { jobTemplate: { spec: template } } }],
  ])("%s %s", (apiVersion, kind, rest) => {
    expect(brief(object(apiVersion, kind, rest))).toEqual(["container app nginx"]);
  });

  it("every place that asks for an image", () => {
    const pod = {
      containers: [{ name: "app", image: "app:1" }],
      initContainers: [
        { name: "init", image: "init:1" },
        { name: "sidecar", image: "sidecar:1", restartPolicy: "Always" },
      ],
      ephemeralContainers: [{ name: "debug", image: "busybox" }],
      volumes: [
        { name: "scratch", emptyDir: {} },
        { name: "model", image: { reference: "models/llm:2", pullPolicy: "Never" } },
      ],
    };
    expect(brief(object("v1", "Pod", { spec: pod }))).toEqual([
      "initContainer init init:1",
      "initContainer sidecar sidecar:1",
      "container app app:1",
      "ephemeralContainer debug busybox",
      "imageVolume model models/llm:2",
    ]);
    const policies = requestsOf(object("v1", "Pod", { spec: pod })).map(({ pullPolicy }) => pullPolicy);
    expect(policies).toEqual([undefined, undefined, undefined, undefined, "Never"]);
  });

  it("the workload is the object, with the labels and annotations of its pods", () => {
    const text = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: prod, labels: {of: deployment}}
spec:
  template:
    metadata: {labels: {of: pod}, annotations: {note: x}}
    spec: {containers: [{name: app, image: nginx, imagePullPolicy: Always}]}
`;
    expect(requestsOf(text)).toEqual([
      {
        source: { file: "x.yaml", line: 8, column: 44 },
        workload: {
          apiVersion: "apps/v1",
          kind: "Deployment",
          namespace: "prod",
          name: "web",
          labels: { of: "pod" },
          annotations: { note: "x" },
        },
        container: { name: "app", kind: "container" },
        image: readImageName("nginx"),
        pullPolicy: "Always",
      },
    ]);
  });

  it("the namespace is default where there is none, and a generated name is told by its base", () => {
    const [request] = requestsOf(
      "{apiVersion: v1, kind: Pod, metadata: {generateName: job-}, spec: {containers: [{image: a}]}}",
    );
    expect(request?.workload).toMatchObject({ namespace: "default", name: "job-" });
    expect(request?.container.name).toBe("");
  });

  it.each([
    ["apps/v1", "Scale", { spec: { replicas: 3 } }],
    ["v1", "ConfigMap", { data: { containers: "- image: nginx" } }],
    ["v1", "Node", { status: { images: [{ names: ["nginx"] }] } }],
    ["metrics.k8s.io/v1beta1", "PodMetrics", { containers: [{ name: "a", usage: {} }] }],
    [
      "kyverno.io/v1",
      "ClusterPolicy",
      { spec: { rules: [{ validate: { pattern: { spec: { containers: [{ image: "!*:latest" }] } } } }] } },
    ],
    [
      "apiextensions.k8s.io/v1",
      "CustomResourceDefinition",
      { spec: { versions: [{ schema: { containers: [{ image: "x" }] } }] } },
    ],
  ])("%s %s asks for none", (apiVersion, kind, rest) => expect(brief(object(apiVersion, kind, rest))).toEqual([]));
});

describe("other kinds, by their shape", () => {
  const full = {
    initContainers: [{ name: "init", image: "init:1" }],
    containers: [{ name: "app", image: "nginx" }],
    volumes: [{ name: "data", image: { reference: "data:1" } }],
  };
  const found = ["initContainer init init:1", "container app nginx", "imageVolume data data:1"];

  it.each<[string, string, object]>([
    ["argoproj.io/v1alpha1", "Rollout", { spec: { replicas: 2, template: { spec: full } } }],
    ["serving.knative.dev/v1", "Service", { spec: { template: { metadata: {}, spec: full } } }],
    ["serving.knative.dev/v1", "Configuration", { spec: { template: { spec: full } } }],
    ["serving.knative.dev/v1", "Revision", { spec: full }],
    ["apps.kruise.io/v1alpha1", "CloneSet", { spec: { template: { spec: full } } }],
    ["apps.kruise.io/v1beta1", "StatefulSet", { spec: { template: { spec: full } } }],
    [
      "apps.kruise.io/v1alpha1",
      "AdvancedCronJob",
      { spec: { template: { jobTemplate: { spec: { template: { spec: full } } } } } },
    ],
    [
      "jobset.x-k8s.io/v1alpha2",
      "JobSet",
      { spec: { replicatedJobs: [{ template: { spec: { template: { spec: full } } } }] } },
    ],
    ["acme.example/v1", "Deployment", { spec: { template: { spec: full } } }],
    ["acme.example/v1", "Anything", { a: [{ b: { c: [[full]] } }] }],
  ])("%s %s", (apiVersion, kind, rest) => expect(brief(object(apiVersion, kind, rest))).toEqual(found));

  it.each<[string, string, object, string[]]>([
    [
      "tekton.dev/v1",
      "Task",
      { spec: { steps: [{ name: "build", image: "golang" }], sidecars: [{ name: "db", image: "postgres" }] } },
      ["container build golang", "container db postgres"],
    ],
    [
      "tekton.dev/v1",
      "Pipeline",
      {
        spec: {
          tasks: [
            { taskSpec: { steps: [{ name: "a", image: "x" }] } },
            { taskSpec: { steps: [{ name: "b", image: "y" }] } },
          ],
        },
      },
      ["container a x", "container b y"],
    ],
    [
      "argoproj.io/v1alpha1",
      "Workflow",
      {
        spec: {
          templates: [
            { name: "one", container: { image: "alpine" } },
            { name: "two", script: { image: "python:3" }, sidecars: [{ name: "s", image: "nginx" }] },
            { name: "set", containerSet: { containers: [{ name: "c", image: "busybox" }] } },
          ],
        },
      },
      ["container main alpine", "container s nginx", "container main python:3", "container c busybox"],
    ],
    [
      "kubevirt.io/v1",
      "VirtualMachine",
      {
        spec: {
          template: { spec: { domain: {}, volumes: [{ name: "root", containerDisk: { image: "disks/fedora:40" } }] } },
        },
      },
      ["imageVolume root disks/fedora:40"],
    ],
    [
      "monitoring.coreos.com/v1",
      "Prometheus",
      {
        spec: {
          image: "prom",
          containers: [
            { name: "prometheus", args: [] },
            { name: "proxy", image: "proxy:1" },
          ],
        },
      },
      ["container prometheus prom", "container proxy proxy:1"],
    ],
    [
      "keda.sh/v1alpha1",
      "ScaledJob",
      { spec: { jobTargetRef: { template: { spec: { containers: [{ name: "worker", image: "worker:1" }] } } } } },
      ["container worker worker:1"],
    ],
    [
      "argoproj.io/v1alpha1",
      "CronWorkflow",
      {
        spec: {
          workflowSpec: {
            templates: [
              { name: "a", container: { image: "a" }, initContainers: [{ name: "i", image: "i" }] },
              { name: "b", containerSet: { containers: [{ name: "b", image: "b" }] } },
            ],
          },
        },
      },
      ["initContainer i i", "container main a", "container b b"],
    ],
    [
      "argoproj.io/v1alpha1",
      "AnalysisTemplate",
      {
        spec: {
          metrics: [
            { provider: { job: { spec: { template: { spec: { containers: [{ name: "m", image: "m:1" }] } } } } } },
          ],
        },
      },
      ["container m m:1"],
    ],
    [
      "tekton.dev/v1",
      "Task",
      { spec: { stepTemplate: { image: "golang:1" }, steps: [{ name: "build" }] } },
      ["container main golang:1"],
    ],
    [
      "tekton.dev/v1",
      "PipelineRun",
      { spec: { pipelineSpec: { tasks: [{ taskSpec: { steps: [{ name: "a", image: "x" }] } }] } } },
      ["container a x"],
    ],
    [
      "flagger.app/v1beta1",
      "Canary",
      { spec: { targetRef: { kind: "Deployment", name: "web" }, analysis: { interval: "1m" } } },
      [],
    ],
  ])("%s %s", (apiVersion, kind, rest, expected) => expect(brief(object(apiVersion, kind, rest))).toEqual(expected));

  it.each<[string, string, object, string[]]>([
    ["openfaas.com/v1", "Function", { name: "fn", image: "fn:1" }, ["fn fn:1"]],
    ["monitoring.coreos.com/v1", "Prometheus", { image: "p", thanos: { image: "t" } }, ["prometheus p", "thanos t"]],
    ["monitoring.coreos.com/v1", "Alertmanager", { image: "a" }, ["alertmanager a"]],
    ["monitoring.coreos.com/v1", "ThanosRuler", { image: "t" }, ["thanosruler t"]],
    ["elasticsearch.k8s.elastic.co/v1", "Elasticsearch", { version: "8.1.0" }, []],
    ["elasticsearch.k8s.elastic.co/v1", "Elasticsearch", { version: "8.1.0", image: "e:8" }, ["elasticsearch e:8"]],
    ["kibana.k8s.elastic.co/v1", "Kibana", { image: "k:8" }, ["kibana k:8"]],
    ["postgresql.cnpg.io/v1", "Cluster", { imageName: "pg:17" }, ["cluster pg:17"]],
    ["postgresql.cnpg.io/v1", "ImageCatalog", { images: [{ major: 16, image: "pg:16" }] }, ["images pg:16"]],
    [
      "kafka.strimzi.io/v1beta2",
      "Kafka",
      { kafka: { image: "k" }, entityOperator: { topicOperator: { image: "t" } }, kafkaExporter: {} },
      ["kafka k", "topicOperator t"],
    ],
    ["kafka.strimzi.io/v1beta2", "KafkaConnect", { image: "c" }, ["kafkaconnect c"]],
    ["minio.min.io/v2", "Tenant", { image: "m", kes: { image: "s" } }, ["tenant m", "kes s"]],
    ["caching.internal.knative.dev/v1alpha1", "Image", { image: "i" }, ["image i"]],
    ["tekton.dev/v1beta1", "StepAction", { image: "s" }, ["stepaction s"]],
    ["acme.example/v1", "Function", { image: "not:known" }, []],
    ["elastic.co/v1", "Elasticsearch", { image: "not:known" }, []],
  ])("%s %s has images in fields of its own", (apiVersion, kind, spec, expected) =>
    expect(brief(object(apiVersion, kind, { spec }))).toEqual(expected.map((each) => `container ${each}`)),
  );

  it("fields beside those that are known are given", () => {
    const [document] = readManifests(
      object("acme.example/v1", "Shop", { spec: { engines: [{ image: "a" }, { image: "b" }, {}] } }),
      "-",
    ).documents;
    const more = [{ apiGroup: "acme.example", kinds: ["Shop"], images: ["spec.engines[*].image"] }];
    expect(document && imageRequests(document, more).map(({ image }) => image.given)).toEqual(["a", "b"]);
  });

  it("an annotation that holds an object's last state is no template", () => {
    const last = JSON.stringify({ spec: { template: { spec: full } } });
    const metadata = { annotations: { "kubectl.kubernetes.io/last-applied-configuration": last }, spec: full };
    expect(brief(object("acme.example/v1", "Thing", { metadata, status: { spec: full } }))).toEqual([]);
  });

  it("two templates that share their containers by an alias are two", () => {
    const text = `
apiVersion: acme.example/v1
kind: Pair
blue: {spec: &spec {containers: [{name: app, image: nginx}]}}
green: {spec: *spec}
`;
    expect(brief(text)).toEqual(["container app nginx", "container app nginx"]);
  });
});

describe("where the image is written", () => {
  it.each<[string, string, string, string]>([
    ["block style", "- name: app\n      image: nginx:1.27", "nginx:1.27", "nginx:1.27"],
    ["behind blanks", "- image:     nginx:1.27   # comment", "nginx:1.27", "nginx:1.27"],
    ["flow style", "- {name: app, image: nginx:1.27, args: []}", "nginx:1.27", "nginx:1.27, args"],
    ["double quotes", '- image: "nginx:1.27"', "nginx:1.27", '"nginx:1.27"'],
    ["single quotes", "- image: 'nginx:1.27'", "nginx:1.27", "'nginx:1.27'"],
    ["on the next line", "- image:\n          nginx:1.27", "nginx:1.27", "nginx:1.27"],
    ["a block scalar", "- image: |-\n        nginx:1.27\n", "nginx:1.27", "|-"],
    ["a folded scalar", "- image: >-\n        nginx:1.27\n", "nginx:1.27", ">-"],
    ["with an anchor", "- image: &image nginx:1.27", "nginx:1.27", "nginx:1.27"],
    ["with a tag", "- image: !!str 5", "5", "5"],
    ["missing", "- name: app\n      args: []", "", "name: app"],
    ["null", "- {name: app, image: }", "", "{name: app"],
    ["empty", '- {name: app, image: ""}', "", '""'],
    ["surrounded by blanks", '- image: " nginx "', " nginx ", '" nginx "'],
  ])("%s", (_, container, image, expected) => {
    for (const mark of ["", "\ufeff"]) {
      for (const end of ["\n", "\r\n"]) {
        const text = `${mark}apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    ${container}\n`.replaceAll("\n", end);
        const requests = requestsOf(text);
        expect(requests.map((request) => request.image.given)).toEqual([image]);
        expect(requests.map((request) => atPlace(text, request).startsWith(expected))).toEqual([true]);
      }
    }
  });

  it("through aliases and merges, where the value itself is written", () => {
    const text = `
apiVersion: v1
kind: Pod
spec:
  initContainers:
    - &base {name: init, image: &image "nginx:1.27"}
  containers:
    - {name: app, image: *image}
    - <<: *base
      name: merged
    - <<: [*base, {image: other}]
      name: own
      image: own:1
`;
    const requests = requestsOf(text);
    expect(requests.map(({ container, image }) => [container.name, image.given])).toEqual([
      ["init", "nginx:1.27"],
      ["app", "nginx:1.27"],
      ["merged", "nginx:1.27"],
      ["own", "own:1"],
    ]);
    expect(requests.map(({ source }) => source?.line)).toEqual([6, 6, 6, 13]);
    expect(atPlace(text, requests[1] as ImageRequest)).toBe('"nginx:1.27"}');
  });

  it("in JSON", () => {
    const text = JSON.stringify({ apiVersion: "v1", kind: "Pod", spec }, null, 2);
    const [request] = requestsOf(text);
    expect(request?.source).toEqual({ file: "x.yaml", line: 8, column: 18 });
  });

  it("an image of another type is no request; a pull policy that does not exist is none", () => {
    expect(
      brief("{apiVersion: v1, kind: Pod, spec: {containers: [{name: a, image: 5}, {name: b, image: [x]}]}}"),
    ).toEqual([]);
    expect(brief("{apiVersion: v1, kind: Pod, spec: {containers: {}}}")).toEqual([]);
    expect(brief("{apiVersion: v1, kind: Pod, spec: 5}")).toEqual([]);
    const [request] = requestsOf(
      "{apiVersion: v1, kind: Pod, spec: {containers: [{image: a, imagePullPolicy: always}]}}",
    );
    expect(request?.pullPolicy).toBeUndefined();
  });

  it("in any YAML", () => {
    const image = fc.stringMatching(/^[a-z]{1,8}(\/[a-z]{1,8})?:[a-z0-9.]{1,8}$/);
    const style = fc.constantFrom<(text: string) => string>(
      (text) => text,
      (text) => `'${text}'`,
      (text) => `"${text}"`,
      (text) => `&a${text.length} ${text}`,
      (text) => `   ${text}   # ${text}`,
      (text) => `!!str ${text}`,
    );
    const container = fc.record({
      image,
      style,
      flow: fc.boolean(),
      before: fc.constantFrom("", "# note: image: x\n", "\n"),
    });
    const textOf = (
      containers: readonly { image: string; style: (text: string) => string; flow: boolean; before: string }[],
    ) =>
      containers.map((one, index) =>
        one.flow
          ? `${one.before}  - {"name": c${index}, image: ${one.style(one.image).replace(/ *#.*$/, "")} }\n`
          : `${one.before}  - name: c${index}\n    env: [{name: a, value: "${one.image}"}]\n    image: ${one.style(one.image)}\n`,
      );
    fc.assert(
      fc.property(
        fc.array(fc.array(container, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 4 }),
        fc.boolean(),
        (pods, windows) => {
          const written = pods
            .map((containers) => `apiVersion: v1\nkind: Pod\nspec:\n  containers:\n${textOf(containers).join("")}`)
            .join("--- # next\n");
          const text = windows ? written.replaceAll("\n", "\r\n") : written;
          const requests = requestsOf(text);
          expect(requests.map((request) => request.image.given)).toEqual(pods.flat().map((one) => one.image));
          for (const request of requests) {
            const rest = atPlace(text, request);
            expect(rest.startsWith(request.image.given) || rest.slice(1).startsWith(request.image.given)).toBe(true);
            expect(rest).not.toMatch(/^[ &!]/);
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});
