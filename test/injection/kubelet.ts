/** What a kubelet asks of containerd's CRI, for one container. */
import { setTimeout as delay } from "node:timers/promises";
import { ContainerState, type Image, ImageService, RuntimeService } from "../../src/cri/api/runtime/v1/api_pb.js";
import { type Channel, openChannel } from "../../src/support/grpc/client.ts";
import type { Containerd } from "../tools.ts";

export interface Kubelet {
  /** The image under a name, as soon as the CRI has it. @throws Error if it does not within ten seconds */
  image(name: string): Promise<Image>;
  /** Starts a container of an image on the host's network; what a program in it prints. */
  runIn(image: string, command: readonly string[]): Promise<string>;
  close(): void;
}

const onHost = { securityContext: { namespaceOptions: { network: 2 } } };

export function kubeletOf({ socket }: Containerd): Kubelet {
  const channel = openChannel(socket);
  return {
    image: (name) => findImage(channel, name),
    runIn: (image, command) => runIn(channel, image, command),
    close: () => channel.close(),
  };
}

async function findImage(channel: Channel, name: string): Promise<Image> {
  for (let attempt = 0; attempt < 2400; attempt += 1) {
    const { image } = await channel.unary(ImageService.method.imageStatus, { image: { image: name } });
    if (image !== undefined) return image;
    await delay(50);
  }
  throw new Error(`the CRI does not see ${name}`);
}

async function runIn(channel: Channel, image: string, command: readonly string[]): Promise<string> {
  const { id } = await findImage(channel, image);
  const sandboxConfig = {
    metadata: { name: "pod", namespace: "default", uid: id, attempt: 0 },
    linux: onHost,
  };
  const { podSandboxId } = await channel.unary(RuntimeService.method.runPodSandbox, { config: sandboxConfig });
  try {
    const config = { metadata: { name: "main", attempt: 0 }, image: { image: id }, linux: onHost };
    const created = await channel.unary(RuntimeService.method.createContainer, { podSandboxId, config, sandboxConfig });
    const { containerId } = created;
    await channel.unary(RuntimeService.method.startContainer, { containerId });
    const { status } = await channel.unary(RuntimeService.method.containerStatus, { containerId });
    if (status?.state !== ContainerState.CONTAINER_RUNNING)
      throw new Error(`the container does not run: ${status?.state}`);
    const ran = await channel.unary(RuntimeService.method.execSync, { containerId, cmd: [...command], timeout: 10n });
    if (ran.exitCode !== 0) throw new Error(`${command.join(" ")}: ${Buffer.from(ran.stderr).toString()}`);
    return Buffer.from(ran.stdout).toString();
  } finally {
    await channel.unary(RuntimeService.method.stopPodSandbox, { podSandboxId });
    await channel.unary(RuntimeService.method.removePodSandbox, { podSandboxId });
  }
}
