/** A private containerd, as Debian has it: content, snapshots and containers that no other containerd knows of. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { busyboxImage } from "./busybox-image.ts";
import { readAgainAfterEachTest, readLast } from "./bytes-on-disk.ts";
import { type ContainerdSite, siteIn, writeConfiguration } from "./containerd-config.ts";
import { removeLeftovers } from "./containerd-leftovers.ts";
import { requiredTool, run } from "./programs.ts";
import { takeSubnet } from "./subnet.ts";

/** What tests name in `describeWith` before they start a containerd; `ctr` and the shim come with it. */
export const containerdTools = ["containerd", "runc", "busybox"] as const;

const namespace = "k8s.io";
const sandboxImage = "pulley.test/pause:1";

export interface ContainerdOptions {
  /** `pods` gives each pod an address of its own (CNI); by default there is none, and pods use the host's network. */
  readonly network?: "host" | "pods";
  /** Folder of content and snapshots, for instance on a small file system. What is mounted in it is unmounted, not removed. */
  readonly root?: string;
  /** Path of the program, with its shim beside it. Default: the system's. */
  readonly program?: string;
}

export interface Containerd {
  /** Path of the unix socket: containerd's own services and the CRI. */
  readonly socket: string;
  readonly folder: string;
  readonly namespace: "k8s.io";
  readonly logFile: string;
  /** Folder of `hosts.toml` files, one folder a registry. Read at each pull. */
  readonly certsDir: string;
  /** What `ctr` says in the namespace of Kubernetes. @throws Error with its words if it fails */
  ctr(args: readonly string[]): Promise<string>;
  /** Ends the daemon and waits until it has ended; containers go on. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Starts the daemon anew on the same folders, ending it first if it runs. */
  restart(): Promise<void>;
  /** Ends everything and removes everything. Safe to call again. */
  stop(): Promise<void>;
}

/**
 * Starts a containerd and waits until its CRI answers. Call {@link Containerd.stop} in `afterAll`. With the path of
 * another one in `PULLEY_CONTAINERD`, and its shim beside it, that is tested instead of the system's.
 */
export async function startContainerd(options: ContainerdOptions = {}): Promise<Containerd> {
  const program = options.program ?? process.env["PULLEY_CONTAINERD"] ?? requiredTool("containerd");
  const folder = await mkdtemp(join(tmpdir(), "pulley-containerd-"));
  const site = siteIn(folder, options.root);
  const subnet = options.network === "pods" ? await takeSubnet() : undefined;
  await writeConfiguration(site, { sandboxImage, subnet: subnet?.number });

  let child: ChildProcess | undefined;
  const killAtExit = (): unknown => child?.kill("SIGKILL");
  process.once("exit", killAtExit);
  const kill = async (signal: NodeJS.Signals): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  };
  const start = async (): Promise<void> => {
    child = spawnLogged(program, site);
    await untilReady(child, site);
  };
  const ctr = (args: readonly string[]): Promise<string> =>
    run(requiredTool("ctr"), ["--address", site.socket, "--namespace", namespace, ...args]);
  const stop = async (): Promise<void> => {
    process.off("exit", killAtExit);
    await kill("SIGKILL");
    try {
      await readLast(site.root);
    } finally {
      await removeLeftovers(site);
      subnet?.release();
      await rm(folder, { recursive: true, force: true });
    }
  };

  try {
    await start();
    await importImage(site, ctr);
    readAgainAfterEachTest(site.root);
  } catch (error) {
    await stop();
    throw error;
  }
  const restart = async (): Promise<void> => {
    await kill("SIGTERM");
    await start();
  };
  const { socket, logFile, certsDir } = site;
  return { socket, folder, namespace, logFile, certsDir, ctr, kill, restart, stop };
}

async function importImage(site: ContainerdSite, ctr: (args: readonly string[]) => Promise<string>): Promise<void> {
  const archive = join(site.folder, "pause.tar");
  await writeFile(archive, (await busyboxImage()).archive(sandboxImage));
  await ctr(["images", "import", archive]);
  // What the archive had beside the image is collected now, and not in the middle of a test.
  await ctr(["leases", "create", "--id", "imported"]);
  await ctr(["leases", "rm", "--sync", "imported"]);
  await rm(archive);
}

function spawnLogged(program: string, { configFile, logFile }: ContainerdSite): ChildProcess {
  const log = openSync(logFile, "a");
  try {
    // A containerd looks for its shims here.
    const env = { ...process.env, PATH: `${dirname(program)}${delimiter}${process.env["PATH"] ?? ""}` };
    return spawn(program, ["--config", configFile], { stdio: ["ignore", log, log], env });
  } finally {
    closeSync(log);
  }
}

/** The CRI comes last: until then its calls fail, and before that there is no socket. */
async function untilReady(child: ChildProcess, { socket, logFile }: ContainerdSite): Promise<void> {
  for (let attempt = 0; attempt < 2400; attempt += 1) {
    if (await answers(socket)) return;
    if (child.exitCode !== null)
      throw new Error(`containerd ended with status ${child.exitCode}:\n${await readFile(logFile, "utf8")}`);
    await delay(50);
  }
  throw new Error(`containerd did not answer within two minutes:\n${await readFile(logFile, "utf8")}`);
}

async function answers(socket: string): Promise<boolean> {
  // Only now: most tests that work against real programs need none of this.
  const { openChannel } = await import("../src/support/grpc/client.ts");
  const { RuntimeService } = await import("../src/cri/api/runtime/v1/api_pb.js");
  const channel = openChannel(socket);
  try {
    await channel.unary(RuntimeService.method.status, {}, { timeout: 2000 });
    return true;
  } catch {
    return false;
  } finally {
    channel.close();
  }
}
