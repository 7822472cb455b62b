/** The unix socket of a server: in a folder that is safe, never another's, and never open to everybody. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmod, lstat, mkdir, rename, rm, unlink } from "node:fs/promises";
import { connect, type Server } from "node:net";
import { basename, dirname, join } from "node:path";
import { hasErrno } from "./errno.ts";
import { PulleyError } from "./errors.ts";
import { networkWords } from "./network-words.ts";

export interface Listening {
  /** Removes the socket's file, unless it has become another server's. */
  remove(): Promise<void>;
}

/** Bytes of a socket's path, with the zero at its end (`man 7 unix`). */
const longestPath = 108;
const othersMayWrite = 0o002;
const sticky = 0o1000;

/**
 * Listens on a path. The socket is made in a private folder beside it and moved to its
 * place when its permissions are right; so there is no moment at which others could connect, and what a killed server left
 * is replaced.
 * @param mode 0o600 for the owner alone, 0o660 for the folder's group, too
 * @throws PulleyError `OUTPUT_UNWRITABLE`
 */
export async function listenOnSocket(server: Server, path: string, mode: 0o600 | 0o660): Promise<Listening> {
  try {
    await checkFolder(dirname(path));
    await checkPlace(path);
    return await listen(server, path, mode);
  } catch (error) {
    if (error instanceof PulleyError) throw error;
    throw problem(`cannot listen on ${path}: ${networkWords(error)}`, undefined, error);
  }
}

async function listen(server: Server, path: string, mode: number): Promise<Listening> {
  const folder = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString("hex")}`);
  const made = join(folder, "s");
  if (Buffer.byteLength(made) >= longestPath) {
    throw problem(`the path of the socket ${path} is too long`, "Choose a path of fewer than 80 bytes.");
  }
  await mkdir(folder, { mode: 0o700 });
  try {
    const ready = once(server, "listening");
    server.listen(made);
    await ready;
    await chmod(made, mode);
    const { ino } = await lstat(made);
    await rename(made, path);
    return { remove: () => removeOwn(path, ino) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function removeOwn(path: string, inode: number): Promise<void> {
  try {
    if ((await lstat(path)).ino === inode) await unlink(path);
  } catch (error) {
    if (!hasErrno(error, "ENOENT")) throw error;
  }
}

/** Whoever may write to the folder could put a socket of his own in the place of ours. */
async function checkFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const status = await lstat(folder);
  const { mode, uid } = status;
  if (!status.isDirectory()) {
    throw problem(`${folder} is not a folder`, "Name a socket in a folder that is not reached through a link.");
  }
  if (mode & othersMayWrite && !(mode & sticky)) {
    throw problem(
      `everybody may write to ${folder}`,
      `Run chmod o-w ${folder}, or choose another folder for the socket.`,
    );
  }
  if (uid !== 0 && uid !== process.getuid?.()) {
    throw problem(`${folder} belongs to another user`, "Choose a folder of your own for the socket.");
  }
}

async function checkPlace(path: string): Promise<void> {
  const status = await lstat(path).catch(() => undefined);
  if (status === undefined) return;
  if (!status.isSocket()) {
    throw problem(`${path} exists, and is not a socket`, "Remove it, or choose another path for the socket.");
  }
  if (await isListening(path)) {
    throw problem(
      `another process listens on ${path}`,
      "Stop the other process, or choose another path for the socket.",
    );
  }
}

function isListening(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = connect(path);
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", (error) => {
      if (hasErrno(error, "ECONNREFUSED", "ENOENT")) resolve(false);
      else reject(error);
    });
  });
}

function problem(message: string, advice?: string, cause?: unknown): PulleyError {
  return new PulleyError("OUTPUT_UNWRITABLE", message, { ...(advice !== undefined && { advice }), cause });
}
