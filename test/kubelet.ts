/**
 * A real kubelet of its own, without an API server: it runs the pods of a folder (static pods), and says on a port of this
 * machine what became of them.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { containerdTools } from "./containerd.ts";
import { unmountBelow } from "./containerd-leftovers.ts";
import { freePort } from "./free-port.ts";
import { requiredTool } from "./programs.ts";

/** What tests name in `describeWith` before they start a kubelet. */
export const kubeletTools = ["kubelet", ...containerdTools] as const;

/** The containerd that lies beside the kubelet, with its shim; `undefined` if there is none, and the system's will do. */
export function containerdOfKubelet(): string | undefined {
  const path = join(dirname(requiredTool("kubelet")), "containerd");
  return existsSync(path) ? path : undefined;
}

/** What a kubelet says of a container. */
export interface KubeletContainer {
  readonly name: string;
  readonly containerID?: string;
  readonly restartCount: number;
  readonly state: {
    readonly waiting?: { readonly reason: string; readonly message?: string };
    readonly running?: { readonly startedAt: string };
    readonly terminated?: { readonly reason: string };
  };
}

export interface Kubelet {
  readonly logFile: string;
  /** Takes a pod on, under its name. */
  add(pod: { readonly metadata: { readonly name: string } }): Promise<void>;
  /** Lets a pod go. */
  remove(pod: string): Promise<void>;
  /** The containers of a pod, init containers first; none as long as there is no such pod. */
  containers(pod: string): Promise<readonly KubeletContainer[]>;
  /** Ends it and removes what is its own. Containers go on. */
  stop(): Promise<void>;
}

const nodeName = "node";

/** @param endpoint path of the socket that is its container runtime and its image service */
export async function startKubelet(endpoint: string): Promise<Kubelet> {
  const folder = await mkdtemp(join(tmpdir(), "pulley-kubelet-"));
  const inside = (name: string) => join(folder, name);
  for (const name of ["manifests", "coming", "root", "logs", "pki"]) await mkdir(inside(name));
  const [port, readOnlyPort] = [await freePort(), await freePort()];
  await writeFile(inside("kubelet.json"), JSON.stringify(configuration(inside, endpoint, { port, readOnlyPort })));
  const logFile = inside("kubelet.log");
  const child = spawnLogged(logFile, [
    "--config",
    inside("kubelet.json"),
    "--root-dir",
    inside("root"),
    "--cert-dir",
    inside("pki"),
    "--hostname-override",
    nodeName,
  ]);
  const killAtExit = (): unknown => child.kill("SIGKILL");
  process.once("exit", killAtExit);
  const ended = once(child, "exit");

  async function pods(): Promise<readonly KubeletPod[]> {
    const answer = await fetch(`http://127.0.0.1:${readOnlyPort}/pods`);
    const list: { readonly items: readonly KubeletPod[] | null } = JSON.parse(await answer.text());
    return list.items ?? [];
  }

  const stop = async () => {
    process.off("exit", killAtExit);
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
    await ended;
    await unmountBelow(folder);
    await rm(folder, { recursive: true, force: true });
  };

  await untilReady(child, logFile, pods).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return {
    logFile,
    add: async (pod) => {
      const file = `${pod.metadata.name}.json`;
      // A manifest that is half written would be read as it is.
      await writeFile(inside(join("coming", file)), JSON.stringify(pod));
      await rename(inside(join("coming", file)), inside(join("manifests", file)));
    },
    remove: (name) => rm(inside(join("manifests", `${name}.json`))),
    containers: async (name) => {
      const pod = (await pods()).find(({ metadata }) => metadata.name === `${name}-${nodeName}`);
      return [...(pod?.status.initContainerStatuses ?? []), ...(pod?.status.containerStatuses ?? [])];
    },
    stop,
  };
}

interface KubeletPod {
  readonly metadata: { readonly name: string };
  readonly status: {
    readonly containerStatuses?: readonly KubeletContainer[];
    readonly initContainerStatuses?: readonly KubeletContainer[];
  };
}

/** No cgroups of its own for pods, no firewall, no limits that a machine of tests may have reached. */
function configuration(inside: (name: string) => string, endpoint: string, ports: object): object {
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    ...ports,
    containerRuntimeEndpoint: `unix://${endpoint}`,
    imageServiceEndpoint: `unix://${endpoint}`,
    staticPodPath: inside("manifests"),
    podLogsDir: inside("logs"),
    volumePluginDir: inside("plugins"),
    address: "127.0.0.1",
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: "AlwaysAllow" },
    healthzPort: 0,
    resolvConf: "",
    cgroupDriver: "cgroupfs",
    cgroupsPerQOS: false,
    enforceNodeAllocatable: [],
    failCgroupV1: false,
    failSwapOn: false,
    makeIPTablesUtilChains: false,
    maxPods: 500,
    serializeImagePulls: false,
    registryPullQPS: 0,
    // One image under many names, asked for at once: the kubelet's records of who pulled it would be of all of them.
    imagePullCredentialsVerificationPolicy: "NeverVerify",
    fileCheckFrequency: "1s",
    // A reason for waiting is shown when the pod is looked at again.
    syncFrequency: "2s",
    evictionHard: { "memory.available": "1Mi", "nodefs.available": "0%", "imagefs.available": "0%" },
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
  };
}

function spawnLogged(logFile: string, args: readonly string[]): ChildProcess {
  const log = openSync(logFile, "a");
  try {
    return spawn(requiredTool("kubelet"), args, { stdio: ["ignore", log, log] });
  } finally {
    closeSync(log);
  }
}

async function untilReady(child: ChildProcess, logFile: string, ask: () => Promise<unknown>): Promise<void> {
  for (let attempt = 0; attempt < 600 && child.exitCode === null; attempt += 1) {
    const answers = await ask().then(
      () => true,
      () => false,
    );
    if (answers) return;
    await delay(100);
  }
  throw new Error(`the kubelet does not answer:\n${(await readFile(logFile, "utf8")).slice(-4000)}`);
}
