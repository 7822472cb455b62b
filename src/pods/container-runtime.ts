/**
 * What a node needs of a container runtime, named as in the Container Runtime Interface. Times are in milliseconds
 * since the epoch, 0 where there is none. Failures are `PulleyError`s: `RUNTIME_UNREACHABLE`, `RUNTIME_FAILED`.
 * Stopping and removing what is not there succeeds.
 */
export interface ContainerRuntime {
  version(): Promise<RuntimeVersion>;
  /** Why the runtime or its network is not ready; empty if both are. */
  status(): Promise<readonly RuntimeCondition[]>;
  /** Makes and starts a pod's sandbox; its id. */
  runPodSandbox(config: SandboxConfig): Promise<string>;
  stopPodSandbox(id: string): Promise<void>;
  removePodSandbox(id: string): Promise<void>;
  podSandboxStatus(id: string): Promise<SandboxStatus | undefined>;
  /** Those that have all of the labels. */
  listPodSandboxes(labels: Labels): Promise<readonly Sandbox[]>;
  /** Makes a container without starting it; its id. */
  createContainer(sandbox: string, config: RuntimeContainerConfig, sandboxConfig: SandboxConfig): Promise<string>;
  startContainer(id: string): Promise<void>;
  /** Ends it with its stop signal, and after so many seconds by force. */
  stopContainer(id: string, graceSeconds: number): Promise<void>;
  removeContainer(id: string): Promise<void>;
  containerStatus(id: string): Promise<RuntimeContainer | undefined>;
  /** Those that have all of the labels, with what the runtime's list says of them. */
  listContainers(labels: Labels): Promise<readonly ListedContainer[]>;
  /** Begins to write the container's log into a new file. */
  reopenContainerLog(id: string): Promise<void>;
  /** The user that an image runs as, unless told otherwise; `undefined` if the runtime does not have the image. */
  imageUser(image: string): Promise<RuntimeImageUser | undefined>;
}

export type Labels = Readonly<Record<string, string>>;

export interface RuntimeVersion {
  /** `containerd` */
  readonly name: string;
  readonly version: string;
}

export interface RuntimeCondition {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
}

export interface RuntimeImageUser {
  /** Absent where the image names its user. */
  readonly uid: number | undefined;
  /** Empty where the image says nothing, or a number. */
  readonly username: string;
}

export interface SandboxMetadata {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly attempt: number;
}

export interface Sandbox {
  readonly id: string;
  readonly metadata: SandboxMetadata;
  readonly ready: boolean;
  readonly createdAt: number;
  readonly labels: Labels;
  readonly annotations: Labels;
}

export interface SandboxStatus extends Sandbox {
  /** Of the pod's own network; empty for pods on the host's. */
  readonly ips: readonly string[];
}

export interface ListedContainer {
  readonly id: string;
  readonly sandbox: string;
  readonly name: string;
  readonly attempt: number;
  readonly state: "created" | "running" | "exited" | "unknown";
  readonly createdAt: number;
  readonly labels: Labels;
  readonly annotations: Labels;
}

export interface RuntimeContainer extends Omit<ListedContainer, "sandbox"> {
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly exitCode: number;
  readonly reason: string;
  readonly message: string;
  /** Absolute; empty if it writes none. */
  readonly logPath: string;
}

export interface SandboxConfig {
  readonly metadata: SandboxMetadata;
  /** Empty for pods on the host's network. */
  readonly hostname: string;
  readonly logDirectory: string;
  /** Absent: the host's resolv.conf. */
  readonly dns:
    | { readonly servers: readonly string[]; searches: readonly string[]; options: readonly string[] }
    | undefined;
  readonly ports: readonly PortMapping[];
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly sysctls: Labels;
  readonly namespaces: Namespaces;
  /** Whether any of its containers is. */
  readonly privileged: boolean;
  readonly runAsUser: number | undefined;
  readonly runAsGroup: number | undefined;
  readonly supplementalGroups: readonly number[];
}

export interface Namespaces {
  readonly network: "pod" | "node";
  readonly pid: "container" | "pod" | "node";
  readonly ipc: "pod" | "node";
}

export interface PortMapping {
  readonly protocol: "TCP" | "UDP" | "SCTP";
  readonly containerPort: number;
  readonly hostPort: number;
  readonly hostIP: string;
}

export interface RuntimeContainerConfig {
  readonly name: string;
  readonly attempt: number;
  /** The image's id, and as it is written in the pod. */
  readonly image: { readonly id: string; readonly written: string };
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly workingDir: string;
  readonly env: ReadonlyMap<string, string>;
  readonly mounts: readonly Mount[];
  readonly labels: Labels;
  readonly annotations: Labels;
  /** Below the sandbox's log folder. */
  readonly logPath: string;
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  readonly tty: boolean;
  readonly resources: LinuxResources;
  readonly security: LinuxSecurity;
}

export interface Mount {
  readonly containerPath: string;
  readonly readOnly: boolean;
  readonly propagation: "private" | "hostToContainer" | "bidirectional";
  readonly from:
    | { readonly kind: "host"; readonly path: string }
    | { readonly kind: "image"; readonly id: string; readonly written: string; readonly subPath: string };
}

export interface LinuxResources {
  readonly cpuShares: number;
  /** Microseconds; 0 for no limit. */
  readonly cpuPeriod: number;
  readonly cpuQuota: number;
  /** Bytes; 0 for no limit. */
  readonly memoryLimit: number;
  readonly oomScoreAdjustment: number;
}

export interface LinuxSecurity {
  readonly namespaces: Namespaces;
  readonly privileged: boolean;
  readonly readOnlyRootFilesystem: boolean;
  readonly noNewPrivileges: boolean;
  readonly runAsUser: number | undefined;
  readonly runAsGroup: number | undefined;
  readonly supplementalGroups: readonly number[];
  readonly addCapabilities: readonly string[];
  readonly dropCapabilities: readonly string[];
  readonly seccomp: { readonly type: "RuntimeDefault" | "Unconfined" | "Localhost"; readonly path: string };
  readonly maskedPaths: readonly string[];
  readonly readOnlyPaths: readonly string[];
}
