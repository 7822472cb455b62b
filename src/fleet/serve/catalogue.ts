/** Every metric of `pulley fleet serve`. No label holds a workload, a pod, a namespace, a node or an image. */
import { type MetricDescription, processCatalogue } from "../../support/monitoring/instruments.ts";

export const fleetCatalogue = {
  items: {
    name: "pulley_fleet_items",
    type: "gauge",
    help: "Things to do, by cluster, kind, severity and team: one of several clusters or teams counts for each; no team is empty.",
    labels: ["cluster", "kind", "severity", "team"],
  },
  pods: {
    name: "pulley_fleet_pods",
    type: "gauge",
    help: "Pods of the cluster, those that have ended included.",
    labels: ["cluster"],
  },
  nodes: {
    name: "pulley_fleet_nodes",
    type: "gauge",
    help: "Nodes of the cluster.",
    labels: ["cluster"],
  },
  workloads: {
    name: "pulley_fleet_workloads",
    type: "gauge",
    help: "Owners at the top in the cluster: Deployments, not their ReplicaSets or pods.",
    labels: ["cluster"],
  },
  images: {
    name: "pulley_fleet_images",
    type: "gauge",
    help: "Different images that the cluster's workloads name.",
    labels: ["cluster"],
  },
  complete: {
    name: "pulley_fleet_cluster_complete",
    type: "gauge",
    help: "Whether all of the cluster was read in the last attempt: 1 or 0.",
    labels: ["cluster"],
  },
  lastSuccess: {
    name: "pulley_fleet_cluster_last_success_timestamp_seconds",
    type: "gauge",
    help: "When all of the cluster was read last, in seconds since the epoch; 0 if never.",
    labels: ["cluster"],
  },
  readDuration: {
    name: "pulley_fleet_cluster_read_duration_seconds",
    type: "gauge",
    help: "Seconds that the last attempt to read the cluster took.",
    labels: ["cluster"],
  },
  reportTime: {
    name: "pulley_fleet_report_timestamp_seconds",
    type: "gauge",
    help: "When the report was made, in seconds since the epoch.",
    labels: [],
  },
  reportDuration: {
    name: "pulley_fleet_report_duration_seconds",
    type: "gauge",
    help: "Seconds that it took to read all clusters, to make the report and to hand it on.",
    labels: [],
  },
  handedOn: {
    name: "pulley_fleet_reports_handed_on_total",
    type: "counter",
    help: "Reports that were written elsewhere, by where to and result: success or failure.",
    labels: ["to", "result"],
  },
  inputReloads: {
    name: "pulley_fleet_input_reloads_total",
    type: "counter",
    help: "Changes of the policy and of the file of teams, by which (policy or teams) and result: success, or failure, where the old one stays in force.",
    labels: ["input", "result"],
  },
  ...processCatalogue,
} as const satisfies Record<string, MetricDescription>;
