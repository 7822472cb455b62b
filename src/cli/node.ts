import { type Command, InvalidArgumentError, Option } from "commander";
import packageFile from "../../package.json" with { type: "json" };
import type { PluginRun } from "../credentials/index.ts";
import { type DaemonLogins, type DaemonOptions, type PolicySource, startDaemon } from "../daemon/index.ts";
import { parsePins } from "../gc/index.ts";
import type { Policy } from "../policy/index.ts";
import { systemClock } from "../support/clock.ts";
import { PulleyError } from "../support/errors.ts";
import { inheritedSockets } from "../support/inherited-sockets.ts";
import type { Log } from "../support/log.ts";
import { refuseWindows } from "../support/windows.ts";
import { type SocketOptions, socketOption, socketPath } from "./daemon.ts";
import { readInputFile } from "./inputs.ts";
import { type CommandIo, type Io, interrupted } from "./io.ts";
import { type KubeletConfigOptions, kubeletConfigOption, loadKubeletConfiguration } from "./kubelet-config-option.ts";
import { type LogFlags, logOptions, metricsHostOption, openCommandLog } from "./log-option.ts";
import { commandLogins, podLogins } from "./logins.ts";
import { readScrub, type ScrubFlags, scrubOptions } from "./node-scrub.ts";
import { reportedSettings } from "./node-settings.ts";
import { define as defineSetup } from "./node-setup.ts";
import {
  type ContentSharingOptions,
  type CredentialProviderFlags,
  contentSharingOption,
  credentialProviderOptions,
  examples,
  type LoginFlags,
  loginOptions,
  type PlatformOptions,
  platformOption,
  type RegistryFlags,
  type RootOptions,
  registryOptions,
  repeatedOption,
  rootOption,
  runtimeOption,
} from "./options.ts";
import { clusterOption, loadPolicyFiles, type PolicyOptions, policyOption, watchPolicy } from "./policy-option.ts";
import { machineHosts, registrySettings } from "./registry.ts";

interface NodeFlags
  extends RootOptions,
    PlatformOptions,
    RegistryFlags,
    LoginFlags,
    PolicyOptions,
    ContentSharingOptions,
    CredentialProviderFlags,
    KubeletConfigOptions,
    SocketOptions,
    MirrorFlags,
    LogFlags,
    ScrubFlags {
  readonly criSocket: string;
  readonly takeOver?: true;
  readonly runtime?: string;
  readonly manifests?: string;
  readonly metrics?: string;
  readonly metricsHost?: readonly string[];
  readonly collect: "auto" | "on" | "off";
  readonly pin?: readonly string[];
  readonly evenIfLost?: true;
}

export function define(command: Command, io: CommandIo): void {
  defineSetup(command.enablePositionalOptions().command("setup"), io);
  credentialProviderOptions(mirrorOptions(registryOptions(loginOptions(command, io))))
    .addOption(runtimeOption("Socket of containerd, to serve its images and start containers"))
    .addOption(policyOption())
    .option(
      "--manifests <dir>",
      "Directory of manifests whose pods are run; changes are applied (default: staticPodPath of --kubelet-config)",
    )
    .addOption(rootOption())
    .addOption(
      new Option("--cri-socket <path>", "Socket of the CRI image service, for kubelet and crictl").default(
        "/run/pulley/cri.sock",
      ),
    )
    .addOption(socketOption())
    .option("--take-over", "Replace a running pulley node; it exits when this one is ready")
    .option(
      "--metrics <address>",
      "Address to serve Prometheus metrics, /healthz and /readyz on, such as 127.0.0.1:9419",
    )
    .addOption(metricsHostOption())
    .addOption(
      new Option("--collect <when>", "Delete unused images; auto: unless a kubelet does so for the container runtime")
        .choices(["auto", "on", "off"])
        .default("auto"),
    )
    .addOption(
      repeatedOption(
        "--pin <pattern>",
        "Images to keep, as a pattern of a policy, such as registry.acme.io/**; can be repeated",
      ),
    )
    .option("--even-if-lost", "Do not check first that the registry still has an image");
  logOptions(scrubOptions(command))
    .addOption(kubeletConfigOption())
    .addOption(clusterOption())
    .addOption(contentSharingOption())
    .addOption(platformOption())
    .addHelpText(
      "after",
      examples(
        [
          "pulley node --runtime unix:///run/containerd/containerd.sock \\\n    --policy /etc/pulley/policy.yaml",
          "Run between kubelet and containerd; set the kubelet's endpoints to\n  # unix:///run/pulley/cri.sock",
        ],
        [
          "pulley node --mirror 127.0.0.1:5000 --metrics 127.0.0.1:9419",
          "Serve images to crictl, and as a pull-through registry mirror",
        ],
      ),
    )
    .action(io.withStatus((options: NodeFlags) => runNode(options, io)));
}

/** Runs until a signal, or until a part of the daemon fails. */
async function runNode(options: NodeFlags, io: CommandIo): Promise<number> {
  refuseWindows("pulley node");
  const log = openCommandLog(options, io);
  const stop = io.interruption();
  const inherited = inheritedSockets({ environment: process.env, pid: process.pid });
  const kubelet = loadKubeletConfiguration(options, {}, io);
  const policy = await watchedPolicy(options, log, io);
  const daemon = await startDaemon({
    root: options.root,
    platform: options.platform,
    version: packageFile.version,
    sockets: {
      cri: options.criSocket,
      api: socketPath(options, io),
      takeover: { inherited, takeOver: options.takeOver === true },
    },
    runtime: options.runtime,
    manifests: options.manifests ?? (kubelet.staticPodPath || undefined),
    mirror: readMirror(options),
    metrics: options.metrics,
    metricsHosts: options.metricsHost,
    collection: collectionOf(options),
    scrub: readScrub(options),
    kubelet,
    contentSharing: options.contentSharing,
    policy,
    registry: registrySettings(options),
    hosts: machineHosts(options, (message) => log.warn(message)),
    logins: await loginsOf(options, log, io),
    settings: reportedSettings(options, io),
    log,
  });
  for (const path of inherited.rest()) log.warn("a socket that systemd holds is none of this daemon's", { path });
  try {
    const replaced = daemon.replaced.then(() => log.info("another process has taken this one's place"));
    await Promise.race([interrupted(stop), replaced, daemon.failed]);
    log.info("stopping");
  } finally {
    policy.stop();
    await daemon.close();
  }
  return 0;
}

function collectionOf({ collect, runtime, manifests, pin = [], evenIfLost }: NodeFlags): DaemonOptions["collection"] {
  const isKubelets = runtime !== undefined && manifests === undefined;
  if (collect === "off" || (collect === "auto" && isKubelets)) return undefined;
  return { pins: parsePins(pin), evenIfLost: evenIfLost === true };
}

async function loginsOf(options: NodeFlags, log: Log, io: Io): Promise<DaemonLogins> {
  const onNote = ({ kind, provider, message }: { kind: string; provider: string; message: string }) => {
    if (kind === "problem") log.warn(message, { provider });
    else log.debug(message, { provider });
  };
  const listeners = new Set<(run: PluginRun) => void>();
  const onRun = (run: PluginRun) => {
    for (const listener of listeners) listener(run);
  };
  let providerConfigHash: string | undefined;
  const onOpen = ({ configHash }: { readonly configHash: string }) => {
    providerConfigHash = configHash;
  };
  const forPod = await podLogins(options, io, { onNote, onRun, onOpen });
  const own = commandLogins(options, io);
  return { forPod, own, onPluginRun: (listener) => void listeners.add(listener), providerConfigHash };
}

/** The policy, updated when its files change. */
async function watchedPolicy(options: NodeFlags, log: Log, io: Io): Promise<PolicySource & { stop(): void }> {
  const listeners = new Set<(policy: Policy | undefined) => void>();
  const loaded = await loadPolicyFiles(options, io);
  const { files } = loaded;
  let current = loaded.policy;
  const notify = (policy: Policy | undefined) => {
    for (const listener of listeners) listener(policy);
  };
  const source = {
    current: () => current,
    onChange: (listener: (policy: Policy | undefined) => void) => void listeners.add(listener),
  };
  if (files === undefined) return { ...source, stop: () => undefined };
  const changes = {
    log: (line: string, level: "info" | "warn" | "error") => log[level](line),
    onChange: (changed: Policy) => {
      current = changed;
      notify(changed);
    },
    onInvalid: () => notify(undefined),
  };
  const watch = watchPolicy(files, changes, systemClock);
  return { ...source, stop: () => watch.stop() };
}

interface MirrorFlags {
  readonly mirror?: string;
  readonly mirrorCert?: string;
  readonly mirrorKey?: string;
  readonly mirrorPlainHttp?: true;
  readonly mirrorRegistries?: readonly string[];
  readonly mirrorOpen?: true;
  readonly mirrorPeerConnections?: number;
}

function mirrorOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--mirror <address>", "Address to serve images on as a read-only registry, such as 127.0.0.1:5000"),
    )
    .addOption(repeatedOption("--mirror-registries <host>", "Registry to mirror; can be repeated (default: all)"))
    .option("--mirror-cert <file>", "Certificate chain of the mirror in PEM; required to serve other machines")
    .option("--mirror-key <file>", "Private key of the certificate in PEM")
    .option("--mirror-plain-http", "Serve other machines without TLS, on a trusted network")
    .option("--mirror-open", "Serve all images to all clients, without checking their access with the registry")
    .addOption(
      new Option(
        "--mirror-peer-connections <count>",
        "Maximum number of connections per client address (default: 256)",
      ).argParser(readConnections),
    );
}

/** @throws PulleyError `USAGE`, `INPUT_UNREADABLE` */
function readMirror(flags: MirrorFlags): DaemonOptions["mirror"] {
  const { mirror: address, mirrorCert, mirrorKey, mirrorPlainHttp, mirrorRegistries, mirrorOpen } = flags;
  const { mirrorPeerConnections: connectionsPerPeer } = flags;
  const others = [mirrorCert, mirrorKey, mirrorPlainHttp, mirrorRegistries, mirrorOpen, connectionsPerPeer];
  if (address === undefined) {
    if (others.every((flag) => flag === undefined)) return undefined;
    throw new PulleyError("USAGE", "there are flags for the mirror, but no address for it to listen on", {
      advice: "Give its address with --mirror, for example --mirror 127.0.0.1:5000.",
    });
  }
  return {
    address,
    tls: readTls(mirrorCert, mirrorKey),
    plainHttp: mirrorPlainHttp,
    registries: mirrorRegistries,
    openToAll: mirrorOpen,
    limits: connectionsPerPeer === undefined ? {} : { connectionsPerPeer },
  };
}

function readConnections(text: string): number {
  const count = /^[0-9]{1,6}$/.test(text) ? Number(text) : 0;
  if (count > 0) return count;
  throw new InvalidArgumentError("it must be a number of connections of at least 1, such as 256");
}

function readTls(certificate: string | undefined, key: string | undefined) {
  if (certificate === undefined && key === undefined) return undefined;
  if (certificate === undefined || key === undefined) {
    throw new PulleyError("USAGE", "--mirror-cert and --mirror-key must be used together", {
      advice: "Give both, or neither.",
    });
  }
  return { certificate: readInputFile(certificate).text, key: readInputFile(key).text };
}
