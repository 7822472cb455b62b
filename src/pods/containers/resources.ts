/** Requests and limits as Linux takes them (k8s pkg/kubelet/cm/helpers_linux.go, pkg/kubelet/qos/policy.go). */
import type { ContainerSpec, PodSpec } from "../../workload/index.ts";
import type { LinuxResources } from "../container-runtime.ts";

const sharesPerCore = 1024;
const fewestShares = 2;
const mostShares = 262_144;
/** Microseconds. */
const quotaPeriod = 100_000;
const shortestQuota = 1000;

/** @param memoryCapacity bytes of this machine */
export function linuxResources(spec: PodSpec, { resources }: ContainerSpec, memoryCapacity: number): LinuxResources {
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

export type Quality = "Guaranteed" | "Burstable" | "BestEffort";

/** k8s pkg/apis/core/v1/helper/qos: what is promised to the pod as a whole. */
export function qualityOf({ containers }: PodSpec): Quality {
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
