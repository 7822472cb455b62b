/** A forward proxy that leads host names which nobody has to servers on this machine. */
import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";

export interface Proxy {
  /** `http://127.0.0.1:40123` */
  readonly url: string;
  /** Every `host:port` that a connection was asked for. */
  readonly targets: readonly string[];
  close(): Promise<void>;
}

/** @param routes ports on this machine by host name; what is not among them gets 502 */
export async function startProxy(routes: Readonly<Record<string, number>>): Promise<Proxy> {
  const targets: string[] = [];
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy()).on("close", () => sockets.delete(socket));
  };
  const server = createServer((_request, response) => response.writeHead(405).end());
  server.on("connect", ({ url: target = "" }: IncomingMessage, client: Socket) => {
    targets.push(target);
    keep(client);
    const port = routes[target.replace(/:\d+$/, "")];
    if (port === undefined) {
      client.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
      return;
    }
    const upstream = connect(port, "127.0.0.1", () => {
      client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      upstream.pipe(client).pipe(upstream);
    });
    keep(upstream);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    targets,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
