import type { InUse } from "../gc/index.ts";

/** A connection to a runtime that says which images its containers have. */
export interface OpenedInUse extends InUse {
  close(): void;
}

/** Asks the runtime behind a socket. What speaks with it is loaded only now: most collections have no runtime. */
export async function openImagesInUse(socket: string): Promise<OpenedInUse> {
  const [{ imagesOfContainers }, { openChannel }] = await Promise.all([
    import("./client/in-use.ts"),
    import("../support/grpc/client.ts"),
  ]);
  const channel = openChannel(socket);
  return { ...imagesOfContainers(channel), close: () => channel.close() };
}
