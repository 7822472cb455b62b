/** The report of a fleet, kept up to date and served over HTTP: for Prometheus, for people, and for programs. */
import { Readable } from "node:stream";
import { createHealth } from "../../support/monitoring/health.ts";
import { serveMetrics } from "../../support/monitoring/server.ts";
import { plain, type ReadOnlyRequest, type ReadOnlyResponse } from "../../support/read-only-server.ts";
import { fleetHtml } from "../formats/html.ts";
import type { FleetReport } from "../report.ts";
import type { InputReload } from "./metrics.ts";
import { createFleetService, type FleetServiceOptions, type LatestReport } from "./service.ts";

export interface ServeOptions extends Omit<FleetServiceOptions, "metrics"> {
  /** Where metrics and the report are served: `127.0.0.1:9420`. */
  readonly address: string;
  /** Names under which that may be asked, besides those of this machine's loopback and the address itself. */
  readonly hosts: readonly string[];
  /** The version of the program. */
  readonly version: string;
  /**
   * Has the files that a report depends on read again when they change, from then on until what it returns is called.
   * `told` is called with each change that was taken, or refused.
   */
  readonly watchInputs?: (told: (reload: InputReload) => void) => () => void;
  /** Called with the address, with the port that it got. */
  readonly onListening?: (address: string) => void;
}

/** Until the signal. @throws PulleyError `USAGE` if the address cannot be listened on */
export async function serveFleet(options: ServeOptions): Promise<void> {
  const { apis, address, hosts, version, clock, log, onListening, watchInputs } = options;
  const { createFleetMetrics } = await import("./metrics.ts");
  const metrics = createFleetMetrics(
    version,
    apis.map(({ name }) => name),
  );
  const service = createFleetService({ ...options, metrics });
  const isReady = () => {
    if (service.latest() === undefined) throw new Error("the first report is not made yet");
  };
  const health = createHealth({ ready: [{ name: "report", check: isReady }], clock });
  const server = await serveMetrics(address, { metrics, health, log, hosts, pages: pagesOf(service.latest, version) });
  log.info("metrics and the report are served", { address: server.address });
  onListening?.(server.address);
  const endWatches = watchInputs?.(metrics.inputReloaded);
  try {
    await service.run();
  } finally {
    endWatches?.();
    await server.close();
  }
}

type Page = (asked: ReadOnlyRequest) => ReadOnlyResponse;

/** Browsers ask for HTML, and get the page; programs get JSON. */
function pagesOf(latest: () => LatestReport | undefined, version: string): ReadonlyMap<string, Page> {
  const answer = (isHtml: boolean): ReadOnlyResponse => {
    const made = latest();
    if (made === undefined) return plain(503, "the first report is not made yet");
    const { report, now } = made;
    return isHtml
      ? { status: 200, type: "text/html; charset=utf-8", body: Readable.from(fleetHtml(report, { version, now })) }
      : { status: 200, type: "application/json", body: Readable.from(jsonOf(report)) };
  };
  return new Map<string, Page>([
    ["/report", ({ accept }) => answer(/\btext\/html\b/.test(accept))],
    ["/report.json", () => answer(false)],
    ["/report.html", () => answer(true)],
  ]);
}

/** Item by item: a large report is never one text in memory. */
function* jsonOf(report: FleetReport): Generator<string> {
  let before = "{";
  for (const [key, value] of Object.entries({ ...report, items: undefined })) {
    if (value !== undefined) yield `${before}${JSON.stringify(key)}:${JSON.stringify(value)}`;
    before = ",";
  }
  yield ',"items":[';
  for (const [at, item] of report.items.entries()) yield `${at === 0 ? "" : ","}${JSON.stringify(item)}`;
  yield "]}\n";
}
