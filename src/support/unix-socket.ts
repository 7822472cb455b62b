/** A server's place on a unix socket: only those who may use it, and nobody else's place. */
import { chmod, lstat, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { createConnection, type Server } from "node:net";
import { dirname, join } from "node:path";
import { hasErrno } from "./errno.ts";
import { errorText, PulleyError } from "./errors.ts";

/** Bytes of a path that a socket's address has room for (sockaddr_un on Linux, its last byte a zero). */
const longestPath = 107;

/**
 * Listens. The socket comes into being in a folder that only we may enter, and is moved to its path when it has its
 * mode: there is no moment at which others could connect. What a daemon left that is no more is replaced.
 * @param mode 0o600 for the owner alone, 0o660 for its group too
 * @throws PulleyError `USAGE` if the path is taken or too long, `OUTPUT_UNWRITABLE`
 */
export async function listenOnSocket(server: Server, path: string, mode: 0o600 | 0o660): Promise<void> {
  const folder = dirname(path);
  // The place where it comes into being has a longer path than the socket itself.
  const spare = Buffer.byteLength("/.p-XXXXXX/s") + 1;
  if (Buffer.byteLength(path) > longestPath || Buffer.byteLength(folder) + spare > longestPath) {
    throw new PulleyError("USAGE", `${path}: the path is too long for a socket`, {
      advice: `Choose a folder whose path has at most ${longestPath - spare} bytes.`,
    });
  }
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await refuseTaken(path);
    const nursery = await mkdtemp(join(folder, ".p-"));
    try {
      const born = join(nursery, "s");
      await listen(server, born);
      await chmod(born, mode);
      await rename(born, path);
    } finally {
      await rm(nursery, { recursive: true, force: true });
    }
  } catch (error) {
    if (error instanceof PulleyError) throw error;
    throw new PulleyError("OUTPUT_UNWRITABLE", `${path}: ${errorText(error)}`, { cause: error });
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

async function refuseTaken(path: string): Promise<void> {
  const found = await lstat(path).catch((error: unknown) => {
    if (hasErrno(error, "ENOENT")) return undefined;
    throw error;
  });
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new PulleyError("USAGE", `${path}: there is something that is not a socket`, {
      advice: "Name another path for the socket, or move away what is there.",
    });
  }
  if (await answers(path)) {
    throw new PulleyError("USAGE", `${path}: another process listens there`, {
      advice: "Stop it first, or name another path for the socket.",
    });
  }
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = createConnection(path);
    const end = (answer: boolean) => {
      connection.destroy();
      resolve(answer);
    };
    connection.once("connect", () => end(true));
    connection.once("error", () => end(false));
  });
}
