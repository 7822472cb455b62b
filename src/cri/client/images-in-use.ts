/** Which images a runtime's containers have. */

import type { InUse } from "../../gc/index.ts";
import { errorText, PulleyError } from "../../support/errors.ts";
import { type Channel, statusOf } from "../../support/grpc/client.ts";
import { readJson } from "../../support/json-cursor.ts";
import { ImageService, RuntimeService } from "../api/runtime/v1/api_pb.js";
import { requestTimeout } from "./request-timeout.ts";

/** Bytes. */
const statusLimit = 1024 * 1024;

/**
 * The images of all containers, those that have exited too, and of the image volumes that are mounted into them
 * (k8s pkg/kubelet/images/image_gc_manager.go), and the sandboxes' own. What is mounted into a container never changes, so each is asked for once.
 * Failures are `PulleyError`s: `RUNTIME_UNREACHABLE`, `RUNTIME_FAILED`.
 */
export function imagesOfContainers(channel: Channel): InUse {
  const { method } = RuntimeService;
  let mounted = new Map<string, readonly string[]>();

  async function mountedImages(containerId: string): Promise<readonly string[]> {
    try {
      const { status } = await channel.unary(method.containerStatus, { containerId }, { timeout: requestTimeout });
      return (status?.mounts ?? []).flatMap(({ image }) => image?.image || []);
    } catch (error) {
      // It was removed since it was listed.
      if (statusOf(error) === "NOT_FOUND") return [];
      const message = `get container status: ${errorText(error)}`;
      throw new PulleyError(error instanceof PulleyError ? error.code : "RUNTIME_FAILED", message, { cause: error });
    }
  }

  /** No container has it, but every sandbox does. Runtimes that are new enough pin it; containerd 1.6 does not. */
  async function sandboxImage(): Promise<string | undefined> {
    const { info } = await channel.unary(method.status, { verbose: true }, { timeout: requestTimeout });
    const image = sandboxImageIn(info["config"] ?? "{}");
    if (image === undefined) return undefined;
    const status = await channel.unary(
      ImageService.method.imageStatus,
      { image: { image } },
      { timeout: requestTimeout },
    );
    return status.image?.id;
  }

  return {
    images: async () => {
      const { containers } = await channel.unary(method.listContainers, {}, { timeout: requestTimeout });
      const used = new Set<string>();
      const seen = new Map<string, readonly string[]>();
      for (const { id, imageId, imageRef } of containers) {
        const images = mounted.get(id) ?? (await mountedImages(id));
        seen.set(id, images);
        for (const image of [imageId || imageRef, ...images]) used.add(image);
      }
      mounted = seen;
      const sandbox = await sandboxImage();
      if (sandbox !== undefined) used.add(sandbox);
      return used;
    },
  };
}

/** containerd puts its configuration into its status; other runtimes write other things there. */
function sandboxImageIn(text: string): string | undefined {
  try {
    const rules = { name: "config", code: "RUNTIME_FAILED", limit: statusLimit } as const;
    const field = readJson(Buffer.from(text), rules).object("sandboxImage");
    return field("sandboxImage").optional((image) => image.string()) || undefined;
  } catch {
    return undefined;
  }
}
