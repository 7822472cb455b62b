/** Connections of each peer of a server, so that no single one takes all the places that there are. */
import type { Server as NetServer, Socket } from "node:net";

/**
 * Closes, before it is read from, each connection of a peer that has `most` open already.
 * @param server an HTTP, HTTPS or plain server; connections that it has already do not count
 * @param refused called with each connection that was closed
 */
export function limitConnectionsPerPeer(
  server: Pick<NetServer, "on">,
  most: number,
  refused: (peer: string) => void = () => undefined,
): void {
  const open = new Map<string, number>();
  server.on("connection", (socket: Socket) => {
    const peer = peerOf(socket.remoteAddress);
    const count = open.get(peer) ?? 0;
    if (count >= most) {
      socket.destroy();
      refused(peer);
      return;
    }
    open.set(peer, count + 1);
    socket.once("close", () => {
      const left = (open.get(peer) ?? 1) - 1;
      if (left > 0) open.set(peer, left);
      else open.delete(peer);
    });
  });
}

/**
 * Who counts as one: an IPv4 address, however it is written, or the 64 bits of an IPv6 network, of which one machine has
 * all addresses to choose from. Whoever has no address, as on a unix socket, or after it has gone again, is one too.
 */
export function peerOf(address: string | undefined): string {
  if (address === undefined) return "";
  const text = address.replace(/%.*$/, "").toLowerCase();
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(text)?.[1];
  if (mapped !== undefined) return mapped;
  if (!text.includes(":")) return text;
  const [before = "", after] = text.split("::");
  const [front, back] = [before, after ?? ""].map((half) => (half === "" ? [] : half.split(":")));
  const [first, last] = [front ?? [], back ?? []];
  const zeros =
    after === undefined ? [] : Array.from({ length: Math.max(0, 8 - first.length - last.length) }, () => "0");
  return `${[...first, ...zeros, ...last].slice(0, 4).join(":")}::/64`;
}
