/** A containerd, a registry with a few images of busybox, and the built program between them. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { program } from "../e2e/pulley.ts";
import {
  busyboxImage,
  type Containerd,
  type DockerRegistry,
  requiredTool,
  run,
  skopeoCopy,
  startContainerd,
  startDockerRegistry,
} from "../tools.ts";

export interface Ground {
  readonly folder: string;
  readonly containerd: Containerd;
  readonly registry: DockerRegistry;
  /** Puts busybox into the registry under a name; different seeds make different images. */
  push(name: string, seed?: string): Promise<void>;
  /** A folder for one node. */
  root(): Promise<string>;
  /** Starts `pulley run` on the containerd; `specs` are pods by name. */
  start(root: string, manifest: string, ...args: readonly string[]): Promise<Running>;
  stop(): Promise<void>;
}

export interface Running {
  readonly child: ChildProcess;
  /** Standard error so far. */
  said(): string;
  /** Waits until standard error says it. */
  until(text: string | RegExp): Promise<void>;
  /** Waits until it has ended; standard output read as JSON. */
  ended(): Promise<{ readonly status: number | null; readonly value: RunValue }>;
  interrupt(): void;
}

export interface RunValue {
  readonly pods: readonly {
    readonly name: string;
    readonly uid: string;
    readonly phase: string;
    readonly podIP?: string;
    readonly containers: readonly ContainerValue[];
  }[];
  readonly events: readonly { readonly reason: string; readonly message: string; readonly fieldPath?: string }[];
}

export interface ContainerValue {
  readonly name: string;
  readonly restartCount: number;
  readonly ready: boolean;
  readonly logPath?: string;
  readonly containerId?: string;
  readonly state: {
    readonly kind: string;
    readonly reason?: string;
    readonly exitCode?: number;
    readonly message?: string;
  };
  readonly lastState?: { readonly exitCode: number; readonly reason: string; readonly message: string };
}

export async function prepareGround(network: "host" | "pods"): Promise<Ground> {
  const folder = await mkdtemp(join(tmpdir(), "pulley-containers-"));
  const registry = await startDockerRegistry();
  const containerd = await startContainerd({ network });
  const children = new Set<ChildProcess>();
  return {
    folder,
    containerd,
    registry,
    push: async (name, seed = "one") => {
      const archive = join(folder, "image.tar");
      const image = await busyboxImage({ entrypoint: ["/bin/sh", "-c"], config: { Labels: { seed } } });
      await writeFile(archive, image.archive(name));
      await skopeoCopy(`oci-archive:${archive}:${name}`, `docker://${registry.host}/${name}`);
    },
    root: () => mkdtemp(join(folder, "root-")),
    start: async (root, manifest, ...args) => {
      const file = join(root, "pods.yaml");
      await writeFile(file, manifest);
      const command = ["run", "--root", root, "--runtime", `unix://${containerd.socket}`, "-o", "json", ...args, file];
      const child = spawn(process.execPath, [program, ...command], {
        env: { PATH: process.env["PATH"], HOME: "/nonexistent" },
      });
      children.add(child);
      return running(child);
    },
    stop: async () => {
      for (const child of children) child.kill("SIGKILL");
      await containerd.stop();
      for (const path of await mountsBelow(folder)) await run(requiredTool("umount"), ["--lazy", path]);
      await registry.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function running(child: ReturnType<typeof spawn>): Running {
  let said = "";
  let printed = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
  });
  const closed = once(child, "close");
  return {
    child,
    said: () => said,
    until: async (text) => {
      for (let attempt = 0; attempt < 2400; attempt += 1) {
        if (typeof text === "string" ? said.includes(text) : text.test(said)) return;
        if (child.exitCode !== null) throw new Error(`it ended before it said ${text}:\n${said}`);
        await delay(50);
      }
      throw new Error(`it did not say ${text}:\n${said}`);
    },
    ended: async () => {
      await closed;
      if (printed === "") throw new Error(`it printed nothing:\n${said}`);
      return { status: child.exitCode, value: JSON.parse(printed) as RunValue };
    },
    interrupt: () => child.kill("SIGINT"),
  };
}

/** A pod on the network of the host, whose containers end quickly. */
export function pod(name: string, spec: object): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels: { app: name } },
    spec: { hostNetwork: true, terminationGracePeriodSeconds: 2, ...spec },
  });
}

export function list(...items: readonly string[]): string {
  return `{"apiVersion":"v1","kind":"List","items":[${items.join(",")}]}`;
}

/** A container that runs a line of the shell; it ends at once when it is told to. */
export function shell(image: string, line: string, more: object = {}): object {
  return { name: "main", image, args: [`trap 'exit 0' TERM; ${line}`], ...more };
}

/** Goes on until it is ended. */
export const forever = "while true; do sleep 0.1; done";

/** The lines of a log in the format of CRI logs, without times. */
export async function logLines(path: string | undefined): Promise<readonly string[]> {
  const text = await readFile(path ?? "", "utf8");
  return text
    .trimEnd()
    .split("\n")
    .map((line) => line.split(" ").slice(3).join(" "));
}

async function mountsBelow(folder: string): Promise<readonly string[]> {
  const lines = (await readFile("/proc/self/mountinfo", "utf8")).split("\n");
  const points = lines.map((line) => line.split(" ")[4] ?? "");
  return points.filter((point) => point.startsWith(`${folder}/`)).toReversed();
}

/** Whatever is there of pods: containers, sandboxes, shims, and mounts and folders below the node's folder. */
export async function leftovers({ containerd }: Ground, root: string): Promise<readonly string[]> {
  const containers = (await containerd.ctr(["containers", "ls", "--quiet"])).trim().split("\n");
  const snapshots = (await containerd.ctr(["snapshots", "ls"])).split("\n").filter((line) => line.includes("Active"));
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const commands = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")));
  const shims = commands.filter((line) => line.includes("containerd-shim") && line.includes(containerd.socket));
  const mounts = await mountsBelow(root);
  const names = await Promise.all(["pods", "logs"].map((name) => readdir(join(root, name)).catch(() => [])));
  return [...containers, ...snapshots, ...shims, ...mounts, ...names.flat()].filter((text) => text !== "");
}
