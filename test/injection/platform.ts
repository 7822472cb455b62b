/** What containers of this machine run on. */
import { hostPlatform } from "../../src/image/index.ts";

export const platform = hostPlatform(process.platform, process.arch);
