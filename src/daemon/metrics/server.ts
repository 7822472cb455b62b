/** `GET /metrics`, `/healthz` and `/readyz` over TCP, for Prometheus and for probes. */
import type { AddressInfo } from "node:net";
import { errorText, PulleyError } from "../../support/errors.ts";
import type { Log } from "../../support/log.ts";
import { networkWords } from "../../support/network-words.ts";
import {
  createReadOnlyServer,
  plain,
  type ReadOnlyRequest,
  type ReadOnlyResponse,
} from "../../support/read-only-server.ts";
import { type Health, healthAnswer } from "../health.ts";
import { allowedHosts, listensEverywhere } from "./allowed-hosts.ts";
import type { Metrics } from "./index.ts";

export interface MetricsServer {
  /** `127.0.0.1:9419`, with the port that it got. */
  readonly address: string;
  close(): Promise<void>;
}

export interface MetricsServerOptions {
  readonly metrics: Pick<Metrics, "text" | "contentType">;
  readonly health: Health;
  readonly log: Log;
  /** Names under which it may be asked, besides those of this machine's loopback and the address itself. Default: none. */
  readonly hosts?: readonly string[];
}

/** @throws PulleyError `USAGE` if the address is none or cannot be listened on */
export async function serveMetrics(address: string, options: MetricsServerOptions): Promise<MetricsServer> {
  const { host, port } = readAddress(address);
  const { metrics, health, log, hosts = [] } = options;
  const { server, close } = createReadOnlyServer({
    isOwnHost: allowedHosts(host, hosts),
    answer: (asked) => answer(asked, metrics, health),
    onFailure: (error, path) => log.error("a request to the metrics failed", { path, error: errorText(error) }),
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => {
      const advice = "Name another address with --metrics, or stop what listens there.";
      reject(new PulleyError("USAGE", `--metrics ${address}: ${networkWords(error)}`, { advice, cause: error }));
    });
    server.listen({ host, port }, resolve);
  });
  if (listensEverywhere(host)) {
    log.warn("metrics are served to everybody who reaches one of this machine's addresses: name one with --metrics", {
      address,
    });
  }
  const bound = server.address();
  return { address: isInternet(bound) ? `${host.includes(":") ? `[${host}]` : host}:${bound.port}` : address, close };
}

async function answer(
  asked: ReadOnlyRequest,
  metrics: MetricsServerOptions["metrics"],
  health: Health,
): Promise<ReadOnlyResponse> {
  if (asked.path === "/metrics") return { status: 200, type: metrics.contentType, body: await metrics.text() };
  return (await healthAnswer(health, asked)) ?? plain(404, "only /metrics, /healthz and /readyz are served here");
}

/** `9419` is that port on loopback; an address in brackets is IPv6. */
function readAddress(text: string): { readonly host: string; readonly port: number } {
  const [, bracketed, bare, digits] = /^(?:(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+))?:)?(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) {
    throw new PulleyError("USAGE", `--metrics ${text}: is not an address`, {
      advice: "Write it as host:port, for example 127.0.0.1:9419.",
    });
  }
  return { host: bracketed ?? bare ?? "127.0.0.1", port };
}

function isInternet(address: string | AddressInfo | null): address is AddressInfo {
  return typeof address === "object" && address !== null;
}
