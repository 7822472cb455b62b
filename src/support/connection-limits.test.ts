import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { type ConnectionLimits, limitConnections } from "./connection-limits.ts";

/** A server that answers when told to. */
async function serve(limits: ConnectionLimits) {
  const server = createServer();
  const places = limitConnections(server, limits);
  const waiting: ServerResponse[] = [];
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    response.once("close", places.occupy(request.socket));
    waiting.push(response);
  });
  server.listen(0);
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  /** @param from the peer's own address */
  const open = async (from = "127.0.0.1") => {
    const socket = connect({ port, host: from === "::1" ? "::1" : "127.0.0.1", localAddress: from });
    socket.on("error", () => undefined).resume();
    await once(socket, "connect");
    return socket;
  };
  const ask = async (socket: Socket) => {
    const before = waiting.length;
    socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await expect.poll(() => waiting.length).toBe(before + 1);
  };
  return { waiting, open, ask };
}

function isOpen(socket: Socket): boolean {
  return socket.readyState === "open";
}

test("the one without a request for longest goes when there is no place", async () => {
  const { open, ask, waiting } = await serve({ total: 2, perPeer: 2 });
  const [first, second] = [await open(), await open()];
  await ask(first);
  waiting[0]?.end("done");
  await once(first, "data");
  await expect.poll(() => waiting[0]?.closed).toBe(true);
  const third = await open();
  await ask(third);
  await expect.poll(() => isOpen(second)).toBe(false);
  expect([first, third].map(isOpen)).toEqual([true, true]);
});

test("where all are in use, the new one gets no place", async () => {
  const { open, ask } = await serve({ total: 2, perPeer: 2 });
  const old = [await open(), await open()];
  for (const socket of old) await ask(socket);
  const late = await open();
  await expect.poll(() => isOpen(late)).toBe(false);
  expect(old.map(isOpen)).toEqual([true, true]);
});

test("a peer with too many connections keeps no other one out", async () => {
  const { open, ask } = await serve({ total: 3, perPeer: 2 });
  const greedy = [await open(), await open()];
  for (const socket of greedy) await ask(socket);
  const more = await open();
  await expect.poll(() => isOpen(more)).toBe(false);
  const other = await open("127.0.0.2");
  await ask(other);
  expect([...greedy, other].map(isOpen)).toEqual([true, true, true]);
});

test("the same machine by IPv6 is another peer, and one network of 64 bits is one", async () => {
  const { open, ask } = await serve({ total: 10, perPeer: 1 });
  const [four, six] = [await open(), await open("::1")];
  await ask(four);
  await ask(six);
  const again = await open("::1");
  await expect.poll(() => isOpen(again)).toBe(false);
  expect([four, six].map(isOpen)).toEqual([true, true]);
});
