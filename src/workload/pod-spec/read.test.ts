import { describe, expect, it } from "vitest";
import { podsOf, readManifests } from "../index.ts";
import type { ContainerSpec, PodSpec } from "./types.ts";

function read(spec: object, ...objects: readonly object[]) {
  const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "web" }, spec };
  const { documents } = readManifests(
    JSON.stringify({ apiVersion: "v1", kind: "List", items: [...objects, pod] }),
    "p.json",
  );
  const { pods, objects: data, problems, warnings } = podsOf(documents, { newUid: () => "uid", starting: true });
  const texts = (all: readonly { readonly message: string }[]) => all.map(({ message }) => message);
  return { spec: pods[0]?.spec, data, problems: texts(problems), warnings: texts(warnings) };
}

const main = { name: "main", image: "app:1" };
const withMain = (more: object) => ({ containers: [{ ...main, ...more }] });

function container(more: object): ContainerSpec | undefined {
  return read(withMain(more)).spec?.containers[0];
}

describe("what a pod does not say", () => {
  it("is as the API server would have it", () => {
    const { spec, problems, warnings } = read({ containers: [main] });
    expect([problems, warnings]).toEqual([[], []]);
    expect(spec).toEqual({
      restartPolicy: "Always",
      terminationGracePeriodSeconds: 30,
      activeDeadlineSeconds: undefined,
      hostNetwork: false,
      hostPID: false,
      hostIPC: false,
      shareProcessNamespace: false,
      hostname: undefined,
      dnsPolicy: "ClusterFirst",
      dnsConfig: { nameservers: [], searches: [], options: [] },
      security: {
        runAsUser: undefined,
        runAsGroup: undefined,
        runAsNonRoot: false,
        supplementalGroups: [],
        fsGroup: undefined,
        seccomp: undefined,
        sysctls: {},
      },
      volumes: [],
      containers: [
        expect.objectContaining({ name: "main", kind: "container", isSidecar: false, command: [], args: [] }),
      ],
    } satisfies PodSpec);
  });

  it("is not read where nothing is to be started", () => {
    const { documents } = readManifests(
      '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[{"name":"m","image":"a","livenessProbe":{}}]}}',
      "p.json",
    );
    const { pods, warnings } = podsOf(documents, { newUid: () => "uid" });
    expect(pods[0]?.spec).toBeUndefined();
    expect(warnings).toEqual([]);
  });
});

describe("what the API server would refuse", () => {
  const volume = (source: object) => ({ containers: [main], volumes: [{ name: "v", ...source }] });
  it.each([
    [
      { containers: [main], restartPolicy: "Sometimes" },
      'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "Never", "OnFailure"',
    ],
    [
      { containers: [main], terminationGracePeriodSeconds: -1 },
      "spec.terminationGracePeriodSeconds: Invalid value: -1: must be between 0 and 2147483647, inclusive",
    ],
    [
      { containers: [main], hostNetwork: "yes" },
      'spec.hostNetwork: Invalid value: "yes": must be a boolean, not a string',
    ],
    [
      { containers: [main], runtimeClassName: "gvisor" },
      'spec.runtimeClassName: Invalid value: "gvisor": there are no RuntimeClasses here',
    ],
    [withMain({ command: "sh" }), 'spec.containers[0].command: Invalid value: "sh": must be a list, not a string'],
    [
      withMain({ args: ["a", 1] }),
      "spec.containers[0].args[1]: Invalid value: 1: must be a string, not a number: put it in quotes",
    ],
    [
      withMain({ env: [{ name: "A", value: 1 }] }),
      "spec.containers[0].env[0].value: Invalid value: 1: must be a string, not a number: put it in quotes",
    ],
    [
      withMain({ env: [{ name: "A=B" }] }),
      'spec.containers[0].env[0].name: Invalid value: "A=B": is no name of an environment variable',
    ],
    [
      withMain({ env: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "spec.image" } } }] }),
      /fieldPath: Unsupported value: "spec.image": supported values: /,
    ],
    [
      withMain({ env: [{ name: "A", valueFrom: { fileKeyRef: {} } }] }),
      /valueFrom: Invalid value: \{\}: must have one of /,
    ],
    [
      withMain({ volumeMounts: [{ name: "v", mountPath: "/v" }] }),
      'spec.containers[0].volumeMounts[0].name: Not found: "v"',
    ],
    [
      withMain({ resources: { limits: { memory: "lots" } } }),
      /limits.memory: Invalid value: "lots": must be a quantity/,
    ],
    [
      withMain({ resources: { limits: { cpu: -1 } } }),
      /limits.cpu: Invalid value: -1: must be greater than or equal to 0/,
    ],
    [
      withMain({ ports: [{ containerPort: 70_000 }] }),
      "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
    ],
    [
      withMain({ securityContext: { privileged: true, allowPrivilegeEscalation: false } }),
      /cannot set `allowPrivilegeEscalation` to false and `privileged` to true/,
    ],
    [
      withMain({ securityContext: { seccompProfile: { type: "Localhost", localhostProfile: "../../etc" } } }),
      /localhostProfile: Invalid value: "..\/..\/etc": must not contain '..'/,
    ],
    [
      volume({ nfs: { server: "a", path: "/" } }),
      'spec.volumes[0]: Unsupported value: "nfs": supported values: "configMap", "downwardAPI", "emptyDir", "hostPath", "image", "projected", "secret"',
    ],
    [volume({ hostPath: { path: "data" } }), /path: Invalid value: "data": must be an absolute path/],
    [volume({ hostPath: { path: "/a/../etc" } }), /path: Invalid value: "\/a\/..\/etc": must not contain '..'/],
    [
      volume({ configMap: { name: "c", items: [{ key: "a", path: "../../etc/passwd" }] } }),
      /items\[0\].path: Invalid value: .*: must not start with '..'/,
    ],
    [volume({ secret: { secretName: "c", items: [{ key: "a", path: "x/../../y" }] } }), /must not contain '..'/],
    [
      volume({ secret: { secretName: "c", items: [{ key: "a", path: "/etc/passwd" }] } }),
      /must not contain '.' or empty elements/,
    ],
    [
      volume({ secret: { secretName: "c", defaultMode: 0o1777 } }),
      /defaultMode: Invalid value: 1023: must be between 0 and 511/,
    ],
    [
      volume({ downwardAPI: { items: [{ path: "a", fieldRef: { fieldPath: "status.podIP" } }] } }),
      /Unsupported value: "status.podIP"/,
    ],
  ])("%j: %s", (spec, message) => {
    const { problems, spec: pod } = read(spec);
    expect(problems).toEqual([typeof message === "string" ? message : expect.stringMatching(message)]);
    expect(pod).toBeUndefined();
  });

  it.each(["/etc", "../up", "a/../../up"])("a subPath of %j", (subPath) => {
    const spec = {
      volumes: [{ name: "v", emptyDir: {} }],
      ...withMain({ volumeMounts: [{ name: "v", mountPath: "/v", subPath }] }),
    };
    expect(read(spec).problems).toHaveLength(1);
  });
});

describe("what is not carried out", () => {
  it.each([
    [
      withMain({ livenessProbe: {} }),
      "spec.containers[0].livenessProbe: not carried out: the container is not restarted by probes",
    ],
    [withMain({ lifecycle: {} }), "spec.containers[0].lifecycle: not carried out: hooks are not called"],
    [
      withMain({ resources: { limits: { "nvidia.com/gpu": 1 } } }),
      "spec.containers[0].resources.limits.nvidia.com/gpu: not carried out: only cpu and memory are",
    ],
    [{ containers: [main], hostAliases: [] }, "spec.hostAliases: not carried out: /etc/hosts is the runtime's"],
    [
      { containers: [main], volumes: [{ name: "v", projected: { sources: [{ serviceAccountToken: {} }] } }] },
      "spec.volumes[0].projected.sources[0]: left out: serviceAccountToken needs an API server",
    ],
    [
      withMain({ terminationMessagePolicy: "FallbackToLogsOnError" }),
      "spec.containers[0].terminationMessagePolicy: not carried out: only the file is read",
    ],
    [withMain({ commands: ["sh"] }), 'unknown field "spec.containers[0].commands"'],
    [{ containers: [main], restartpolicy: "Never" }, 'unknown field "spec.restartpolicy"'],
  ])("%j is a warning", (spec, message) => {
    const { problems, warnings, spec: pod } = read(spec);
    expect(problems).toEqual([]);
    expect(warnings).toEqual([message]);
    expect(pod).toBeDefined();
  });
});

describe("what is read", () => {
  it("of resources: limits stand in for requests", () => {
    const { limits, requests } =
      container({ resources: { limits: { cpu: 0.25, memory: "1Mi" }, requests: { cpu: "100m" } } })?.resources ?? {};
    expect(limits).toEqual({ cpu: 250, memory: 1_048_576 });
    expect(requests).toEqual({ cpu: 100, memory: 1_048_576 });
  });

  it("of ConfigMaps and Secrets: their bytes, and keys that lead nowhere", () => {
    const configMap = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "c" },
      data: { a: "1" },
      binaryData: { b: "AAE=" },
    };
    const secret = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "s" },
      data: { a: "b25l" },
      stringData: { a: "two" },
    };
    const { data } = read({ containers: [main] }, configMap, secret);
    expect([...(data.configMaps[0]?.data ?? [])].map(([key, bytes]) => [key, [...bytes]])).toEqual([
      ["b", [0, 1]],
      ["a", [49]],
    ]);
    expect(Buffer.from(data.secrets[0]?.data.get("a") ?? []).toString()).toBe("two");
    const evil = { ...configMap, data: { "../../etc/cron.d/x": "1" }, binaryData: {} };
    expect(read({ containers: [main] }, evil).problems).toEqual([expect.stringContaining("a key is letters")]);
    const broken = { ...secret, data: { a: "se cret" }, stringData: {} };
    const { problems } = read({ containers: [main] }, broken);
    expect(problems).toEqual(["data[a]: is not base64-encoded text"]);
  });
});
