/** What `pulley node` tells of pods that run on a real containerd, through `pulley get`, `describe`, `logs` and metrics. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createNodeClient } from "../../src/daemon/index.ts";
import { readExposition } from "../../src/support/monitoring/testing/exposition.ts";
import { program, pulley, runProgram } from "../e2e/pulley.ts";
import { containerdTools, describeWith } from "../tools.ts";
import { forever, type Ground, leftovers, pod, prepareGround, shell } from "./ground.ts";

interface Daemon {
  readonly child: ChildProcess;
  readonly socket: string;
  /** The lines of its log. */
  log(): readonly Record<string, unknown>[];
  metrics(path: string): Promise<string>;
}

describeWith([...containerdTools, "docker-registry", "skopeo"], "pulley node in front of a containerd", () => {
  let ground: Ground;
  beforeAll(async () => {
    ground = await prepareGround("host");
    await ground.push("team/app:1");
  });
  afterAll(() => ground.stop());

  async function startDaemon(root: string, manifests: string): Promise<Daemon> {
    const socket = join(root, "node.sock");
    const runtime = ["--runtime", `unix://${ground.containerd.socket}`, "--root", root, "--manifests", manifests];
    const sockets = ["--socket", socket, "--cri-socket", join(root, "cri.sock"), "--metrics", "127.0.0.1:0"];
    const child = spawn(process.execPath, [program, "node", ...runtime, ...sockets, "--log-format", "json"], {
      env: { PATH: process.env["PATH"], HOME: "/nonexistent" },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    const log = () =>
      said
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    const address = () => log().find(({ message }) => message === "metrics are served")?.["address"];
    await expect.poll(address).toBeDefined();
    return { child, socket, log, metrics: async (path) => (await fetch(`http://${address()}${path}`)).text() };
  }

  it("tells of containers that run, end and begin again, and of what they write", async () => {
    const root = await ground.root();
    const manifests = join(root, "manifests");
    await mkdir(manifests);
    const { child, socket, log, metrics } = await startDaemon(root, manifests);
    const ask = (...args: readonly string[]) => pulley([...args, "--socket", socket]);
    try {
      const image = `${ground.registry.host}/team/app:1`;
      const line = `echo begun; echo again > /proc/self/fd/2; ${forever}`;
      const containers = [
        { ...shell(image, line), name: "steady" },
        { ...shell(image, "echo first words; exit 3"), name: "failing" },
      ];
      await writeFile(join(manifests, "web.yaml"), pod("web", { containers }));
      const client = createNodeClient(socket);
      const found = async () => (await client.pods()).find(({ metadata }) => metadata.name.startsWith("web"));
      const restarts = async () =>
        (await found())?.status.containerStatuses.find(({ name }) => name === "failing")?.restartCount ?? 0;
      await expect.poll(restarts, { interval: 200 }).toBeGreaterThan(0);
      const name = (await found())?.metadata.name ?? "";

      const { stdout: table } = await ask("get", "pods");
      expect(table).toMatch(/\nweb\S* +[12]\/2 +(Running|Error|CrashLoopBackOff) +\d \(\d+s ago\) +\d+s\n$/);
      const steady = await ask("logs", `pod/${name}`, "-c", "steady");
      expect(steady.stdout.split("\n").sort()).toEqual(["", "again", "begun"]);
      expect((await ask("logs", `pod/${name}`, "-c", "failing", "--previous")).stdout).toBe("first words\n");
      const { stdout } = await ask("describe", `pod/${name}`);
      expect(stdout).toMatch(/ {4}Container ID: {3}containerd:\/\/[0-9a-f]{64}\n/);
      expect(stdout).toMatch(/ {4}Last State: {5}Terminated\n {6}Reason: {7}Error\n {6}Exit Code: {4}3\n/);
      expect(stdout).toMatch(/ {4}Decision: {7}(Pull|Use)\n/);
      expect(stdout).toMatch(/Normal +Started +\d+s .*pulley {2}Container started\n/);

      const following = runProgram(["logs", `pod/${name}`, "-c", "steady", "-f", "--socket", socket], {
        meanwhile: async (reader) => {
          if (reader.stdout !== null) await once(reader.stdout, "data");
          await rm(join(manifests, "web.yaml"));
        },
      });
      expect(await following).toMatchObject({ status: 0, stdout: expect.stringContaining("begun\n") });
      await expect.poll(async () => (await client.pods()).length).toBe(0);

      expect(await metrics("/readyz?verbose")).toContain("[+]runtime ok\n");
      const families = readExposition(await metrics("/metrics"));
      const operations = new Map(
        families
          .get("kubelet_runtime_operations_total")
          ?.samples.map(({ labels, value }) => [labels["operation_type"], value]),
      );
      expect(operations.get("run_podsandbox")).toBe(1);
      expect(operations.get("create_container")).toBeGreaterThan(2);
      expect(families.get("pulley_store_images")?.samples[0]?.value).toBeGreaterThan(0);
      expect(families.get("kubelet_imagemanager_ondisk_pullintents")?.samples[0]?.value).toBe(0);
      expect(log().filter(({ reason }) => reason === "Started").length).toBeGreaterThan(2);
      expect(
        log().every(({ level, time, message }) => [level, time, message].every((text) => typeof text === "string")),
      ).toBe(true);
    } finally {
      if (child.exitCode === null) {
        child.kill("SIGTERM");
        await once(child, "exit");
      }
    }
    expect(child.exitCode).toBe(0);
    expect(await leftovers(ground, root)).toEqual([]);
  });
});
