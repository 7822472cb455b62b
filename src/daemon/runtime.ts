/** A container runtime, with its containers and its images. */
import { createHash } from "node:crypto";
import { mkdirSync, realpathSync } from "node:fs";
import { availableParallelism, hostname, networkInterfaces, totalmem } from "node:os";
import { join } from "node:path";
import { connectRuntime, type RuntimeOperation } from "../cri/index.ts";
import type { Platform } from "../image/index.ts";
import { type ContainersOptions, podFolders, readResolver } from "../pods/index.ts";
import { type ImageStore, openContainerdStore } from "../store/index.ts";

export interface OpenedRuntime {
  readonly containers: ContainersOptions;
  /** The runtime's own images. */
  readonly store: ImageStore;
  close(): Promise<void>;
}

/**
 * Connects to containerd, for its containers and its images.
 * @param warn called with a sentence for each damaged image
 * @throws PulleyError `RUNTIME_UNREACHABLE`, `RUNTIME_FAILED`
 */
export async function openRuntime(
  socket: string,
  { root, platform }: { readonly root: string; readonly platform: Platform },
  warn: (message: string) => void,
  onOperation?: (operation: RuntimeOperation) => void,
): Promise<OpenedRuntime> {
  const store = await openContainerdStore({ socket, root: join(root, "containerd"), platform, warn });
  const runtime = connectRuntime(socket, { onOperation });
  return {
    store,
    containers: { runtime, folders: podFolders(realRoot(root)), node: nodeKey(root), host: hostFacts(root) },
    close: async () => {
      runtime.close();
      await store.close();
    },
  };
}

function realRoot(root: string): string {
  mkdirSync(root, { recursive: true, mode: 0o700 });
  return realpathSync(root);
}

/** Identifies the node by its folder, so that a restarted daemon finds its containers again. */
function nodeKey(root: string): string {
  return createHash("sha256").update(realRoot(root)).digest("hex").slice(0, 16);
}

function hostFacts(root: string): ContainersOptions["host"] {
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  return {
    name: hostname(),
    ip: addresses.find(({ family, internal }) => family === "IPv4" && !internal)?.address ?? "127.0.0.1",
    capacity: { cpu: availableParallelism() * 1000, memory: totalmem() },
    resolver: readResolver,
    seccompFolder: join(realRoot(root), "seccomp"),
  };
}
