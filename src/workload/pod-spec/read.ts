/** Reads from a pod's specification what starting its containers takes. What is not carried out is a warning. */
import { invalid, shown } from "../field-errors.ts";
import type { ProblemReporter } from "../problem.ts";
import type { ContainerKind } from "../types.ts";
import { itemsAt, type MappingValue, textAt, valueAt } from "../value.ts";
import {
  choice,
  flag,
  integer,
  objectAt,
  objectsAt,
  type PlacedObject,
  pathOf,
  problem,
  quantity,
  requiredText,
  text,
  texts,
  warning,
  warnOf,
} from "./place.ts";
import { readEnv, readEnvFrom } from "./read-environment.ts";
import { readContainerSecurity, readPodSecurity } from "./read-security.ts";
import { readMounts, readVolumes } from "./read-volumes.ts";
import type { Amounts, ContainerPort, ContainerSpec, DnsConfig, PodSpec, Resources } from "./types.ts";

const lists = [
  ["initContainers", "initContainer"],
  ["containers", "container"],
  ["ephemeralContainers", "ephemeralContainer"],
] as const satisfies readonly (readonly [string, ContainerKind])[];

/** @param path where the specification is: `spec`, `spec.template.spec` */
export function readPodSpec(value: MappingValue, path: string, report: ProblemReporter): PodSpec {
  const spec: PlacedObject = { value, path, report };
  warnOfPodFields(spec);
  const volumes = readVolumes(spec);
  const known = new Set(itemsAt(value, "volumes").map((volume) => textAt(volume, "name") ?? ""));
  return {
    restartPolicy: choice(spec, "restartPolicy", ["Always", "OnFailure", "Never"] as const) ?? "Always",
    terminationGracePeriodSeconds: integer(spec, "terminationGracePeriodSeconds") ?? 30,
    activeDeadlineSeconds: integer(spec, "activeDeadlineSeconds", 1),
    hostNetwork: flag(spec, "hostNetwork") ?? false,
    hostPID: flag(spec, "hostPID") ?? false,
    hostIPC: flag(spec, "hostIPC") ?? false,
    shareProcessNamespace: flag(spec, "shareProcessNamespace") ?? false,
    hostname: text(spec, "hostname"),
    dnsPolicy:
      choice(spec, "dnsPolicy", ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"] as const) ??
      "ClusterFirst",
    dnsConfig: readDnsConfig(spec),
    security: readPodSecurity(spec),
    volumes,
    containers: lists.flatMap(([key, kind]) =>
      objectsAt(spec, key).map((container) => readContainer(container, kind, known)),
    ),
  };
}

function warnOfPodFields(spec: PlacedObject): void {
  const runtimeClass = text(spec, "runtimeClassName");
  if (runtimeClass !== undefined) {
    // To start it without its sandbox would be less safe than was asked for.
    const message = invalid(pathOf(spec, "runtimeClassName"), shown(runtimeClass), "there are no RuntimeClasses here");
    problem(spec, "runtimeClassName", message);
  }
  if (flag(spec, "hostUsers") === false) {
    problem(spec, "hostUsers", invalid(pathOf(spec, "hostUsers"), "false", "user namespaces are not supported"));
  }
  warnOf(spec, podFieldsWithoutEffect);
  warnOfUnknown(spec, podFields, new Set(Object.keys(podFieldsWithoutEffect)));
}

const podFieldsWithoutEffect = {
  hostAliases: "/etc/hosts is the runtime's",
  readinessGates: "nobody reports these conditions",
  resources: "resources of the pod as a whole are not limited",
  resourceClaims: "devices are not allocated",
  subdomain: "there is no cluster domain",
  setHostnameAsFQDN: "there is no cluster domain",
  overhead: "it is not added",
};

/** Fields that ask somebody to look after a running container, or to call it: nobody does. */
const unattended = {
  livenessProbe: "the container is not restarted by probes",
  readinessProbe: "the container is ready as soon as it runs",
  startupProbe: "the container has started as soon as it runs",
  lifecycle: "hooks are not called",
  resizePolicy: "resources stay as they are",
  restartPolicyRules: "the pod's restart policy holds",
  volumeDevices: "block devices are not mapped",
  targetContainerName: "it has namespaces of its own",
};

/** Fields of a pod that others than a node's containers go by, or that are read elsewhere. */
const podFields = new Set([
  "containers",
  "initContainers",
  "ephemeralContainers",
  "volumes",
  "restartPolicy",
  "imagePullSecrets",
  "terminationGracePeriodSeconds",
  "activeDeadlineSeconds",
  "hostNetwork",
  "hostPID",
  "hostIPC",
  "hostUsers",
  "shareProcessNamespace",
  "hostname",
  "dnsPolicy",
  "dnsConfig",
  "securityContext",
  "runtimeClassName",
  "serviceAccountName",
  "serviceAccount",
  "automountServiceAccountToken",
  "enableServiceLinks",
  "nodeName",
  "nodeSelector",
  "affinity",
  "tolerations",
  "topologySpreadConstraints",
  "schedulerName",
  "schedulingGates",
  "priority",
  "priorityClassName",
  "preemptionPolicy",
  "os",
  "hostnameOverride",
  "workloadRef",
]);

const containerFields = new Set([
  "name",
  "image",
  "imagePullPolicy",
  "command",
  "args",
  "workingDir",
  "env",
  "envFrom",
  "volumeMounts",
  "ports",
  "resources",
  "securityContext",
  "restartPolicy",
  "terminationMessagePath",
  "terminationMessagePolicy",
  "stdin",
  "stdinOnce",
  "tty",
]);

/** What nobody knows is told as the API server tells it: perhaps it is a mistake in writing. */
function warnOfUnknown({ value, path, report }: PlacedObject, ...known: readonly ReadonlySet<string>[]): void {
  for (const [key, field] of value.entries) {
    if (!known.some((keys) => keys.has(key))) report.warning(field, `unknown field "${path}.${key}"`);
  }
}

function readContainer(
  container: PlacedObject,
  kind: ContainerSpec["kind"],
  volumes: ReadonlySet<string>,
): ContainerSpec {
  warnOf(container, unattended);
  warnOfUnknown(container, containerFields, new Set(Object.keys(unattended)));
  if (choice(container, "terminationMessagePolicy", ["File", "FallbackToLogsOnError"]) === "FallbackToLogsOnError") {
    const message = `${pathOf(container, "terminationMessagePolicy")}: not carried out: only the file is read`;
    warning(container, "terminationMessagePolicy", message);
  }
  const policy = text(container, "restartPolicy");
  const isSidecar = kind === "initContainer" && policy === "Always";
  if (policy !== undefined && !isSidecar) {
    const message = `${pathOf(container, "restartPolicy")}: not carried out: the pod's restart policy holds`;
    warning(container, "restartPolicy", message);
  }
  return {
    name: requiredText(container, "name"),
    kind,
    isSidecar,
    command: texts(container, "command"),
    args: texts(container, "args"),
    workingDir: text(container, "workingDir"),
    envFrom: readEnvFrom(container),
    env: readEnv(container),
    mounts: readMounts(container, volumes),
    ports: objectsAt(container, "ports").flatMap(readPort),
    resources: readResources(container),
    security: readContainerSecurity(container),
    terminationMessagePath: text(container, "terminationMessagePath") ?? "/dev/termination-log",
    stdin: flag(container, "stdin") ?? false,
    stdinOnce: flag(container, "stdinOnce") ?? false,
    tty: flag(container, "tty") ?? false,
  };
}

const mostPort = 65_535;

function readPort(place: PlacedObject): ContainerPort[] {
  const containerPort = integer(place, "containerPort", 1, mostPort);
  if (containerPort === undefined) {
    if (valueAt(place.value, "containerPort") === undefined) requiredText(place, "containerPort");
    return [];
  }
  return [
    {
      containerPort,
      hostPort: integer(place, "hostPort", 1, mostPort),
      hostIP: text(place, "hostIP") ?? "",
      protocol: choice(place, "protocol", ["TCP", "UDP", "SCTP"] as const) ?? "TCP",
    },
  ];
}

function readResources(container: PlacedObject): Resources {
  const place = objectAt(container, "resources");
  const limits = readAmounts(place && objectAt(place, "limits"));
  const requests = readAmounts(place && objectAt(place, "requests"));
  // What is limited and not requested is requested up to its limit (k8s pkg/apis/core/v1/defaults.go).
  return { limits, requests: { cpu: requests.cpu ?? limits.cpu, memory: requests.memory ?? limits.memory } };
}

function readAmounts(place: PlacedObject | undefined): Amounts {
  for (const key of place?.value.entries.keys() ?? []) {
    if (place !== undefined && key !== "cpu" && key !== "memory") {
      warning(place, key, `${pathOf(place, key)}: not carried out: only cpu and memory are`);
    }
  }
  const cpu = quantity(place, "cpu");
  const memory = quantity(place, "memory");
  return {
    cpu: cpu === undefined ? undefined : Math.ceil(cpu * 1000 - 1e-6),
    memory: memory === undefined ? undefined : Math.ceil(memory),
  };
}

function readDnsConfig(spec: PlacedObject): DnsConfig {
  const place = objectAt(spec, "dnsConfig");
  if (place === undefined) return { nameservers: [], searches: [], options: [] };
  const options = objectsAt(place, "options").map((option) => {
    const [name, value] = [requiredText(option, "name"), text(option, "value")];
    return value === undefined ? name : `${name}:${value}`;
  });
  return { nameservers: texts(place, "nameservers"), searches: texts(place, "searches"), options };
}
