/** Where a mirror listens, and whom it may serve there. */
import { isLoopback } from "../image/index.ts";
import { PulleyError } from "../support/errors.ts";
import { quote } from "../support/go.ts";
import type { MirrorOptions } from "./types.ts";

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
  /** Whether nobody but this machine can reach it. */
  readonly local: boolean;
}

/** @throws PulleyError `USAGE` for what is no address, and for one that would serve others in the clear, or without a limit */
export function listenAddress({ address, tls, plainHttp, registries }: MirrorOptions): ListenAddress {
  const match = /^(\[[0-9a-f:]+\]|[^:[\]/\s]+):([0-9]{1,5})$/i.exec(address);
  const [, host = "", port = ""] = match ?? [];
  if (match === null || Number(port) > 65_535) {
    throw new PulleyError("USAGE", `${quote(address.slice(0, 200))} is not an address to listen on`, {
      advice: "Write it as host:port, for example 127.0.0.1:5000.",
    });
  }
  const local = isLoopback(host);
  if (!local && tls === undefined && plainHttp !== true) {
    throw new PulleyError("USAGE", `${address} serves other machines, which may show logins, without TLS`, {
      advice: "Give a certificate and its key, or listen on 127.0.0.1.",
    });
  }
  if (!local && registries === undefined) {
    throw new PulleyError("USAGE", `${address} serves other machines, and no registry is named that it stands for`, {
      advice: "Name the registries, so that nobody reaches others through this machine.",
    });
  }
  return { host: host.replace(/^\[|\]$/g, ""), port: Number(port), local };
}
