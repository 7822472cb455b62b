/** The image service in front of Debian's containerd, with the images in that: what a node has. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { ContainerState, NamespaceMode, RuntimeService } from "../../src/cri/api/runtime/v1/api_pb.js";
import { begin, connectRaw, framed, rawCall } from "../../src/cri/testing/raw-call.ts";
import { policyOf } from "../../src/pull/testing/policies.ts";
import { openContainerdStore } from "../../src/store/index.ts";
import { run } from "../programs.ts";
import { type Containerd, containerdTools, describeWith, startContainerd, tool } from "../tools.ts";
import { busybox } from "./busybox.ts";
import { criImageSpecs } from "./image-specs.ts";
import { type CriGiven, startCri } from "./server.ts";
import { openShop, outcome } from "./shop.ts";

const { method } = RuntimeService;
const platform = { os: "linux", architecture: "amd64", variant: "" };

describeWith([...containerdTools], "in front of containerd", () => {
  let containerd: Containerd;
  beforeAll(async () => {
    containerd = await startContainerd();
  });
  afterAll(() => containerd?.stop());

  async function start(given: CriGiven = {}) {
    const cri = await startCri({
      runtime: containerd.socket,
      openStore: (folder) => openContainerdStore({ socket: containerd.socket, root: join(folder, "store"), platform }),
      ...given,
    });
    onTestFinished(async () => {
      for (const { id, repoTags } of await cri.client.list())
        if (!repoTags.join().includes("pause")) await cri.client.remove(id);
    });
    return cri;
  }

  criImageSpecs("as critest asks", () => start());

  const shop = openShop();

  test("what is not about images is the runtime's own", async () => {
    const { client, socket } = await start();
    const version = await client.channel.unary(method.version, {});
    expect(version.runtimeName).toBe("containerd");
    const { status } = await client.channel.unary(method.status, { verbose: true });
    expect(status?.conditions.find(({ type }) => type === "RuntimeReady")?.status).toBe(true);

    const session = connectRaw(socket);
    const health = await rawCall(session, "/grpc.health.v1.Health/Check", framed(""));
    expect([health.trailers["grpc-status"], health.body.toString("hex")]).toEqual([
      "0",
      framed("\x08\x01").toString("hex"),
    ]);
    const old = await rawCall(session, "/runtime.v1alpha2.RuntimeService/Version", framed(""));
    expect(old.body.toString()).toContain("containerd");
    const future = await rawCall(session, "/runtime.v9.FutureService/Method", framed(""));
    expect(future.headers["grpc-status"]).toBe("12");
    expect(future.headers["grpc-message"]).toContain("unknown service runtime.v9.FutureService");
  });

  test("images are the runtime's, and those that a rule denies stay out by every door", async () => {
    const { client, socket } = await start({ policy: policyOf("{ name: none, admit: Deny, message: not here }") });
    expect((await client.list()).map(({ repoTags }) => repoTags)).toContainEqual(["pulley.test/pause:1"]);
    expect(await outcome(client.pull(shop().publicImage))).toContain("is denied by test/none: not here");
    const name = Buffer.from(shop().publicImage);
    const spec = Buffer.concat([Buffer.from([0x0a, name.length]), name]);
    const request = framed(Buffer.concat([Buffer.from([0x0a, spec.length]), spec]));
    const old = await rawCall(connectRaw(socket), "/runtime.v1alpha2.ImageService/PullImage", request);
    expect(old.headers["grpc-message"]).toContain("is denied by test/none: not here");
    expect(shop().registry.log).toEqual([]);
  });

  test("containerd's own eyes see what Pulley has pulled", async () => {
    const { client } = await start();
    const id = await client.pull(shop().publicImage);
    const names = await containerd.ctr(["images", "ls", "--quiet"]);
    expect(names.split("\n")).toContain(shop().publicImage);
    expect((await client.status(id))?.id).toBe(id);
  });

  test("a runtime that goes away is told of, and found again when it is back", async () => {
    const { client, socket } = await start();
    await containerd.kill("SIGKILL");
    const stream = begin(connectRaw(socket), `/${RuntimeService.typeName}/Version`);
    stream.end(framed(""));
    expect(await outcome(client.channel.unary(method.version, {}))).toMatch(/^UNAVAILABLE: the container runtime at /);
    expect(await outcome(client.status(shop().publicImage))).toMatch(/^UNAVAILABLE: /);
    await containerd.restart();
    expect((await client.channel.unary(method.version, {})).runtimeName).toBe("containerd");
    await expect.poll(() => outcome(client.status(shop().publicImage))).toBe("OK");
  });

  test("a container starts from what Pulley has pulled, and knows its image by the same id", async () => {
    const { client } = await start();
    const image = `${shop().registry.host}/team/busybox:1`;
    shop().registry.addImage("team/busybox:1", await busybox(["/bin/busybox", "sh", "-c", "exit 7"]));
    const imageRef = await client.pull(image);
    const { channel } = client;
    const linux = { securityContext: { namespaceOptions: { network: NamespaceMode.NODE } } };
    const sandboxConfig = { metadata: { name: "web-0", namespace: "default", uid: "1", attempt: 0 }, linux };
    const { podSandboxId } = await channel.unary(method.runPodSandbox, { config: sandboxConfig });
    const config = {
      metadata: { name: "web", attempt: 0 },
      image: { image: imageRef, userSpecifiedImage: image },
      linux,
    };
    const { containerId } = await channel.unary(method.createContainer, { podSandboxId, config, sandboxConfig });
    await channel.unary(method.startContainer, { containerId });
    const status = async () => (await channel.unary(method.containerStatus, { containerId })).status;
    await expect.poll(async () => (await status())?.state).toBe(ContainerState.CONTAINER_EXITED);
    expect((await status())?.exitCode).toBe(7);
    const { containers } = await channel.unary(method.listContainers, {});
    expect(containers.map((container) => container.imageRef)).toEqual([imageRef]);
    await channel.unary(method.stopPodSandbox, { podSandboxId });
    await channel.unary(method.removePodSandbox, { podSandboxId });
  });

  const crictl = tool("crictl");
  test.skipIf(crictl === undefined)("crictl finds both behind one socket", async () => {
    const { socket } = await start();
    const endpoint = `unix://${socket}`;
    const call = (...args: readonly string[]) =>
      run(crictl ?? "", [
        "--runtime-endpoint",
        endpoint,
        "--image-endpoint",
        endpoint,
        "--config",
        "/dev/null",
        ...args,
      ]);
    expect(await call("version")).toContain("RuntimeName:  containerd");
    expect(await call("pull", shop().publicImage)).toContain("sha256:");
    expect(await call("images")).toContain(shop().publicImage.replace(/:1$/, ""));
    expect(await call("imagefsinfo")).toContain("overlayfs");
    expect(await call("pods", "-q")).toBe("");
  });
});
