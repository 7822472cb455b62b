/** Collection in a containerd in which containers run: what they have stays, with everything that it consists of. */
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RuntimeService } from "../../src/cri/api/runtime/v1/api_pb.js";
import { imagesOfContainers } from "../../src/cri/client/images-in-use.ts";
import { type ImageStore, openContainerdStore } from "../../src/store/index.ts";
import { type Channel, openChannel } from "../../src/support/grpc/client.ts";
import { program, pulley } from "../e2e/pulley.ts";
import { type Containerd, containerdTools, describeWith, startContainerd } from "../tools.ts";
import { type Kubelet, kubeletOf } from "./kubelet.ts";
import { platform } from "./platform.ts";
import { pullAs, runnable } from "./samples.ts";
import { stateOf } from "./state.ts";

const onHost = { securityContext: { namespaceOptions: { network: 2 } } };

describeWith(containerdTools, "collection in containerd", () => {
  let containerd: Containerd;
  let kubelet: Kubelet;
  let channel: Channel;
  let store: ImageStore;
  let folder: string;
  const sandboxes: string[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "pulley-collection-"));
    containerd = await startContainerd();
    kubelet = kubeletOf(containerd);
    channel = openChannel(containerd.socket);
    store = await openContainerdStore({ socket: containerd.socket, root: join(folder, "containerd"), platform });
    for (const name of ["running", "exited", "unused"]) {
      const layers = [[{ path: `srv/${name}`, content: name.repeat(1000) }]];
      await pullAs(store, await runnable({ layers }), `registry.test/team/${name}`);
    }
  });

  afterAll(async () => {
    for (const podSandboxId of sandboxes) {
      await channel.unary(RuntimeService.method.stopPodSandbox, { podSandboxId });
      await channel.unary(RuntimeService.method.removePodSandbox, { podSandboxId });
    }
    channel?.close();
    await store?.close();
    kubelet?.close();
    await containerd?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** Starts a container; its id. */
  async function start(name: string): Promise<string> {
    const { id } = await kubelet.image(`registry.test/team/${name}:1`);
    const sandboxConfig = { metadata: { name, namespace: "default", uid: name, attempt: 0 }, linux: onHost };
    const { podSandboxId } = await channel.unary(RuntimeService.method.runPodSandbox, { config: sandboxConfig });
    sandboxes.push(podSandboxId);
    const config = { metadata: { name: "main", attempt: 0 }, image: { image: id }, linux: onHost };
    const request = { podSandboxId, config, sandboxConfig };
    const { containerId } = await channel.unary(RuntimeService.method.createContainer, request);
    await channel.unary(RuntimeService.method.startContainer, { containerId });
    return containerId;
  }

  describe.skipIf(!existsSync(program))("by pulley gc", () => {
    test("leaves what containers and their sandboxes have, be they running or not", async () => {
      const running = await start("running");
      const exited = await start("exited");
      await channel.unary(RuntimeService.method.stopContainer, { containerId: exited, timeout: 0n });
      const images = await store.images();
      const idOf = (name: string) => images.find(({ repoTags }) => repoTags.some((tag) => tag.includes(name)))?.id;
      const used = new Set(["/running:", "/exited:", "/pause:"].map(idOf));
      expect(await imagesOfContainers(channel).images()).toEqual(used);

      const args = [
        "--runtime",
        containerd.socket,
        "--root",
        folder,
        "--minimum-age",
        "0",
        "--even-if-lost",
        "-o",
        "json",
      ];
      const planned = await pulley(["gc", "--all", "--dry-run", ...args]);
      expect(await store.images()).toHaveLength(images.length);
      const done = await pulley(["gc", "--all", ...args]);
      expect(done).toMatchObject({ status: 0, stderr: "" });
      const results = ({ stdout }: typeof done) =>
        Object.fromEntries(
          JSON.parse(stdout).images.map((each: { names: string[]; result: string; reason: string }) => [
            each.names[0],
            `${each.result} ${each.reason}`,
          ]),
        );
      expect(results(planned)).toEqual(results(done));
      expect(results(done)).toEqual({
        "registry.test/team/running:1": "kept inUse",
        "registry.test/team/exited:1": "kept inUse",
        "registry.test/team/unused:1": "deleted space",
        "pulley.test/pause:1": "kept inUse",
      });
      expect(JSON.parse(done.stdout).freed.real).toBeGreaterThan(4000);

      const ran = { containerId: running, cmd: ["/bin/cat", "/srv/running"], timeout: 10n };
      const { stdout } = await channel.unary(RuntimeService.method.execSync, ran);
      expect(Buffer.from(stdout).toString()).toBe("running".repeat(1000));
      expect(await kubelet.runIn("registry.test/team/exited:1", ["/bin/cat", "/srv/exited"])).toContain("exited");
      const { images: names, leases, ingests } = await stateOf(containerd);
      expect(names.join(" ")).not.toContain("unused");
      expect({ leases, ingests }).toEqual({ leases: [], ingests: [] });
    });

    test("says when there is no runtime at a socket", async () => {
      const { status, stderr } = await pulley(["gc", "--runtime", join(folder, "none"), "--root", folder]);
      expect({ status, stderr }).toEqual({ status: 3, stderr: expect.stringContaining(join(folder, "none")) });
    });
  });
});
