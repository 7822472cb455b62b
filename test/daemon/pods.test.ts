import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { RuntimeService } from "../../src/cri/api/runtime/v1/api_pb.js";
import { openChannel } from "../../src/support/grpc/client.ts";
import { forever, type Ground, leftovers, pod, prepareGround, shell } from "../containers/ground.ts";
import { containerdTools, describeWith } from "../tools.ts";
import { type Daemon, startNode } from "./daemon.ts";

describeWith([...containerdTools, "docker-registry", "skopeo"], "a daemon in front of containerd", () => {
  let ground: Ground;
  let root: string;
  let manifests: string;
  let daemon: Daemon | undefined;

  beforeAll(async () => {
    ground = await prepareGround("host");
    root = await ground.root();
    manifests = await mkdtemp(join(ground.folder, "manifests-"));
    await ground.push("app:1");
  });
  afterAll(async () => {
    await daemon?.end("SIGKILL");
    await ground.stop();
    await rm(manifests, { recursive: true, force: true });
  });

  function start(): Promise<Daemon> {
    const runtime = `unix://${ground.containerd.socket}`;
    return startNode(manifests, "--root", root, "--runtime", runtime, "--manifests", manifests);
  }

  const file = () => join(manifests, "web.yaml");
  const isRunning = ({ stdout }: { stdout: string }) => /web +1\/1 +Running/.test(stdout);

  it("runs the pods of a folder, tells of them, finds them again, and ends what is taken out", async () => {
    const image = `${ground.registry.host}/app:1`;
    await writeFile(file(), pod("web", { containers: [shell(image, `echo "I am here"; ${forever}`)] }));
    daemon = await start();
    await daemon.askUntil(isRunning, "get", "pods");
    expect((await daemon.askUntil(({ stdout }) => stdout !== "", "logs", "pod/web")).stdout).toBe("I am here\n");
    const described = await daemon.ask("describe", "pod/web");
    expect(described.stdout).toMatch(/State: +Running/);
    expect(described.stdout).toMatch(/Pulled.*Successfully pulled image/);

    const containers = async () => {
      const channel = openChannel(daemon?.sockets.cri ?? "");
      const { containers: all } = await channel.unary(RuntimeService.method.listContainers, {});
      channel.close();
      return all.map(({ id }) => id);
    };
    const before = await containers();
    expect(before).toHaveLength(1);

    expect(await daemon.end()).toBe(0);
    daemon = await start();
    await daemon.askUntil(isRunning, "get", "pods");
    expect(await containers()).toEqual(before);

    await rm(file());
    await daemon.askUntil(({ stderr }) => stderr.includes("No resources found"), "get", "pods");
    expect(await containers()).toEqual([]);
    expect(await daemon.end()).toBe(0);
    daemon = undefined;
    expect(await leftovers(ground, root)).toEqual([]);
  });
});
