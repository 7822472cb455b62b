/** The store served to others as a registry for reading (distribution-spec 1.1), which fetches what is not here. */

export { createViaId } from "./handler.ts";
export { type Mirror, startMirror } from "./server.ts";
export type { MirrorLimits, MirrorOptions, MirrorParts, ServedRequest } from "./types.ts";
