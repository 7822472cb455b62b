/** How many connections a server has at once, and how many of them one peer: one peer cannot keep all others out. */
import type { Server, Socket } from "node:net";

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
    const place = { socket, peer: peerOf(socket), requests: 0 };
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

function peerOf({ remoteAddress, remoteFamily }: Socket): string | undefined {
  if (remoteAddress === undefined) return undefined;
  const mapped = /^::ffff:([0-9.]+)$/i.exec(remoteAddress)?.[1];
  if (remoteFamily !== "IPv6" || mapped !== undefined) return mapped ?? remoteAddress;
  return networkOf(remoteAddress);
}

/** The first 64 bits: what one machine usually has for itself. */
function networkOf(address: string): string {
  const [bare = ""] = address.split("%");
  const [head = "", tail] = bare.split("::");
  const first = head === "" ? [] : head.split(":");
  const last = tail === undefined || tail === "" ? [] : tail.split(":");
  const between = tail === undefined ? 0 : Math.max(0, 8 - first.length - last.length);
  const groups = [...first, ...Array.from({ length: between }, () => "0"), ...last];
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":");
}
