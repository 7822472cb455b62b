import { describe, expect, it } from "vitest";
import { readManifests } from "./documents.ts";
import { limits } from "./limits.ts";
import { type ExpandedPods, podsOf } from "./pods.ts";

function expand(text: string): ExpandedPods {
  const { documents, problems } = readManifests(text, "x.yaml");
  expect(problems).toEqual([]);
  let count = 0;
  return podsOf(documents, { newUid: () => `uid-${++count}` });
}

function namesOf(text: string): string[] {
  const { pods, problems } = expand(text);
  expect(problems).toEqual([]);
  return pods.map(({ name }) => name);
}

const messages = (problems: ExpandedPods["problems"]) =>
  problems.map(({ source, message }) => `${source.line}: ${message}`);

const spec = "spec: {containers: [{name: app, image: nginx}]}";
const workload = (kind: string, more = "", apiVersion = "apps/v1") =>
  `{apiVersion: ${apiVersion}, kind: ${kind}, metadata: {name: web}, spec: {${more} template: {${spec}}}}`;

describe("how many pods, and what they are called", () => {
  const suffix = "[bcdfghjklmnpqrstvwxz2456789]{5}";
  it.each<[string, string, number, RegExp]>([
    ["a Pod", `{apiVersion: v1, kind: Pod, metadata: {name: web}, ${spec}}`, 1, /^web$/],
    [
      "a Pod with a generated name",
      `{apiVersion: v1, kind: Pod, metadata: {generateName: web-}, ${spec}}`,
      1,
      new RegExp(`^web-${suffix}$`),
    ],
    ["a Deployment", workload("Deployment"), 1, new RegExp(`^web-[b-z2-9]{1,10}-${suffix}$`)],
    ["a Deployment of three", workload("Deployment", "replicas: 3,"), 3, new RegExp(`^web-[b-z2-9]{1,10}-${suffix}$`)],
    ["a Deployment of none", workload("Deployment", "replicas: 0,"), 0, /x/],
    ["a ReplicaSet", workload("ReplicaSet", "replicas: 2,"), 2, new RegExp(`^web-${suffix}$`)],
    [
      "a ReplicationController",
      workload("ReplicationController", "replicas: 2,", "v1"),
      2,
      new RegExp(`^web-${suffix}$`),
    ],
    ["a DaemonSet", workload("DaemonSet"), 1, new RegExp(`^web-${suffix}$`)],
    ["a Job", workload("Job", "", "batch/v1"), 1, new RegExp(`^web-${suffix}$`)],
    ["a Job in parallel", workload("Job", "parallelism: 3,", "batch/v1"), 3, new RegExp(`^web-${suffix}$`)],
    [
      "a Job with less to do than it might",
      workload("Job", "parallelism: 5, completions: 2,", "batch/v1"),
      2,
      new RegExp(`^web-${suffix}$`),
    ],
    [
      "an indexed Job",
      workload("Job", "completionMode: Indexed, completions: 1,", "batch/v1"),
      1,
      new RegExp(`^web-0-${suffix}$`),
    ],
    [
      "a CronJob",
      `{apiVersion: batch/v1, kind: CronJob, metadata: {name: web}, spec: {jobTemplate: {spec: {template: {${spec}}}}}}`,
      1,
      /^web-/,
    ],
    [
      "a PodTemplate",
      `{apiVersion: v1, kind: PodTemplate, metadata: {name: web}, template: {${spec}}}`,
      1,
      new RegExp(`^web-${suffix}$`),
    ],
    ["a Rollout", workload("Rollout", "replicas: 4,", "argoproj.io/v1alpha1"), 1, /^web-/],
    ["a ConfigMap", "{apiVersion: v1, kind: ConfigMap, metadata: {name: web}}", 0, /x/],
  ])("%s", (_, text, count, pattern) => {
    const names = namesOf(text);
    expect(names).toHaveLength(count);
    expect(new Set(names).size).toBe(count);
    for (const name of names) expect(name).toMatch(pattern);
  });

  it("a StatefulSet counts", () => {
    expect(namesOf(workload("StatefulSet", "replicas: 3,"))).toEqual(["web-0", "web-1", "web-2"]);
    expect(namesOf(workload("StatefulSet", "replicas: 2, ordinals: {start: 5},"))).toEqual(["web-5", "web-6"]);
  });

  it("the same template has the same hash, and another image another one", () => {
    const [first, second] = [namesOf(workload("Deployment")), namesOf(workload("Deployment", "replicas: 1,"))];
    expect(first).toEqual(second);
    const other = namesOf(workload("Deployment").replace("nginx", "httpd"));
    expect(other[0]?.split("-")[1]).not.toBe(first[0]?.split("-")[1]);
  });

  it("a long name is cut, so that the suffix has room", () => {
    const [name] = namesOf(workload("ReplicaSet").replace("web", "w".repeat(80)));
    expect(name).toHaveLength(63);
  });

  it("a name that is taken is made up again, and one that was given is refused", () => {
    const documents = readManifests(workload("ReplicaSet", "replicas: 2,"), "x").documents;
    const { pods } = podsOf(documents, { newUid: () => "always-the-same" });
    expect(new Set(pods.map(({ name }) => name)).size).toBe(2);
    const pod = `{apiVersion: v1, kind: Pod, metadata: {name: web}, ${spec}}`;
    const twice = expand(`${pod}\n---\n${pod}\n---\n${pod.replace("name: web", "name: web, namespace: other")}`);
    expect(messages(twice.problems)).toEqual(['3: pods "web" already exists']);
    expect(twice.pods.map(({ namespace, name }) => `${namespace}/${name}`)).toEqual(["default/web", "other/web"]);
  });

  it("what is suspended makes none, with a warning", () => {
    const { pods, warnings } = expand(workload("Job", "suspend: true,", "batch/v1"));
    expect(pods).toEqual([]);
    expect(messages(warnings)).toEqual(["1: the Job is suspended: no pods of it"]);
  });

  it("there is an end to it", () => {
    const { pods, problems } = expand(
      `${workload("Deployment", "replicas: 1000000000,")}\n---\n${workload("DaemonSet")}`,
    );
    expect(pods).toHaveLength(limits.pods);
    expect(messages(problems)).toEqual([`1: more than ${limits.pods} pods: no more are made`]);
  });
});

describe("a pod", () => {
  it("is defaulted, and knows its requests", () => {
    const text = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: prod, labels: {of: deployment}}
spec:
  template:
    metadata: {labels: {of: pod}}
    spec:
      serviceAccountName: robot
      containers:
        - {name: app, image: nginx, volumeMounts: [{name: model, mountPath: /m}, {name: tmp, mountPath: /tmp}]}
        - {name: pinned, image: "redis:7", imagePullPolicy: Never}
      initContainers:
        - {name: init, image: "init:latest"}
        - {name: sidecar, image: "sidecar:1", restartPolicy: Always}
      volumes:
        - {name: model, image: {reference: models/llm}}
`;
    const [pod] = expand(text).pods;
    expect(pod).toMatchObject({
      uid: "uid-1",
      namespace: "prod",
      labels: { of: "pod" },
      annotations: {},
      serviceAccountName: "robot",
      imagePullSecrets: [],
      source: { file: "x.yaml", line: 2, column: 1 },
    });
    expect(
      pod?.containers.map(({ kind, name, image, pullPolicy, restartPolicy }) => [
        kind,
        name,
        image,
        pullPolicy,
        restartPolicy,
      ]),
    ).toEqual([
      ["initContainer", "init", "init:latest", "Always", undefined],
      ["initContainer", "sidecar", "sidecar:1", "IfNotPresent", "Always"],
      ["container", "app", "nginx", "Always", undefined],
      ["container", "pinned", "redis:7", "Never", undefined],
    ]);
    expect(pod?.containers.map(({ mountedVolumes }) => mountedVolumes)).toEqual([[], [], ["model", "tmp"], []]);
    expect(pod?.containers[2]?.request).toMatchObject({
      image: { given: "nginx" },
      pullPolicy: undefined,
      workload: { kind: "Deployment", name: "web" },
    });
    expect(pod?.imageVolumes.map(({ name, image, pullPolicy }) => [name, image, pullPolicy])).toEqual([
      ["model", "models/llm", "Always"],
    ]);
  });

  it("that was in a cluster keeps its uid", () => {
    const [pod] = expand(`{apiVersion: v1, kind: Pod, metadata: {name: web, uid: abc}, ${spec}}`).pods;
    expect(pod?.uid).toBe("abc");
  });

  it("that is wrong in very many ways is refused in as many words", () => {
    const containers = Array.from({ length: 150_000 }, () => "{}").join();
    expect(
      expand(`{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [${containers}]}}`)
        .problems,
    ).toHaveLength(300_000);
  });

  it("of an object that is refused is not made; the others are", () => {
    const { pods, problems } = expand(
      `${workload("Deployment").replace("image: nginx", "")}\n---\n${workload("StatefulSet")}`,
    );
    expect(messages(problems)).toEqual(["1: spec.template.spec.containers[0].image: Required value"]);
    expect(pods.map(({ name }) => name)).toEqual(["web-0"]);
  });
});

describe("pull secrets", () => {
  const pod = (more: string, metadata = "") =>
    `{apiVersion: v1, kind: Pod, metadata: {name: web, ${metadata}}, spec: {${more} containers: [{name: app, image: nginx}]}}`;
  const account = (name: string, secrets: string, annotation = "") =>
    `{apiVersion: v1, kind: ServiceAccount, metadata: {name: ${name}, annotations: {${annotation}}}, imagePullSecrets: [${secrets}]}`;
  const limited = 'kubernetes.io/enforce-mountable-secrets: "true"';

  it.each<[string, string, string[]]>([
    ["its own", pod("imagePullSecrets: [{name: a}, {name: b}],"), ["a", "b"]],
    ["its own, without empty names", pod('imagePullSecrets: [{name: ""}, {name: b}],'), ["b"]],
    [
      "those of the default service account",
      `${pod("")}\n---\n${account("default", "{name: s}, {name: t}")}`,
      ["s", "t"],
    ],
    [
      "those of the service account that it names",
      `${account("default", "{name: s}")}\n---\n${account("robot", "{name: r}")}\n---\n${pod("serviceAccountName: robot,")}`,
      ["r"],
    ],
    [
      "those of the service account under its old key",
      `${account("robot", "{name: r}")}\n---\n${pod("serviceAccount: robot,")}`,
      ["r"],
    ],
    ["never both together", `${account("default", "{name: s}")}\n---\n${pod("imagePullSecrets: [{name: a}],")}`, ["a"]],
    ["not those of another namespace", `${account("default", "{name: s}")}\n---\n${pod("", "namespace: other")}`, []],
    [
      "none for a mirror of a static pod",
      `${account("default", "{name: s}")}\n---\n${pod("", 'annotations: {kubernetes.io/config.mirror: "x"}')}`,
      [],
    ],
    [
      "its own, where the service account lists them",
      `${account("default", "{name: a}", limited)}\n---\n${pod("imagePullSecrets: [{name: a}],")}`,
      ["a"],
    ],
  ])("%s", (_, text, expected) => {
    const { pods, problems } = expand(text);
    expect(problems).toEqual([]);
    expect(pods.map(({ imagePullSecrets }) => imagePullSecrets)).toEqual([expected]);
  });

  it("that the service account does not list are refused where it limits them", () => {
    const { pods, problems } = expand(
      `${account("default", "{name: a}", limited)}\n---\n${pod("imagePullSecrets: [{name: a}, {name: b}],")}`,
    );
    expect(pods).toEqual([]);
    expect(messages(problems)).toEqual([
      '3: pods "web" is forbidden: imagePullSecrets[1].name="b" is not allowed because service account default does not reference that imagePullSecret',
    ]);
  });

  it("are read from Secrets of both types", () => {
    const auths = '{"auths": {}}';
    const secret = (name: string, type: string, data: string) =>
      `{apiVersion: v1, kind: Secret, metadata: {name: ${name}, namespace: prod}, type: kubernetes.io/${type}, ${data}}`;
    const text = [
      secret("a", "dockerconfigjson", `data: {.dockerconfigjson: ${btoa(auths)}}`),
      secret("b", "dockercfg", `stringData: {.dockercfg: '${auths}'}`),
      secret(
        "c",
        "dockerconfigjson",
        `data: {.dockerconfigjson: ${btoa("{}")}}, stringData: {.dockerconfigjson: '${auths}'}`,
      ),
      secret("d", "tls", "data: {}"),
      secret("a", "dockercfg", "stringData: {.dockercfg: '{}'}"),
    ].join("\n---\n");
    const { secrets, problems } = expand(text);
    expect(secrets).toEqual([
      { uid: "uid-1", namespace: "prod", name: "a", type: "kubernetes.io/dockerconfigjson", content: auths },
      { uid: "uid-2", namespace: "prod", name: "b", type: "kubernetes.io/dockercfg", content: auths },
      { uid: "uid-3", namespace: "prod", name: "c", type: "kubernetes.io/dockerconfigjson", content: auths },
    ]);
    expect(messages(problems)).toEqual(['9: secrets "a" already exists']);
  });
});
