/** How many connections a server has at once, and how many of them one peer: one peer cannot keep all others out. */
import type { Server as NetServer, Server, Socket } from "node:net";

export interface ConnectionLimits {
  readonly total: number;
  /** For one IPv4 address, or one IPv6 network of 64 bits. Callers on a unix socket cannot be told apart. */
  readonly perPeer: number;
}

export interface ConnectionPlaces {
  /** Says that a request is under way on a connection; to be called when it is over: what is returned. */
  occupy(socket: Socket): () => void;
}

interface OpenConnection {
  readonly socket: Socket;
  readonly peer: string | undefined;
  requests: number;
}

/**
 * Ends the connection that has been without a request for longest when a new one has no place, among those of the same peer
 * if it is the peer that has too many; the new one where all are in use. Well-behaved clients connect again by themselves.
 */
export function limitConnections(server: Server, { total, perPeer }: ConnectionLimits): ConnectionPlaces {
  /** Those whose last request ended long ago come first. */
  const places = new Map<Socket | string, OpenConnection>();

  function placeFor(newcomer: OpenConnection): boolean {
    const all = [...places.values()];
    const own = newcomer.peer === undefined ? [] : all.filter(({ peer }) => peer === newcomer.peer);
    const crowd = own.length >= perPeer ? own : all.length >= total ? all : undefined;
    if (crowd === undefined) return true;
    const idle = crowd.find(({ requests }) => requests === 0);
    if (idle === undefined) return false;
    places.delete(keyOf(idle.socket));
    idle.socket.destroy();
    return true;
  }

  server.prependListener("connection", (socket: Socket) => {
    const key = keyOf(socket);
    const place = {
      socket,
      peer: socket.remoteAddress === undefined ? undefined : peerOf(socket.remoteAddress),
      requests: 0,
    };
    if (!placeFor(place)) {
      socket.destroy();
      return;
    }
    places.set(key, place);
    socket.once("close", () => {
      if (places.get(key) === place) places.delete(key);
    });
  });

  return {
    occupy: (socket) => {
      const key = keyOf(socket);
      const place = places.get(key);
      if (place === undefined) return () => undefined;
      place.requests += 1;
      let over = false;
      return () => {
        if (over) return;
        over = true;
        place.requests -= 1;
        if (places.get(key) !== place) return;
        places.delete(key);
        places.set(key, place);
      };
    },
  };
}

/** A connection that speaks TLS is another object than the one that was accepted; its other end is the same. */
function keyOf(socket: Socket): Socket | string {
  const { remoteAddress, remotePort } = socket;
  return remoteAddress === undefined || remotePort === undefined ? socket : `${remoteAddress} ${remotePort}`;
}

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
