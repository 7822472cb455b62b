/** Security contexts of pod and container together (k8s pkg/securitycontext/util.go, kuberuntime/security_context.go). */
import type { ContainerSpec, PodSpec } from "../../workload/index.ts";
import type { LinuxSecurity, Namespaces, RuntimeImageUser } from "../container-runtime.ts";

/** Masked and read-only paths of /proc and /sys. */
const maskedPaths = [
  "/proc/asound",
  "/proc/acpi",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/sys/firmware",
  "/sys/devices/virtual/powercap",
];
const readOnlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

export function namespacesOf(spec: PodSpec): Namespaces {
  return {
    network: spec.hostNetwork ? "node" : "pod",
    pid: spec.hostPID ? "node" : spec.shareProcessNamespace ? "pod" : "container",
    ipc: spec.hostIPC ? "node" : "pod",
  };
}

/** @param seccompFolder where the profiles of this machine are */
export function linuxSecurity(spec: PodSpec, { security }: ContainerSpec, seccompFolder: string): LinuxSecurity {
  const seccomp = security.seccomp ?? spec.security.seccomp;
  return {
    namespaces: namespacesOf(spec),
    privileged: security.privileged,
    readOnlyRootFilesystem: security.readOnlyRootFilesystem,
    noNewPrivileges: security.allowPrivilegeEscalation === false,
    runAsUser: security.runAsUser ?? spec.security.runAsUser,
    runAsGroup: security.runAsGroup ?? spec.security.runAsGroup,
    supplementalGroups: groupsOf(spec),
    addCapabilities: security.addCapabilities,
    dropCapabilities: security.dropCapabilities,
    seccomp: {
      type: seccomp?.type ?? "Unconfined",
      path: seccomp?.localhostProfile === undefined ? "" : `${seccompFolder}/${seccomp.localhostProfile}`,
    },
    maskedPaths: security.unmaskedProc ? [] : maskedPaths,
    readOnlyPaths: security.unmaskedProc ? [] : readOnlyPaths,
  };
}

export function groupsOf({ security: { fsGroup, supplementalGroups } }: PodSpec): readonly number[] {
  return fsGroup === undefined ? supplementalGroups : [...supplementalGroups, fsGroup];
}

/** Whether the image's user has to be known. */
export function mustNotBeRoot(spec: PodSpec, { security }: ContainerSpec): boolean {
  return security.runAsNonRoot ?? spec.security.runAsNonRoot;
}

/** Why a container that must not run as root could; `undefined` if it cannot (k8s `verifyRunAsNonRoot`). */
export function rootProblem(
  spec: PodSpec,
  { name, security }: ContainerSpec,
  user: RuntimeImageUser | undefined,
  pod: string,
): string | undefined {
  const place = ` (pod: "${pod}", container: ${name})`;
  const asked = security.runAsUser ?? spec.security.runAsUser;
  if (asked !== undefined) {
    return asked === 0 ? `container's runAsUser breaks non-root policy${place}` : undefined;
  }
  if (user !== undefined && user.username !== "" && user.uid === undefined) {
    const text = `container has runAsNonRoot and image has non-numeric user (${user.username}), cannot verify user is non-root`;
    return `${text}${place}`;
  }
  return (user?.uid ?? 0) === 0 ? `container has runAsNonRoot and image will run as root${place}` : undefined;
}
