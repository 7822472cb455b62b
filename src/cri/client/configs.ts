/** Sandbox and container configurations as CRI messages. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { LinuxSecurity, Mount, Namespaces, RuntimeContainerConfig, SandboxConfig } from "../../pods/index.ts";
import {
  type ContainerConfigSchema,
  type LinuxContainerSecurityContextSchema,
  MountPropagation,
  type MountSchema,
  NamespaceMode,
  type PodSandboxConfigSchema,
  ProfileType,
  Protocol,
} from "../api/runtime/v1/api_pb.js";

export function sandboxMessage(
  config: SandboxConfig,
  cgroupParent: string,
): MessageInitShape<typeof PodSandboxConfigSchema> {
  const { metadata, hostname, logDirectory, dns, labels, annotations, sysctls, privileged } = config;
  return {
    metadata,
    hostname,
    logDirectory,
    ...(dns && { dnsConfig: { servers: [...dns.servers], searches: [...dns.searches], options: [...dns.options] } }),
    portMappings: config.ports.map((port) => ({ ...port, protocol: Protocol[port.protocol], hostIp: port.hostIP })),
    labels: { ...labels },
    annotations: { ...annotations },
    linux: {
      cgroupParent,
      sysctls: { ...sysctls },
      securityContext: {
        namespaceOptions: namespaceOptions(config.namespaces),
        privileged,
        ...users(config),
        seccomp: { profileType: ProfileType.RuntimeDefault },
      },
    },
  };
}

export function containerMessage(config: RuntimeContainerConfig): MessageInitShape<typeof ContainerConfigSchema> {
  const { name, attempt, image, command, args, workingDir, env, mounts, labels, annotations, resources } = config;
  const { logPath, stdin, stdinOnce, tty } = config;
  return {
    metadata: { name, attempt },
    image: { image: image.id, userSpecifiedImage: image.written },
    command: [...command],
    args: [...args],
    workingDir,
    envs: [...env].map(([key, value]) => ({ key, value: Buffer.from(value) })),
    mounts: mounts.map(mountMessage),
    labels: { ...labels },
    annotations: { ...annotations },
    logPath,
    stdin,
    stdinOnce,
    tty,
    linux: {
      resources: {
        cpuShares: BigInt(resources.cpuShares),
        cpuPeriod: BigInt(resources.cpuPeriod),
        cpuQuota: BigInt(resources.cpuQuota),
        memoryLimitInBytes: BigInt(resources.memoryLimit),
        oomScoreAdj: BigInt(resources.oomScoreAdjustment),
      },
      securityContext: securityMessage(config.security),
    },
  };
}

function mountMessage({ containerPath, readOnly, propagation, from }: Mount): MessageInitShape<typeof MountSchema> {
  const mount = { containerPath, readonly: readOnly, propagation: propagations[propagation] };
  if (from.kind === "host") return { ...mount, hostPath: from.path };
  const image = { image: from.id, userSpecifiedImage: from.written };
  return { ...mount, readonly: true, image, imageSubPath: from.subPath };
}

const propagations: Readonly<Record<Mount["propagation"], MountPropagation>> = {
  private: MountPropagation.PROPAGATION_PRIVATE,
  hostToContainer: MountPropagation.PROPAGATION_HOST_TO_CONTAINER,
  bidirectional: MountPropagation.PROPAGATION_BIDIRECTIONAL,
};

function securityMessage(security: LinuxSecurity): MessageInitShape<typeof LinuxContainerSecurityContextSchema> {
  const { privileged, readOnlyRootFilesystem, noNewPrivileges, maskedPaths, readOnlyPaths, seccomp } = security;
  return {
    privileged,
    readonlyRootfs: readOnlyRootFilesystem,
    noNewPrivs: noNewPrivileges,
    namespaceOptions: namespaceOptions(security.namespaces),
    ...users(security),
    capabilities: {
      addCapabilities: [...security.addCapabilities],
      dropCapabilities: [...security.dropCapabilities],
    },
    seccomp: { profileType: ProfileType[seccomp.type], localhostRef: seccomp.path },
    maskedPaths: [...maskedPaths],
    readonlyPaths: [...readOnlyPaths],
  };
}

function users({ runAsUser, runAsGroup, supplementalGroups }: Users) {
  return {
    ...(runAsUser !== undefined && { runAsUser: { value: BigInt(runAsUser) } }),
    ...(runAsGroup !== undefined && { runAsGroup: { value: BigInt(runAsGroup) } }),
    supplementalGroups: supplementalGroups.map(BigInt),
  };
}

type Users = Pick<SandboxConfig, "runAsUser" | "runAsGroup" | "supplementalGroups">;

const modes = { pod: NamespaceMode.POD, container: NamespaceMode.CONTAINER, node: NamespaceMode.NODE } as const;

function namespaceOptions({ network, pid, ipc }: Namespaces) {
  return { network: modes[network], pid: modes[pid], ipc: modes[ipc] };
}
