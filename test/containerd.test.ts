import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { ImageService, RuntimeService } from "../src/cri/api/runtime/v1/api_pb.js";
import { type Channel, openChannel } from "../src/support/grpc/client.ts";
import { type Containerd, containerdTools, describeWith, startContainerd } from "./tools.ts";

describeWith([...containerdTools], "a private containerd", () => {
  const running: Containerd[] = [];
  const channels: Channel[] = [];
  const start = async (network: "host" | "pods") => {
    const containerd = await startContainerd({ network });
    running.push(containerd);
    const channel = openChannel(containerd.socket);
    channels.push(channel);
    return { containerd, channel };
  };
  afterEach(async () => {
    for (const channel of channels.splice(0)) channel.close();
    for (const containerd of running.splice(0)) await containerd.stop();
  });

  test.each(["host", "pods"] as const)(
    "starts a pod on the network of %s, and leaves nothing behind",
    async (network) => {
      const { containerd, channel } = await start(network);
      const { podSandboxId } = await channel.unary(RuntimeService.method.runPodSandbox, { config: sandboxOn(network) });
      const { status } = await channel.unary(RuntimeService.method.podSandboxStatus, { podSandboxId });
      expect(status?.network?.ip ?? "").toMatch(network === "pods" ? /^10\.213\./ : /^$/);
      expect(await traces(containerd, podSandboxId)).not.toEqual([]);
      await containerd.stop();
      expect(await traces(containerd, podSandboxId)).toEqual([]);
    },
  );

  test("can be ended and started again, and has its images still", async () => {
    const { containerd, channel } = await start("host");
    await containerd.kill("SIGKILL");
    await expect(containerd.ctr(["version"])).rejects.toThrow("connection");
    await containerd.restart();
    const { images } = await channel.unary(ImageService.method.listImages, {});
    expect(images.map(({ repoTags }) => repoTags)).toEqual([["pulley.test/pause:1"]]);
    expect(await containerd.ctr(["images", "ls", "--quiet"])).toContain("pulley.test/pause:1");
  });
});

function sandboxOn(network: "host" | "pods") {
  return {
    metadata: { name: "pod", namespace: "default", uid: "1", attempt: 0 },
    linux: { securityContext: { namespaceOptions: { network: network === "host" ? 2 : 0 } } },
  };
}

/** Mounts, processes, cgroups and network interfaces that still name the containerd's folder or its pod. */
async function traces({ folder }: Containerd, pod: string): Promise<string[]> {
  const mounts = (await readFile("/proc/self/mountinfo", "utf8")).split("\n");
  const processes = (await namesIn("/proc")).filter((name) => /^\d+$/.test(name));
  const commands = await Promise.all(processes.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")));
  const controllers = await namesIn("/sys/fs/cgroup");
  const groups = await Promise.all(controllers.map((name) => namesIn(join("/sys/fs/cgroup", name, "k8s.io"))));
  return [...mounts, ...commands, ...groups.flat()].filter((text) => text.includes(folder) || text.includes(pod));
}

async function namesIn(path: string): Promise<string[]> {
  return readdir(path).catch(() => []);
}
