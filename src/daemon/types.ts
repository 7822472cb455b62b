/** The options of a daemon. */
import type { LoginSource, PluginRun } from "../credentials/index.ts";
import type { Pins } from "../gc/index.ts";
import type { Platform } from "../image/index.ts";
import type { KubeletConfiguration } from "../kubelet-config/index.ts";
import type { MirrorOptions } from "../mirror/index.ts";
import type { Policy } from "../policy/index.ts";
import type { ContentSharing, HostsFor } from "../pull/index.ts";
import type { RegistryOptions } from "../registry/index.ts";
import type { Log } from "../support/log.ts";
import type { Takeover } from "../support/unix-socket.ts";
import type { Pod, PullSecret } from "../workload/index.ts";
import type { SettingsObject } from "./api/objects.ts";
import type { Metrics } from "./metrics/index.ts";

export interface DaemonOptions {
  /** The folder of the images, of what is known of them, and of the pods. */
  readonly root: string;
  readonly platform: Platform;
  /** The version of the program. */
  readonly version: string;
  readonly sockets: {
    /** For kubelets and crictl. */
    readonly cri: string;
    /** For `pulley get`, `describe` and `logs`. */
    readonly api: string;
    /** Whether it may take over the sockets of a running daemon, and which sockets systemd passes on. */
    readonly takeover?: Takeover | undefined;
  };
  /** Path of a container runtime's socket; absent: images only. */
  readonly runtime: string | undefined;
  /** Folder of manifests whose pods are to run. */
  readonly manifests: string | undefined;
  readonly mirror: Omit<MirrorOptions, "parts" | "onRequest"> | undefined;
  /** `host:port` of the metrics; absent: none. */
  readonly metrics: string | undefined;
  /** Names under which the metrics may be asked for, besides those of loopback. Default: none. */
  readonly metricsHosts?: readonly string[] | undefined;
  /** Settings of image garbage collection; absent: none is done here. */
  readonly collection: { readonly pins: Pins; readonly evenIfLost: boolean } | undefined;
  /** Reading the store again: at most `rate` bytes a second, once every `every` milliseconds; absent: never. */
  readonly scrub?: { readonly rate: number; readonly every: number } | undefined;
  readonly kubelet: KubeletConfiguration;
  /** Whether a pull may use content that was pulled from another repository. The mirror's clients never may. */
  readonly contentSharing: ContentSharing;
  readonly policy: PolicySource;
  readonly registry: Pick<
    RegistryOptions,
    "hosts" | "plainHttp" | "certDirs" | "leastRate" | "allowedRedirects" | "foreignLayerHosts"
  >;
  readonly hosts: HostsFor;
  readonly logins: DaemonLogins;
  /** The settings as given, shown by `pulley get status`. */
  readonly settings: SettingsObject;
  readonly log: Log;
}

/** The policy, which may change while the daemon runs. */
export interface PolicySource {
  /** The policy now. */
  current(): Policy;
  /** Calls the listener with each new policy, and with `undefined` when a changed file was invalid and the old policy stays. */
  onChange(listener: (policy: Policy | undefined) => void): void;
}

export interface DaemonLogins {
  readonly forPod: (pod: Pod, secrets: readonly PullSecret[]) => LoginSource;
  /** Logins of the machine itself. */
  readonly own: LoginSource;
  /** Calls the listener after each run of a credential provider plugin. */
  readonly onPluginRun?: (listener: (run: PluginRun) => void) => void;
  /** Hash of the credential provider configuration; absent: there is none. */
  readonly providerConfigHash?: string | undefined;
}

export interface Daemon {
  /** Rejects if a fault of the daemon's own ended it; never resolves otherwise. */
  readonly failed: Promise<never>;
  /** Resolves when another process has taken this one's place, and this one is to end. */
  readonly replaced: Promise<void>;
  /** Ends everything; containers that run go on running. Safe to call again. */
  close(): Promise<void>;
}

/** Where the parts of a daemon report to. */
export interface Observers {
  readonly log: Log;
  readonly metrics: Metrics["listeners"];
}
