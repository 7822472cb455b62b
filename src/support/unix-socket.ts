/** The unix socket of a server: in a folder that is safe, never another's, and never open to everybody. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { type FSWatcher, watch } from "node:fs";
import { chmod, lstat, mkdir, rename, rm, unlink } from "node:fs/promises";
import { connect, type Server, type Socket } from "node:net";
import { basename, dirname, join } from "node:path";
import { hasErrno, PulleyError } from "./errors.ts";
import type { InheritedSockets } from "./inherited-sockets.ts";
import { networkWords } from "./network-words.ts";

export interface Listening {
  /** Removes the socket's file, unless it has become another server's, or is systemd's. */
  remove(): Promise<void>;
  /** Resolves when another server has taken the place over; rejects never. */
  readonly replaced: Promise<void>;
  /** Resolves when the server that was there before has closed its connections. */
  readonly predecessorGone: Promise<void>;
}

export interface Takeover {
  /** Sockets that systemd holds for us. */
  readonly inherited?: InheritedSockets | undefined;
  /** Whether a live server is replaced, which learns of it by {@link Listening.replaced}. Default: no. */
  readonly takeOver?: boolean | undefined;
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
export async function listenOnSocket(
  server: Server,
  path: string,
  mode: 0o600 | 0o660,
  { inherited, takeOver = false }: Takeover = {},
): Promise<Listening> {
  try {
    const descriptor = inherited?.take(path);
    if (descriptor !== undefined) return await listenOnDescriptor(server, descriptor);
    await checkFolder(dirname(path));
    const predecessor = await checkPlace(path, takeOver);
    return { ...(await listen(server, path, mode)), predecessorGone: predecessor.gone };
  } catch (error) {
    if (error instanceof PulleyError) throw error;
    throw problem(`cannot listen on ${path}: ${networkWords(error)}`, undefined, error);
  }
}

/** The file, its folder and its permissions are whose unit it is. */
async function listenOnDescriptor(server: Server, fd: number): Promise<Listening> {
  const ready = once(server, "listening");
  server.listen({ fd });
  await ready;
  return { remove: async () => undefined, replaced: new Promise(() => undefined), predecessorGone: Promise.resolve() };
}

async function listen(server: Server, path: string, mode: number): Promise<Omit<Listening, "predecessorGone">> {
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
    const watched = watchPlace(path, ino);
    return {
      remove: async () => {
        watched.end();
        await removeOwn(path, ino);
      },
      replaced: watched.replaced,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Calls back when the socket's file becomes another one. */
function watchPlace(path: string, inode: number): { readonly replaced: Promise<void>; end(): void } {
  let watcher: FSWatcher | undefined;
  const replaced = new Promise<void>((resolve) => {
    const look = async () => {
      const status = await lstat(path).catch(() => undefined);
      if (status?.isSocket() && status.ino !== inode) resolve();
    };
    try {
      watcher = watch(dirname(path), { persistent: false }, () => void look());
      // A server that cannot watch does not learn of it; its successor waits for a while, and then goes on.
      watcher.on("error", () => watcher?.close());
    } catch {
      return;
    }
  });
  return { replaced, end: () => watcher?.close() };
}

async function removeOwn(path: string, inode: number): Promise<void> {
  try {
    if ((await lstat(path)).ino === inode) await unlink(path);
  } catch (error) {
    if (!hasErrno(error, "ENOENT")) throw error;
  }
}

/** A user who may write to the folder could put another socket in the place of ours. */
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

interface Predecessor {
  /** Resolves when it has closed its connections. */
  readonly gone: Promise<void>;
}

const nobody: Predecessor = { gone: Promise.resolve() };

async function checkPlace(path: string, takeOver: boolean): Promise<Predecessor> {
  const status = await lstat(path).catch(() => undefined);
  if (status === undefined) return nobody;
  if (!status.isSocket()) {
    throw problem(`${path} exists, and is not a socket`, "Remove it, or choose another path for the socket.");
  }
  const connection = await connectTo(path);
  if (connection === undefined) return nobody;
  if (takeOver) return { gone: endOf(connection) };
  connection.destroy();
  throw problem(
    `another process listens on ${path}`,
    "Stop the other process, choose another path for the socket, or take its place with pulley node --take-over.",
  );
}

/** `undefined` if nobody listens there. */
function connectTo(path: string): Promise<Socket | undefined> {
  return new Promise((resolve, reject) => {
    const probe = connect(path);
    probe.once("connect", () => resolve(probe));
    probe.once("error", (error) => {
      if (hasErrno(error, "ECONNREFUSED", "ENOENT")) resolve(undefined);
      else reject(error);
    });
  });
}

/** Nothing is asked: the connection is only there to end with the server. */
function endOf(connection: Socket): Promise<void> {
  connection.unref().resume();
  connection.on("error", () => undefined);
  return new Promise((resolve) => connection.once("close", () => resolve()));
}

function problem(message: string, advice?: string, cause?: unknown): PulleyError {
  return new PulleyError("OUTPUT_UNWRITABLE", message, { ...(advice !== undefined && { advice }), cause });
}
