import { join } from "node:path";
import { hostPlatform } from "../image/platform.ts";
import { openEmbeddedStore } from "../store/embedded/index.ts";
import type { ImageStore } from "../store/index.ts";
import { warnOn } from "./printing.ts";
import { type Surroundings } from "./surroundings.ts";

/** Opens the store; damage that is found in it is told of on standard error. */
export function openStore(root: string, surroundings: Surroundings): Promise<ImageStore> {
  return openEmbeddedStore(root, { warn: warnOn(surroundings) });
}

/** Opens the store for the time that `use` takes. */
export async function withStore<Result>(
  root: string,
  surroundings: Surroundings,
  use: (store: ImageStore) => Promise<Result>,
): Promise<Result> {
  const store = await openStore(root, surroundings);
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

/** The runtime's images where there is a runtime, and else the store. */
export interface ImagesPlace {
  readonly root: string;
  readonly runtime?: string | undefined;
}

/** Opens them for the time that `use` takes. */
export async function withImages<Result>(
  place: ImagesPlace,
  surroundings: Surroundings,
  use: (store: ImageStore) => Promise<Result>,
): Promise<Result> {
  const store = await openImages(place, surroundings);
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

export async function openImages(
  { root, runtime: socket }: ImagesPlace,
  surroundings: Surroundings,
): Promise<ImageStore> {
  if (socket === undefined) return openStore(root, surroundings);
  const { openContainerdStore } = await import("../store/containerd/index.ts");
  const platform = hostPlatform(process.platform, process.arch);
  return openContainerdStore({ socket, root: join(root, "containerd"), platform, warn: warnOn(surroundings) });
}
