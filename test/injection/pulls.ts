/** Pulls from a registry on loopback into a containerd, in this process. */

import { parseImageName } from "../../src/image/index.ts";
import type { PulledImage } from "../../src/pull/image-service.ts";
import { openPulls } from "../../src/pull/index.ts";
import { createRegistryClient } from "../../src/registry/index.ts";
import type { ImageStore } from "../../src/store/index.ts";
import { systemClock } from "../../src/support/clock.ts";
import { platform } from "./platform.ts";

const noThreads = new URL("no-such-script.mjs", import.meta.url);

export async function pullInto(store: ImageStore, image: string, signal?: AbortSignal): Promise<PulledImage> {
  const registry = createRegistryClient({}, { environment: {}, workerScript: noThreads });
  try {
    const images = openPulls({ store, registry, platform, clock: systemClock }).images;
    return await images.pull(parseImageName(image), undefined, { signal });
  } finally {
    await registry.close();
  }
}
