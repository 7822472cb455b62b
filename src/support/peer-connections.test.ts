import { once } from "node:events";
import { createServer } from "node:http";
import { connect, type Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { limitConnectionsPerPeer, peerOf } from "./connection-limits.ts";

describe("who counts as one peer", () => {
  test.each([
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::FFFF:192.0.2.1", "192.0.2.1"],
    ["::1", "0:0:0:0::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["2001:db8:0:0:ffff:1:2:3", "2001:db8:0:0::/64"],
    ["2001:db8:0:1::1", "2001:db8:0:1::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    [undefined, ""],
  ])("%s: %s", (address, peer) => expect(peerOf(address)).toBe(peer));
});

test("a peer that has as many connections as it may have gets no more, until one is closed", async () => {
  const refused: string[] = [];
  const server = createServer((_, response) => response.end("here"));
  limitConnectionsPerPeer(server, 2, (peer) => refused.push(peer));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const dial = (): Socket => connect(address.port, "127.0.0.1").on("error", () => undefined);
  const answered = async (socket: Socket) => {
    const outcome = Promise.race([once(socket, "data").then(() => true), once(socket, "close").then(() => false)]);
    socket.write("GET / HTTP/1.1\r\nhost: here\r\n\r\n");
    return outcome;
  };
  const [one, two] = [dial(), dial()];
  expect([await answered(one), await answered(two)]).toEqual([true, true]);
  expect(await answered(dial())).toBe(false);
  expect(refused).toEqual(["127.0.0.1"]);
  one.destroy();
  await once(one, "close");
  // The server hears of it a moment later.
  let again = false;
  while (!again) again = await answered(dial());
  expect(again).toBe(true);
});
