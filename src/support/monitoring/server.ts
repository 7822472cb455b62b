/** `GET /metrics`, `/healthz` and `/readyz` over TCP, for Prometheus and for probes. */
import type { AddressInfo } from "node:net";
import { errorText, PulleyError } from "../errors.ts";
import type { Log } from "../log.ts";
import { networkWords } from "../network-words.ts";
import { createReadOnlyServer, plain, type ReadOnlyRequest, type ReadOnlyResponse } from "../read-only-server.ts";
import { allowedHosts, listensEverywhere } from "./allowed-hosts.ts";
import { type Health, healthAnswer } from "./health.ts";

export interface MetricsServer {
  /** `127.0.0.1:9419`, with the port that it got. */
  readonly address: string;
  close(): Promise<void>;
}

export interface MetricsText {
  /** All metrics in Prometheus' text format 0.0.4. */
  text(): Promise<string>;
  /** The media type of that text. */
  readonly contentType: string;
}

export interface MetricsServerOptions {
  readonly metrics: MetricsText;
  readonly health: Health;
  readonly log: Log;
  /** Names under which it may be asked, besides those of this machine's loopback and the address itself. Default: none. */
  readonly hosts?: readonly string[];
  /** What is served besides, by path. */
  readonly pages?: ReadonlyMap<string, (asked: ReadOnlyRequest) => ReadOnlyResponse | Promise<ReadOnlyResponse>>;
}

/** @throws PulleyError `USAGE` if the address is none or cannot be listened on */
export async function serveMetrics(address: string, options: MetricsServerOptions): Promise<MetricsServer> {
  const { host, port } = readAddress(address);
  const { log, hosts = [] } = options;
  const { server, close } = createReadOnlyServer({
    isOwnHost: allowedHosts(host, hosts),
    answer: (asked) => answer(asked, options),
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
  { metrics, health, pages = new Map() }: MetricsServerOptions,
): Promise<ReadOnlyResponse> {
  if (asked.path === "/metrics") return { status: 200, type: metrics.contentType, body: await metrics.text() };
  const page = pages.get(asked.path);
  if (page !== undefined) return page(asked);
  const paths = ["/metrics", ...pages.keys(), "/healthz"].join(", ");
  return (await healthAnswer(health, asked)) ?? plain(404, `only ${paths} and /readyz are served here`);
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
