/**
 * Bodies read past Node's HTTP parser. The parser copies every piece of a body into memory of its own, which costs more
 * than receiving it: so a connection reads into one block, which serves all connections of a thread, and a body whose
 * length is known is taken straight from there, once its head has been parsed.
 */
import type { Agent } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

/** Called with every piece; the piece is overwritten afterwards. */
export type TakePiece = (piece: Buffer) => void;

interface Connection {
  socket?: Duplex;
  divertedTo?: TakePiece;
}

const blockLength = 512 * 1024;
let block: Buffer | undefined;
const connections = new WeakMap<Duplex, Connection>();

/** Lets the connections that the agent opens read into the block. Until one is diverted, it is as any other. */
export function readDirectly<Kind extends Agent>(agent: Kind): Kind {
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (options, callback) => {
    block ??= Buffer.allocUnsafeSlow(blockLength);
    const connection: Connection = {};
    const onread = {
      buffer: block,
      callback: (length: number, bytes: Uint8Array) => {
        hear(connection, Buffer.from(bytes.buffer, bytes.byteOffset, length));
        return true;
      },
    };
    const withOnread: typeof options & { onread: unknown } = { ...options, onread };
    const socket = connect(withOnread, callback);
    if (socket) {
      connection.socket = socket;
      connections.set(socket, connection);
    }
    return socket;
  };
  return agent;
}

function hear({ socket, divertedTo }: Connection, piece: Buffer): void {
  if (divertedTo === undefined) socket?.emit("data", piece);
  else divertedTo(piece);
}

/** From now on everything that comes over the connection is taken; it can carry nothing else any more. */
export function divert(socket: Socket, take: TakePiece): boolean {
  const connection = connections.get(socket);
  if (connection === undefined) return false;
  connection.divertedTo = take;
  return true;
}
