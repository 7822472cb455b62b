/** @typedef {typeof import("../../src/daemon/metrics/catalogue.ts")} Catalogue */
/** @typedef {import("../../src/support/monitoring/instruments.ts").MetricDescription} Metric */

/** @typedef {typeof import("../../src/fleet/serve/catalogue.ts")} FleetCatalogue */

/** The page about the metrics of both daemons, from their catalogues. @type {(node: Catalogue, fleet: FleetCatalogue, origin: string) => string} */
export function metricsPage({ catalogue }, { fleetCatalogue }, origin) {
  const all = Object.values(catalogue);
  /** @param {Metric} metric */
  const own = (metric) => !metric.name.startsWith("kubelet_");
  return `# The metrics

${origin}

\`pulley node --metrics 127.0.0.1:PORT\` answers \`GET /metrics\` in Prometheus' text format, and [/healthz and /readyz](daemon.md#health). Metrics are about kinds of things, never about one image, pod or address: the number of series is bounded whatever happens on the node, and a label that others decide on says \`other\` when it has had its share of values.

A request is answered where its \`Host\` is \`localhost\`, the address that is listened on, or a name that \`--metrics-host\` gives; where others than this machine are let in, any address is right, too. Every other name gets status 421: so no web page can read the metrics by letting its own name mean this machine (DNS rebinding). Whoever listens on \`0.0.0.0\` or \`::\` is warned in the log. At most 256 connections are open at once, 64 of them from one address; one that is idle makes room for a new one.

Figures of the disk are looked up when somebody asks, at most every 30 seconds. What cannot be looked up is left out.

## The kubelet's

These have the kubelet's names, labels and buckets, so that its dashboards and alerts hold.

${table(all.filter((metric) => !own(metric)))}

The kubelet's \`kubelet_imagemanager_inmemory_…\` are missing because Pulley keeps no records in memory, and \`kubelet_image_volume_…\` because it does not mount volumes itself.

## Pulley's own

${table(all.filter(own))}

## Of a fleet

\`pulley fleet serve\` answers \`GET /metrics\` at \`127.0.0.1:9420\`, or where \`--metrics\` says, under the same rules: [the fleet](fleet-serve.md) has the rest. Beside these there are \`pulley_build_info\` and \`process_…\` as above. No label holds a workload, a namespace, a node or an image; of clusters and of teams, the first 200 have their names. What is solved becomes 0.

${table(Object.values(fleetCatalogue).filter(({ name }) => name.startsWith("pulley_fleet_")))}

## Questions that they answer

\`\`\`promql
# the share of requests that needed no network
sum(rate(pulley_image_requests_ended_total{outcome="used"}[1h])) / sum(rate(pulley_image_requests_ended_total[1h]))

# bytes that mirrors saved the registries
sum(rate(pulley_image_pulled_bytes_total{source="mirror"}[1d]))

# a registry could not be reached, and pods started from copies that nobody confirmed
increase(pulley_image_cached_copies_used_total[15m]) > 0

# the slowest tenth of pulls of images between 100 and 500 MB
histogram_quantile(0.9, sum by (le) (rate(kubelet_image_pull_duration_seconds_bucket{image_size_in_bytes="100MB-500MB"}[1h])))

# a team has something urgent to do
sum by (team) (pulley_fleet_items{severity=~"critical|high"}) > 0

# a cluster has not been read for an hour
time() - pulley_fleet_cluster_last_success_timestamp_seconds > 3600
\`\`\`
`;
}

/** @param {Metric[]} metrics */
function table(metrics) {
  const rows = metrics.map(({ name, type, labels, help }) => {
    const names = labels.map((label) => `\`${label}\``).join(", ");
    return `| \`${name}\` | ${type} | ${names === "" ? "–" : names} | ${help} |`;
  });
  return `| metric | type | labels | what it says |\n|---|---|---|---|\n${rows.join("\n")}`;
}
