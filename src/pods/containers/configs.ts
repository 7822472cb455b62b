/** What a runtime is told about a pod's sandbox and containers (k8s pkg/kubelet/kuberuntime, `generatePodSandboxConfig`, `generateContainerConfig`). */
import { PulleyError } from "../../support/errors.ts";
import {
  type ContainerSpec,
  commandOf,
  expand,
  type PodFacts,
  type PodSpec,
  unknownNames,
  type VolumeMount,
} from "../../workload/index.ts";
import type {
  LinuxResources,
  Mount,
  PortMapping,
  RuntimeContainerConfig,
  SandboxConfig,
} from "../container-runtime.ts";
import { dnsConfigOf } from "./dns-config.ts";
import { containerAnnotations, containerLabels, podLabels } from "./labels.ts";
import { groupsOf, linuxSecurity, namespacesOf } from "./security.ts";
import type { ContainersOptions, PodInput } from "./types.ts";

/** Letters that a host name may have. */
const longestHostname = 63;

export async function sandboxConfig(
  { pod, spec }: PodInput,
  attempt: number,
  { folders, host, node }: ContainersOptions,
): Promise<SandboxConfig> {
  const { namespace, name, uid } = pod;
  const { runAsUser, runAsGroup, sysctls } = spec.security;
  return {
    metadata: { namespace, name, uid, attempt },
    hostname: spec.hostNetwork ? "" : hostnameOf(spec.hostname ?? name),
    logDirectory: await folders.logFolder(pod),
    dns: dnsConfigOf(spec, await host.resolver()),
    ports: spec.hostNetwork ? [] : spec.containers.flatMap(portMappings),
    labels: { ...pod.labels, ...podLabels(pod, node) },
    annotations: pod.annotations,
    sysctls,
    namespaces: namespacesOf(spec),
    privileged: spec.containers.some(({ security }) => security.privileged),
    runAsUser,
    runAsGroup,
    supplementalGroups: groupsOf(spec),
  };
}

function hostnameOf(name: string): string {
  return name.slice(0, longestHostname).replace(/[-.]+$/, "");
}

function portMappings({ ports }: ContainerSpec): PortMapping[] {
  return ports.flatMap(({ hostPort, ...port }) => (hostPort === undefined ? [] : [{ ...port, hostPort }]));
}

/** What goes into a container beside what its specification says. */
export interface ContainerDraft {
  readonly input: PodInput;
  readonly facts: PodFacts;
  readonly container: ContainerSpec;
  readonly attempt: number;
  readonly image: RuntimeContainerConfig["image"];
  readonly variables: ReadonlyMap<string, string>;
  /** Ids of the images of image volumes, by the volume's name. */
  readonly imageVolumes: ReadonlyMap<string, RuntimeContainerConfig["image"]>;
}

/** @throws PulleyError `RUNTIME_FAILED` where a mount is not to be had */
export async function containerConfig(
  draft: ContainerDraft,
  options: ContainersOptions,
): Promise<RuntimeContainerConfig> {
  const { input, container, attempt, image, variables } = draft;
  const { pod, spec } = input;
  const { name, stdin, stdinOnce, tty, terminationMessagePath } = container;
  const mounts: Mount[] = [];
  for (const [index, mount] of container.mounts.entries()) {
    mounts.push(await mountOf(mount, index, draft, options));
  }
  const lastWords = await options.folders.terminationLog(pod, name, attempt);
  mounts.push({
    containerPath: terminationMessagePath,
    readOnly: false,
    propagation: "private",
    from: { kind: "host", path: lastWords },
  });
  return {
    name,
    attempt,
    image,
    mounts,
    stdin,
    stdinOnce,
    tty,
    ...commandOf(container, variables),
    workingDir: container.workingDir ?? "",
    env: variables,
    labels: containerLabels(pod, options.node, container),
    annotations: containerAnnotations(spec, container, attempt),
    logPath: `${name}/${attempt}.log`,
    resources: linuxResources(spec, container, options.host.capacity.memory),
    security: linuxSecurity(spec, container, options.host.seccompFolder),
  };
}

const propagations = { None: "private", HostToContainer: "hostToContainer", Bidirectional: "bidirectional" } as const;

async function mountOf(
  mount: VolumeMount,
  index: number,
  { input, container, variables, imageVolumes }: ContainerDraft,
  { folders }: ContainersOptions,
): Promise<Mount> {
  const subPath = subPathOf(mount, variables);
  const { mountPath: containerPath, readOnly, name: volume } = mount;
  const propagation = propagations[mount.propagation];
  const image = imageVolumes.get(volume);
  if (image !== undefined) {
    return { containerPath, readOnly: true, propagation, from: { kind: "image", ...image, subPath } };
  }
  const { pod, spec } = input;
  const path = await folders.mountSource({ pod, spec, volume, subPath, container: container.name, index });
  // Files from ConfigMaps and Secrets are read-only.
  const isWrittenOut = spec.volumes.some(({ name, source }) => name === volume && source.kind === "files");
  return { containerPath, readOnly: readOnly || isWrittenOut, propagation, from: { kind: "host", path } };
}

function subPathOf({ subPath }: VolumeMount, variables: ReadonlyMap<string, string>): string {
  if (subPath === undefined) return "";
  if (!subPath.expands) return subPath.path;
  const unknown = unknownNames(subPath.path, variables);
  if (unknown.length > 0) {
    throw new PulleyError(
      "RUNTIME_FAILED",
      `missing value for ${unknown.map((name) => JSON.stringify(name)).join(", ")}`,
    );
  }
  const path = expand(subPath.path, variables);
  const why = path.startsWith("/") ? "is absolute" : path.split("/").includes("..") ? "leads upwards" : undefined;
  if (why !== undefined) throw new PulleyError("RUNTIME_FAILED", `the subPath ${JSON.stringify(path)} ${why}`);
  return path;
}

// Requests and limits as Linux takes them (k8s pkg/kubelet/cm/helpers_linux.go, pkg/kubelet/qos/policy.go).

const sharesPerCore = 1024;
const fewestShares = 2;
const mostShares = 262_144;
/** Microseconds. */
const quotaPeriod = 100_000;
const shortestQuota = 1000;

/** @param memoryCapacity bytes of this machine */
function linuxResources(spec: PodSpec, { resources }: ContainerSpec, memoryCapacity: number): LinuxResources {
  const { limits, requests } = resources;
  const cpu = requests.cpu ?? 0;
  const shares = cpu === 0 ? fewestShares : Math.floor((cpu * sharesPerCore) / 1000);
  const limit = limits.cpu ?? 0;
  return {
    cpuShares: Math.min(Math.max(shares, fewestShares), mostShares),
    cpuPeriod: quotaPeriod,
    cpuQuota: limit === 0 ? 0 : Math.max(Math.floor((limit * quotaPeriod) / 1000), shortestQuota),
    memoryLimit: limits.memory ?? 0,
    oomScoreAdjustment: oomScore(qualityOf(spec), requests.memory ?? 0, memoryCapacity),
  };
}

type Quality = "Guaranteed" | "Burstable" | "BestEffort";

/** k8s pkg/apis/core/v1/helper/qos: what is promised to the pod as a whole. */
function qualityOf({ containers }: PodSpec): Quality {
  const amounts = containers
    .filter(({ kind }) => kind !== "ephemeralContainer")
    .map(({ resources: { limits, requests } }) => ({ limits, requests }));
  const isNone = amounts.every(({ limits, requests }) =>
    [limits.cpu, limits.memory, requests.cpu, requests.memory].every((amount) => (amount ?? 0) === 0),
  );
  if (isNone) return "BestEffort";
  const isGuaranteed = amounts.every(({ limits, requests }) => {
    const isFull = (limits.cpu ?? 0) > 0 && (limits.memory ?? 0) > 0;
    return isFull && limits.cpu === requests.cpu && limits.memory === requests.memory;
  });
  return isGuaranteed ? "Guaranteed" : "Burstable";
}

/** The higher, the sooner the kernel ends it where memory is short. */
function oomScore(quality: Quality, memoryRequest: number, memoryCapacity: number): number {
  if (quality === "Guaranteed") return -997;
  if (quality === "BestEffort") return 1000;
  const score = 1000 - Math.floor((1000 * memoryRequest) / memoryCapacity);
  return Math.min(Math.max(score, 3), 999);
}
