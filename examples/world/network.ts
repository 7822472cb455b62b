/**
 * A network like the real one, between a client and a server on loopback. Loopback brings what was sent in whole pieces
 * and at once; here streams come in pieces from one byte to a mebibyte, with waits, late heads, slow stretches, half-closed
 * and broken connections. What happens is decided by a seed, for each connection on its own: with the same seed it is the
 * same again, as far as the programs at both ends do the same.
 */
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { type Profile, planFrom, rough } from "./cuts.ts";
import { diceFrom } from "./dice.ts";
import { pump, reset } from "./pump.ts";

export { cutting, type Profile, rough } from "./cuts.ts";

export interface NetworkOptions {
  /** Default: {@link rough}, which everything honest gets through. */
  readonly profile?: Profile;
  /** Default: {@link networkSeed}, and how many networks there were before. */
  readonly seed?: string;
  /** Taken if it is free; otherwise, and without it, any port is. */
  readonly port?: number;
}

export interface Network {
  /** `127.0.0.1:40123`, where clients find the server. */
  readonly host: string;
  readonly port: number;
  /** From now on, new connections are of another kind. */
  setProfile(profile: Profile): void;
  /** Ends every connection. */
  close(): Promise<void>;
}

/** What stands in the place of a network where a test needs loopback as it is; the reason belongs beside it. */
export type NetworkChoice = "direct" | Omit<NetworkOptions, "port">;

/** The seed of every network of this process. The environment may give one, to see again what was seen. */
export const networkSeed: string = process.env["PULLEY_NETWORK_SEED"] || String(randomInt(2 ** 32));

const place = { name: "", networks: 0 };

/** Says whose networks come next, so that those of one test file do not depend on the files before it. */
export function nameNetworks(name: string): void {
  Object.assign(place, { name, networks: 0 });
}

/** How many networks there were since they were named. */
export function networksOpened(): number {
  return place.networks;
}

/** Opens a way to a server on loopback. */
export async function openNetwork(target: number, options: NetworkOptions = {}): Promise<Network> {
  place.networks += 1;
  const { seed = `${networkSeed} ${place.name} ${place.networks}`, port: wanted = 0 } = options;
  let { profile = rough } = options;
  let connections = 0;
  let broken = 0;
  const open = new Set<Socket>();
  const keep = (socket: Socket) => {
    open.add(socket);
    // Whatever ends a connection is passed on to its other side.
    socket.on("error", () => undefined).once("close", () => open.delete(socket));
  };
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    connections += 1;
    const upstream = connect({ host: "127.0.0.1", port: target, allowHalfOpen: true, noDelay: true });
    for (const socket of [client, upstream]) keep(socket);
    // Nobody is there any more for what the server still sends. The other way round it is still to be delivered.
    client.once("close", () => reset(upstream));
    const [up, down] = ["up", "down"].map((way) => diceFrom(`${seed} ${connections} ${way}`));
    if (up === undefined || down === undefined) return;
    const whole = { ...profile, breaks: 0 };
    pump(client, upstream, planFrom(up, whole));
    pump(upstream, client, planFrom(down, broken < profile.mostBreaks ? profile : whole), () => {
      broken += 1;
    });
  });
  const port = await listen(server, wanted);
  return {
    host: `127.0.0.1:${port}`,
    port,
    setProfile: (next) => {
      profile = next;
    },
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

/** @returns the port, another one than the one wanted if that is taken */
export async function listen(server: Server, wanted: number): Promise<number> {
  server.listen(wanted, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch (error) {
    const isTaken = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
    if (isTaken && wanted !== 0) return listen(server, 0);
    throw error;
  }
  return (server.address() as AddressInfo).port;
}
