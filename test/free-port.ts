/** A port for a program that has to be told one, or for a server that is to come back where it was. */
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { hasErrno } from "../src/support/errors.ts";

/** Below those that systems give to whoever asks for any: between our look and its use, nobody gets it by chance. */
const lowest = 20_000;
const highest = 32_000;

export async function freePort(attempts = 50): Promise<number> {
  const port = randomInt(lowest, highest);
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch (error) {
    if (!hasErrno(error, "EADDRINUSE") || attempts === 1) throw error;
    return freePort(attempts - 1);
  }
  await new Promise((resolve) => server.close(resolve));
  return port;
}
