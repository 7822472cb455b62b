/** The Container Runtime Interface, spoken by a server and by a client. */
export { connectRuntime } from "./client/runtime.ts";
export { openImagesInUse } from "./open-images-in-use.ts";
export type { RuntimeOperation } from "./operations.ts";
export { startCriServer } from "./server.ts";
