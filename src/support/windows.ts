import { PulleyError } from "./errors.ts";

/**
 * For what needs unix sockets, or folders that can be synced, neither of which Windows has.
 * @param what it is, as the subject of a sentence
 * @throws PulleyError `USAGE` on Windows
 */
export function refuseWindows(what: string, platform: NodeJS.Platform = process.platform): void {
  if (platform !== "win32") return;
  throw new PulleyError("USAGE", `${what} does not work on Windows`, {
    advice: "Use Linux, WSL or macOS. On Windows there are explain, audit, policy, simulate and doctor.",
  });
}
