/**
 * A registry that misbehaves on purpose. It serves one image as a registry should, except where a fault says otherwise,
 * and writes its answers onto the socket itself, so that no HTTP library makes them better than they are.
 */
import { createServer, type IncomingMessage } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { text } from "node:stream/consumers";
import type { BuiltImage } from "../../examples/world/image-builder.ts";
import { type Asked, type Fault, type Reply, type Subject, sound } from "./faults.ts";

export interface StormOptions {
  readonly image: BuiltImage;
  /** The faults, by what is asked for; without one, the answer is as it should be. */
  readonly faults?: Readonly<Partial<Record<Subject, Fault>>>;
  /** PEM texts: speaks TLS with them. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

export interface Storm {
  /** `127.0.0.1:40123` */
  readonly host: string;
  readonly port: number;
  /** `http://127.0.0.1:40123` */
  readonly url: string;
  /** Everything that was asked, in the order in which it came. */
  readonly asked: readonly Asked[];
  /** The part of {@link Storm.asked} that was about one subject. */
  about(subject: Subject): readonly Asked[];
  close(): Promise<void>;
}

/** What the storm sends at the very most, where a client does not stop it. */
const mostBytes = 256 * 1024 * 1024;

export async function startStorm({ image, faults = {}, tls }: StormOptions): Promise<Storm> {
  const asked: Asked[] = [];
  const counts = new Map<string, number>();
  const sockets = new Set<Socket>();

  async function answer(request: IncomingMessage): Promise<void> {
    const { method = "", url: path = "", headers, socket } = request;
    const subject = subjectOf(image, path);
    const key = `${method} ${path.split("?")[0]}`;
    const nth = counts.get(key) ?? 0;
    counts.set(key, nth + 1);
    const question: Asked = { subject, method, path, headers, body: await text(request), nth, sent: 0 };
    asked.push(question);
    const good = sound(image, question);
    await send(socket, question, faults[subject]?.(good, question) ?? good);
  }

  const listener = (request: IncomingMessage) => {
    answer(request).catch(() => request.socket.destroy());
  };
  const limits = { maxHeaderSize: 1024 * 1024 };
  const server = tls === undefined ? createServer(limits, listener) : createTlsServer({ ...limits, ...tls }, listener);
  server.on(tls === undefined ? "connection" : "secureConnection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy()).on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    host: `127.0.0.1:${port}`,
    port,
    url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    asked,
    about: (subject) => asked.filter((each) => each.subject === subject),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
        server.closeAllConnections();
      }),
  };
}

function subjectOf(image: BuiltImage, path: string): Subject {
  const [where = ""] = path.split("?");
  if (where.startsWith("/token")) return "token";
  if (where.includes("/manifests/")) return "manifest";
  if (where.includes("/tags/")) return "tags";
  if (!where.includes("/blobs/")) return "other";
  return image.manifests.some(({ config }) => where.endsWith(config.digest)) ? "config" : "layer";
}

async function send(socket: Socket, asked: Asked, reply: Reply): Promise<void> {
  const before = socket.bytesWritten;
  const count = () => {
    asked.sent = socket.bytesWritten - before;
  };
  socket.on("close", count);
  try {
    await (reply.raw === undefined ? sendAnswer(socket, asked, reply) : write(socket, reply.raw));
    if (reply.after === "reset") socket.resetAndDestroy();
    else if (reply.after !== "silence") socket.end();
  } finally {
    count();
  }
}

async function sendAnswer(socket: Socket, { method }: Asked, reply: Reply): Promise<void> {
  const head = reply.headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  await write(socket, Buffer.from(`HTTP/1.1 ${reply.status} Weather\r\n${head}connection: close\r\n\r\n`, "latin1"));
  if (method === "HEAD") return;
  if (reply.endless) {
    const piece = Buffer.alloc(64 * 1024, reply.body.length > 0 ? reply.body : " ");
    for (let sent = 0; sent < mostBytes && !socket.destroyed; sent += piece.length) await write(socket, piece);
    return;
  }
  const size = reply.piece?.bytes ?? 64 * 1024;
  for (let at = 0; at < reply.body.length && !socket.destroyed; at += size) {
    await write(socket, reply.body.subarray(at, at + size));
    if (reply.piece !== undefined) await new Promise((resolve) => setTimeout(resolve, reply.piece?.every));
  }
}

/** Resolves when the socket will take more, or is closed. */
function write(socket: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) return resolve();
    const done = () => {
      socket.off("close", done);
      resolve();
    };
    socket.once("close", done);
    socket.write(bytes, done);
  });
}
