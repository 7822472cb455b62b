/** A client's connection as a stream on which HTTP/2 can be spoken, whatever the client has for an authority. */
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { createAuthorityFilter } from "./authority.ts";

export function filteredConnection(socket: Socket): Duplex {
  const filter = createAuthorityFilter();
  const connection = new Duplex({
    read: () => socket.resume(),
    write: (piece: Buffer, _encoding, done) => void socket.write(piece, done),
    writev: (pieces, done) => {
      socket.cork();
      pieces.forEach(({ chunk }, at) => void socket.write(chunk, at + 1 === pieces.length ? done : undefined));
      socket.uncork();
    },
    final: (done) => void socket.end(done),
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  socket.on("data", (piece: Buffer) => {
    let room = true;
    for (const ready of filter(piece)) room = connection.push(ready);
    if (!room) socket.pause();
  });
  socket.on("end", () => connection.push(null));
  // A connection that breaks is one that the client has given up: its calls hear of that.
  socket.on("error", () => connection.destroy());
  connection.on("error", () => undefined);
  socket.on("close", () => connection.destroy());
  return connection;
}
