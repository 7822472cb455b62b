/** What starting a pod's containers takes, read from its manifest and defaulted as the API server would. */

export interface PodSpec {
  readonly restartPolicy: RestartPolicy;
  readonly terminationGracePeriodSeconds: number;
  readonly activeDeadlineSeconds: number | undefined;
  readonly hostNetwork: boolean;
  readonly hostPID: boolean;
  readonly hostIPC: boolean;
  readonly shareProcessNamespace: boolean;
  /** As written; absent: the pod's name. */
  readonly hostname: string | undefined;
  readonly dnsPolicy: DnsPolicy;
  readonly dnsConfig: DnsConfig;
  readonly security: PodSecurity;
  /** Image volumes are not among them: those are with the pod's images. */
  readonly volumes: readonly Volume[];
  /** In the order of the manifest: init containers, containers, ephemeral containers. */
  readonly containers: readonly ContainerSpec[];
}

export type RestartPolicy = "Always" | "OnFailure" | "Never";
export type DnsPolicy = "ClusterFirst" | "ClusterFirstWithHostNet" | "Default" | "None";

export interface DnsConfig {
  readonly nameservers: readonly string[];
  readonly searches: readonly string[];
  /** As resolv.conf has them: `ndots:5`, `edns0`. */
  readonly options: readonly string[];
}

export interface PodSecurity {
  readonly runAsUser: number | undefined;
  readonly runAsGroup: number | undefined;
  readonly runAsNonRoot: boolean;
  readonly supplementalGroups: readonly number[];
  readonly fsGroup: number | undefined;
  readonly seccomp: SeccompProfile | undefined;
  readonly sysctls: Readonly<Record<string, string>>;
}

export interface SeccompProfile {
  readonly type: "RuntimeDefault" | "Unconfined" | "Localhost";
  /** Below the kubelet's folder of seccomp profiles. */
  readonly localhostProfile: string | undefined;
}

export interface ContainerSpec {
  readonly name: string;
  readonly kind: "container" | "initContainer" | "ephemeralContainer";
  readonly isSidecar: boolean;
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly workingDir: string | undefined;
  readonly envFrom: readonly EnvFrom[];
  readonly env: readonly EnvVar[];
  readonly mounts: readonly VolumeMount[];
  readonly ports: readonly ContainerPort[];
  readonly resources: Resources;
  readonly security: ContainerSecurity;
  readonly terminationMessagePath: string;
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  readonly tty: boolean;
}

export interface EnvVar {
  readonly name: string;
  readonly from: EnvSource;
}

export type EnvSource =
  | { readonly kind: "value"; readonly value: string }
  | KeySource
  | { readonly kind: "field"; readonly path: FieldPath }
  | ResourceSource;

/** One key of a ConfigMap or a Secret. */
export interface KeySource {
  readonly kind: "configMap" | "secret";
  readonly name: string;
  readonly key: string;
  readonly optional: boolean;
}

export interface ResourceSource {
  readonly kind: "resource";
  /** Absent: the container's own. */
  readonly container: string | undefined;
  readonly of: "limits" | "requests";
  readonly resource: "cpu" | "memory";
  /** In cores or bytes. */
  readonly divisor: number;
}

export interface EnvFrom {
  readonly kind: "configMap" | "secret";
  readonly name: string;
  readonly prefix: string;
  readonly optional: boolean;
}

/** What of the pod a `fieldRef` names. */
export type FieldPath =
  | { readonly kind: "label" | "annotation"; readonly key: string }
  | { readonly kind: "labels" | "annotations" }
  | {
      readonly kind:
        | "name"
        | "namespace"
        | "uid"
        | "nodeName"
        | "serviceAccountName"
        | "hostIP"
        | "hostIPs"
        | "podIP"
        | "podIPs";
    };

export interface VolumeMount {
  readonly name: string;
  readonly mountPath: string;
  readonly readOnly: boolean;
  readonly subPath: SubPath | undefined;
  readonly propagation: "None" | "HostToContainer" | "Bidirectional";
}

/** A place inside a volume: never absolute, never above the volume; `expands` where `$(NAME)` in it stands for variables. */
export interface SubPath {
  readonly path: string;
  readonly expands: boolean;
}

export interface ContainerPort {
  readonly containerPort: number;
  readonly hostPort: number | undefined;
  readonly hostIP: string;
  readonly protocol: "TCP" | "UDP" | "SCTP";
}

export interface Resources {
  readonly limits: Amounts;
  readonly requests: Amounts;
}

export interface Amounts {
  /** Thousandths of a core. */
  readonly cpu: number | undefined;
  /** Bytes. */
  readonly memory: number | undefined;
}

export interface ContainerSecurity {
  readonly runAsUser: number | undefined;
  readonly runAsGroup: number | undefined;
  readonly runAsNonRoot: boolean | undefined;
  readonly privileged: boolean;
  readonly readOnlyRootFilesystem: boolean;
  readonly allowPrivilegeEscalation: boolean | undefined;
  readonly addCapabilities: readonly string[];
  readonly dropCapabilities: readonly string[];
  readonly seccomp: SeccompProfile | undefined;
  readonly unmaskedProc: boolean;
}

export interface Volume {
  readonly name: string;
  readonly source: VolumeSource;
}

export type VolumeSource =
  | { readonly kind: "emptyDir"; readonly inMemory: boolean; readonly sizeLimit: number | undefined }
  | { readonly kind: "hostPath"; readonly path: string; readonly type: HostPathType }
  | FilesSource
  | { readonly kind: "image" };

/** A volume whose files are written out from objects of the cluster. */
export interface FilesSource {
  readonly kind: "files";
  readonly defaultMode: number;
  readonly sources: readonly FileSource[];
}

export type FileSource =
  | {
      readonly kind: "configMap" | "secret";
      readonly name: string;
      readonly optional: boolean;
      /** Absent: every key, under its own name. */
      readonly items: readonly KeyToPath[] | undefined;
    }
  | { readonly kind: "downwardAPI"; readonly items: readonly DownwardFile[] };

export interface KeyToPath {
  readonly key: string;
  /** Below the volume; checked not to leave it. */
  readonly path: string;
  readonly mode: number | undefined;
}

export interface DownwardFile {
  readonly path: string;
  readonly mode: number | undefined;
  readonly from: { readonly kind: "field"; readonly path: FieldPath } | ResourceSource;
}

export const hostPathTypes = [
  "",
  "DirectoryOrCreate",
  "Directory",
  "FileOrCreate",
  "File",
  "Socket",
  "CharDevice",
  "BlockDevice",
] as const;

export type HostPathType = (typeof hostPathTypes)[number];

/** A ConfigMap, or a Secret of any type: names and contents. */
export interface DataObject {
  readonly namespace: string;
  readonly name: string;
  /** Of a Secret never printed. */
  readonly data: ReadonlyMap<string, Uint8Array>;
}

export interface DataObjects {
  readonly configMaps: readonly DataObject[];
  readonly secrets: readonly DataObject[];
}
