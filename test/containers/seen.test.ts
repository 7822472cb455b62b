/** What a daemon tells of pods that run on a real containerd, through `pulley get`, `describe` and `logs`. */
import { once } from "node:events";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { startablePodsFrom } from "../../src/cli/requests.ts";
import { openRuntime } from "../../src/cli/runtime.ts";
import { createNodeClient } from "../../src/node/api/client.ts";
import { createEventList } from "../../src/node/api/events.ts";
import { serveApi } from "../../src/node/api/server.ts";
import { createEmbeddedImageService } from "../../src/node/embedded-image-service.ts";
import { createHealth } from "../../src/node/health.ts";
import { createMetrics } from "../../src/node/metrics/index.ts";
import { createNode } from "../../src/node/node.ts";
import { decide } from "../../src/policy/decide.ts";
import { kubernetesOnly } from "../../src/policy/types.ts";
import { createRegistryClient } from "../../src/registry/client.ts";
import { systemClock } from "../../src/support/clock.ts";
import { silentLog } from "../../src/support/log.ts";
import { pulley } from "../e2e/pulley.ts";
import { containerdTools, describeWith } from "../tools.ts";
import { forever, type Ground, leftovers, pod, prepareGround, shell } from "./ground.ts";

vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

const platform = { os: "linux", architecture: "amd64", variant: "" };

describeWith([...containerdTools, "docker-registry", "skopeo"], "a daemon in front of a containerd", () => {
  let ground: Ground;
  beforeAll(async () => {
    ground = await prepareGround("host");
    await ground.push("team/app:1");
  });
  afterAll(() => ground.stop());

  async function startDaemon(root: string) {
    const metrics = createMetrics({ version: "1.2.3", clock: systemClock });
    const quiet = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough(), environment: {} };
    const { runtimeOperation } = metrics.listeners;
    const runtime = await openRuntime(
      ground.containerd.socket,
      { root, platform, onOperation: runtimeOperation },
      quiet,
    );
    const registry = createRegistryClient({});
    const { store, containers } = runtime;
    const node = createNode({
      images: createEmbeddedImageService({ store, registry, platform, clock: systemClock }),
      ...{ policy: kubernetesOnly, decide, records: undefined, containers, clock: systemClock },
      loginsFor: () => ({ logins: async () => [] }),
      pulls: {},
      random: Math.random,
    });
    const events = createEventList({ host: "node-1" });
    node.onSignal(metrics.listeners.nodeSignal);
    node.onSignal((signal) => {
      if (signal.kind === "event") events.add(signal.event);
    });
    const socket = join(root, "run", "node.sock");
    const server = await serveApi({
      ...{ socket, node, events, clock: systemClock, nodeName: "node-1", version: "1.2.3", log: silentLog },
      images: () => store.images(),
      health: createHealth({ clock: systemClock }),
    });
    const stop = async () => {
      for (const status of node.pods()) await node.remove(status.pod);
      await node.stop();
      await server.close();
      await registry.close();
      await runtime.close();
    };
    return { node, metrics, socket, stop };
  }

  it("tells of containers that run, end and begin again, and of what they write", async () => {
    const root = await ground.root();
    const { node, metrics, socket, stop } = await startDaemon(root);
    const ask = (...args: readonly string[]) => pulley([...args, "--socket", socket]);
    try {
      const image = `${ground.registry.host}/team/app:1`;
      const line = `echo begun; echo again > /proc/self/fd/2; ${forever}`;
      const containers = [
        { ...shell(image, line), name: "steady" },
        { ...shell(image, "echo first words; exit 3"), name: "failing" },
      ];
      const manifest = pod("web", { containers });
      const { pods, secrets, objects } = startablePodsFrom({
        manifests: [{ text: manifest, file: "web.yaml" }],
        images: [],
      });
      node.add(pods, secrets, objects);
      const client = createNodeClient(socket);
      const restarts = async () => {
        const { status } = await client.pod("default", "web");
        return status.containerStatuses.find(({ name }) => name === "failing")?.restartCount;
      };
      await expect.poll(restarts, { timeout: 40_000, interval: 200 }).toBe(1);

      const { stdout: table } = await ask("get", "pods");
      expect(table).toMatch(/\nweb +[12]\/2 +(Running|Error|CrashLoopBackOff) +1 \(\d+s ago\) +\d+s\n$/);
      expect((await ask("logs", "pod/web", "-c", "steady")).stdout.split("\n").sort()).toEqual(["", "again", "begun"]);
      expect((await ask("logs", "pod/web", "-c", "failing", "--previous")).stdout).toBe("first words\n");
      const { stdout } = await ask("describe", "pod/web");
      expect(stdout).toMatch(/ {4}Container ID: {3}containerd:\/\/[0-9a-f]{64}\n/);
      expect(stdout).toMatch(
        / {4}Last State: {5}Terminated\n {6}Reason: {7}Error\n {6}Exit Code: {4}3\n {6}Started: .*\n {6}Finished: /,
      );
      expect(stdout).toMatch(/ {4}Decision: {7}(Pull|Use)\n/);
      expect(stdout).toMatch(/Normal {3}Started +\d+s .*pulley {2}Container started\n/);

      const following = pulley(["logs", "pod/web", "-c", "steady", "-f", "--socket", socket], {
        meanwhile: async (child) => {
          if (child.stdout !== null) await once(child.stdout, "data");
          for (const { pod: one } of node.pods()) await node.remove(one);
        },
      });
      expect(await following).toMatchObject({ status: 0, stdout: expect.stringContaining("begun\n") });
      const text = await metrics.text();
      expect(text).toMatch(/kubelet_runtime_operations_total\{operation_type="run_podsandbox"\} 1\n/);
      expect(text).toMatch(/kubelet_runtime_operations_total\{operation_type="create_container"\} 3\n/);
      expect((await ask("get", "pods")).stderr).toBe("No resources found in default namespace.\n");
    } finally {
      await stop();
    }
    expect(await leftovers(ground, root)).toEqual([]);
  });
});
