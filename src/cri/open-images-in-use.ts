import type { InUse } from "../gc/index.ts";

/** A connection to a runtime, for the images of its containers. */
export interface OpenedInUse extends InUse {
  close(): void;
}

/** Connects to a runtime's socket. The client is loaded only now, because most commands need none. */
export async function openImagesInUse(socket: string): Promise<OpenedInUse> {
  const [{ imagesOfContainers }, { openChannel }] = await Promise.all([
    import("./client/images-in-use.ts"),
    import("../support/grpc/client.ts"),
  ]);
  const channel = openChannel(socket);
  return { ...imagesOfContainers(channel), close: () => channel.close() };
}
