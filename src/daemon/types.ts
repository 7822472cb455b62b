/** What a daemon is told to do. */
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
  /** The program's. */
  readonly version: string;
  readonly sockets: {
    /** For kubelets and crictl. */
    readonly cri: string;
    /** For `pulley get`, `describe` and `logs`. */
    readonly api: string;
    /** Whose place it may take there, and what systemd holds for it. */
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
  /** Absent: images are collected by somebody else. */
  readonly collection: { readonly pins: Pins; readonly evenIfLost: boolean } | undefined;
  /** How slowly the store is read again, in bytes a second, and how often, in milliseconds; absent: never. */
  readonly scrub?: { readonly rate: number; readonly every: number } | undefined;
  readonly kubelet: KubeletConfiguration;
  /** Whether pulls may use what another repository has shown. Of the mirror's callers none may. */
  readonly contentSharing: ContentSharing;
  readonly policy: PolicySource;
  readonly registry: Pick<
    RegistryOptions,
    "hosts" | "plainHttp" | "certDirs" | "leastRate" | "allowedRedirects" | "foreignLayerHosts"
  >;
  readonly hosts: HostsFor;
  readonly logins: DaemonLogins;
  /** All this as its options had it, for those who ask the daemon what it pulls with. */
  readonly settings: SettingsObject;
  readonly log: Log;
}

/** The rules, which may change while the daemon runs. */
export interface PolicySource {
  /** Those that hold now. */
  current(): Policy;
  /** Hears of each change; `undefined` for one that was wrong, and so did not happen. */
  onChange(hear: (policy: Policy | undefined) => void): void;
}

export interface DaemonLogins {
  readonly forPod: (pod: Pod, secrets: readonly PullSecret[]) => LoginSource;
  /** Those of the machine itself. */
  readonly own: LoginSource;
  /** Begins to tell of each run of a credential provider's program. */
  readonly onPluginRun?: (hear: (run: PluginRun) => void) => void;
  /** Which configuration of credential providers holds; absent: none. */
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

/** What the parts of a daemon tell of themselves. */
export interface Observers {
  readonly log: Log;
  readonly metrics: Metrics["listeners"];
}
