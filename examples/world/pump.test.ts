import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { reset } from "./pump.ts";

test("a connection that is still being ended is closed, not forgotten", async () => {
  const server = createServer({ pauseOnConnect: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === "string") expect.unreachable();
  const accepted: Promise<Socket[]> = once(server, "connection");
  const socket = connect(address.port, "127.0.0.1");
  await once(socket, "connect");
  const failures: unknown[] = [];
  socket.on("error", (error) => failures.push(error));
  const closed = once(socket, "close");
  socket.end();
  // The end has been asked for then, and not been carried out.
  process.nextTick(() => reset(socket));
  await closed;
  expect(failures).toEqual([]);
  const [other] = await accepted;
  other?.destroy();
});
