/** What a daemon tells of pods that run on a real containerd, through `pulley get`, `describe` and `logs`. */
import { once } from "node:events";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { startablePodsFrom } from "../../src/cli/requests.ts";
import { openRuntime } from "../../src/cli/runtime.ts";
import { daemonMetrics, startTelling, storeFigures } from "../../src/cli/telling.ts";
import { createNodeClient } from "../../src/node/api/client.ts";
import { createEmbeddedImageService } from "../../src/node/embedded-image-service.ts";
import { createNode } from "../../src/node/node.ts";
import { decide } from "../../src/policy/decide.ts";
import { kubernetesOnly } from "../../src/policy/types.ts";
import { createRegistryClient } from "../../src/registry/client.ts";
import type { ImageStore } from "../../src/store/index.ts";
import { systemClock } from "../../src/support/clock.ts";
import { silentLog } from "../../src/support/log.ts";
import { pulley } from "../e2e/pulley.ts";
import { containerdTools, describeWith } from "../tools.ts";
import { forever, type Ground, leftovers, pod, prepareGround, shell } from "./ground.ts";

vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

const platform = { os: "linux", architecture: "amd64", variant: "" };

function fail(): never {
  throw new Error("there is no store yet");
}

describeWith([...containerdTools, "docker-registry", "skopeo"], "a daemon in front of a containerd", () => {
  let ground: Ground;
  beforeAll(async () => {
    ground = await prepareGround("host");
    await ground.push("team/app:1");
  });
  afterAll(() => ground.stop());

  async function startDaemon(root: string) {
    const log = silentLog;
    const clock = systemClock;
    let store: ImageStore | undefined;
    const metrics = daemonMetrics({ store: async () => storeFigures(store ?? fail()) }, { log, clock });
    const quiet = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough(), environment: {} };
    const { runtimeOperation } = metrics.listeners;
    const runtime = await openRuntime(
      ground.containerd.socket,
      { root, platform, onOperation: runtimeOperation },
      quiet,
    );
    const registry = createRegistryClient({});
    store = runtime.store;
    const { containers } = runtime;
    const node = createNode({
      images: createEmbeddedImageService({ store, registry, platform, clock }),
      ...{ policy: kubernetesOnly, decide, records: undefined, containers, clock },
      loginsFor: () => ({ logins: async () => [] }),
      pulls: {},
      random: Math.random,
    });
    const check = async () => void (await containers.runtime.version());
    const options = {
      socket: join(root, "run", "node.sock"),
      metrics: "127.0.0.1:0",
      logFormat: "json",
      logLevel: "info",
    } as const;
    const ready = [{ name: "runtime", check }];
    const telling = await startTelling({ node, store, metrics, log, clock, ready, nodeName: "node-1" }, options, quiet);
    const stop = async () => {
      for (const status of node.pods()) await node.remove(status.pod);
      await node.stop();
      await telling.close();
      await registry.close();
      await runtime.close();
    };
    return { node, telling, stop };
  }

  it("tells of containers that run, end and begin again, and of what they write", async () => {
    const root = await ground.root();
    const { node, telling, stop } = await startDaemon(root);
    const { socket } = telling;
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
      expect(await (await fetch(`http://${telling.metrics}/readyz?verbose`)).text()).toContain("[+]runtime ok\n");
      const text = await (await fetch(`http://${telling.metrics}/metrics`)).text();
      expect(text).toMatch(/pulley_store_images [1-9]/);
      expect(text).toMatch(/kubelet_runtime_operations_total\{operation_type="run_podsandbox"\} 1\n/);
      expect(text).toMatch(/kubelet_runtime_operations_total\{operation_type="create_container"\} 3\n/);
      expect((await ask("get", "pods")).stderr).toBe("No resources found in default namespace.\n");
    } finally {
      await stop();
    }
    expect(await leftovers(ground, root)).toEqual([]);
  });
});
