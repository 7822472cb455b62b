import { join } from "node:path";
import { hostPlatform } from "../image/index.ts";
import { type ImageStore, openContainerdStore, openEmbeddedStore } from "../store/index.ts";
import { type Io } from "./io.ts";
import { warnOn } from "./printing.ts";

/** Opens the store; damage is reported on standard error. */
export function openStore(root: string, io: Io): Promise<ImageStore> {
  return openEmbeddedStore(root, { warn: warnOn(io) });
}

/** Opens the store while `use` runs. */
export async function withStore<Result>(
  root: string,
  io: Io,
  use: (store: ImageStore) => Promise<Result>,
): Promise<Result> {
  const store = await openStore(root, io);
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

/** The images of the container runtime if `runtime` is given, else those of the store. */
export interface ImagesPlace {
  readonly root: string;
  readonly runtime?: string | undefined;
}

/** Opens them while `use` runs. */
export async function withImages<Result>(
  place: ImagesPlace,
  io: Io,
  use: (store: ImageStore) => Promise<Result>,
): Promise<Result> {
  const store = await openImages(place, io);
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

export async function openImages({ root, runtime: socket }: ImagesPlace, io: Io): Promise<ImageStore> {
  if (socket === undefined) return openStore(root, io);
  const platform = hostPlatform(process.platform, process.arch);
  return openContainerdStore({ socket, root: join(root, "containerd"), platform, warn: warnOn(io) });
}
