import type { ContainerdStoreOptions } from "./containerd/index.ts";
import type { ImageStore } from "./image-store.ts";

/**
 * Opens containerd's images as a store. What speaks with containerd is loaded only now: it takes longer than many commands.
 * @throws PulleyError `RUNTIME_UNREACHABLE`, `RUNTIME_FAILED`
 */
export async function openContainerdStore(options: ContainerdStoreOptions): Promise<ImageStore> {
  const { openContainerdStore: open } = await import("./containerd/index.ts");
  return open(options);
}
