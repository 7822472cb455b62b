/**
 * Every metric of the daemon. Where the kubelet has one, it has the kubelet's name, labels and buckets, so that its
 * dashboards and alerts hold (k8s pkg/kubelet/metrics/metrics.go, images/metrics.go, images/pullmanager/metrics.go,
 * pkg/credentialprovider/plugin/metrics.go). No label holds an image, a pod or an address.
 */
import { type MetricDescription, processCatalogue } from "../../support/monitoring/instruments.ts";

/** Go client's own, which the kubelet keeps for plugins. */
const usualBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const pullBuckets = [1, 5, 10, 20, 30, 60, 120, 180, 240, 300, 360, 480, 600, 900, 1200, 1800, 2700, 3600];
/** From 5 ms on, each 2.5 times the one before. */
const operationBuckets = Array.from({ length: 14 }, (_, at) => Number((0.005 * 2.5 ** at).toPrecision(12)));

export const catalogue = {
  // the kubelet's
  pullDuration: {
    name: "kubelet_image_pull_duration_seconds",
    type: "histogram",
    help: "Seconds that a successful pull took, the wait for its turn included, by the size of the image.",
    labels: ["image_size_in_bytes"],
    buckets: pullBuckets,
  },
  ensureRequests: {
    name: "kubelet_image_manager_ensure_image_requests_total",
    type: "counter",
    help: "Requests of containers for an image: by pull policy, whether a copy was here, and whether a pull was required.",
    labels: ["pull_policy", "present_locally", "pull_required"],
  },
  garbageCollected: {
    name: "kubelet_image_garbage_collected_total",
    type: "counter",
    help: "Images that garbage collection removed, by reason: age or space.",
    labels: ["reason"],
  },
  pullIntents: {
    name: "kubelet_imagemanager_ondisk_pullintents",
    type: "gauge",
    help: "Records on disk of pulls that have begun and not yet ended.",
    labels: [],
  },
  pulledRecords: {
    name: "kubelet_imagemanager_ondisk_pulledrecords",
    type: "gauge",
    help: "Records on disk of who pulled which image.",
    labels: [],
  },
  mustPullChecks: {
    name: "kubelet_imagemanager_image_mustpull_checks_total",
    type: "counter",
    help: "Checks whether a pod must show its credentials to the registry for an image that is here, by result.",
    labels: ["result"],
  },
  operations: {
    name: "kubelet_runtime_operations_total",
    type: "counter",
    help: "Calls of the Container Runtime Interface, by operation.",
    labels: ["operation_type"],
  },
  operationErrors: {
    name: "kubelet_runtime_operations_errors_total",
    type: "counter",
    help: "Calls of the Container Runtime Interface that failed, by operation.",
    labels: ["operation_type"],
  },
  operationDuration: {
    name: "kubelet_runtime_operations_duration_seconds",
    type: "histogram",
    help: "Seconds that calls of the Container Runtime Interface took, by operation.",
    labels: ["operation_type"],
    buckets: operationBuckets,
  },
  pluginErrors: {
    name: "kubelet_credential_provider_plugin_errors_total",
    type: "counter",
    help: "Runs of a credential provider plugin that failed.",
    labels: ["plugin_name"],
  },
  pluginDuration: {
    name: "kubelet_credential_provider_plugin_duration",
    type: "histogram",
    help: "Seconds that runs of a credential provider plugin took.",
    labels: ["plugin_name"],
    buckets: usualBuckets,
  },
  providerConfig: {
    name: "kubelet_credential_provider_config_info",
    type: "gauge",
    help: "Always 1; the hash of the credential providers' configuration is in the label.",
    labels: ["hash"],
  },

  // Pulley's own, and what every program has (prometheus.io/docs/instrumenting/writing_clientlibs)
  ...processCatalogue,
  decisions: {
    name: "pulley_image_decisions_total",
    type: "counter",
    help: "Decisions, by action: Use, Check, Pull or Refuse; and for refusals by reason.",
    labels: ["action", "reason"],
  },
  ruleDecisions: {
    name: "pulley_policy_rule_decisions_total",
    type: "counter",
    help: "Decisions that a rule of the policy had a part in, by subject and rule.",
    labels: ["subject", "rule"],
  },
  ruleWarnings: {
    name: "pulley_policy_rule_warnings_total",
    type: "counter",
    help: "Images that were used though a rule on trial (mode: Warn) would refuse them, by rule and the refusal's reason.",
    labels: ["rule", "reason"],
  },
  outcomes: {
    name: "pulley_image_requests_ended_total",
    type: "counter",
    help: "Requests for an image that ended, by outcome: used, confirmed, pulled, usedCached, refused or failed.",
    labels: ["outcome"],
  },
  cachedCopies: {
    name: "pulley_image_cached_copies_used_total",
    type: "counter",
    help: "Uses of the copy on this machine because no source could be reached (whenUnreachable: UseCached).",
    labels: [],
  },
  pullFailures: {
    name: "pulley_image_failures_total",
    type: "counter",
    help: "Requests for an image that failed, by the code of the error.",
    labels: ["code"],
  },
  pulledBytes: {
    name: "pulley_image_pulled_bytes_total",
    type: "counter",
    help: "Bytes of layers that were fetched, by source: registry or mirror.",
    labels: ["source"],
  },
  collections: {
    name: "pulley_image_garbage_collections_total",
    type: "counter",
    help: "Passes of garbage collection, by result: success or failure.",
    labels: ["result"],
  },
  collectedBytes: {
    name: "pulley_image_garbage_collected_bytes_total",
    type: "counter",
    help: "Bytes on disk that garbage collection freed, by reason: age or space.",
    labels: ["reason"],
  },
  events: {
    name: "pulley_events_total",
    type: "counter",
    help: "Events of pods, by type and reason.",
    labels: ["type", "reason"],
  },
  pods: {
    name: "pulley_pods",
    type: "gauge",
    help: "Pods on this node, by phase.",
    labels: ["phase"],
  },
  mirrorRequests: {
    name: "pulley_mirror_requests_total",
    type: "counter",
    help: "Requests to the mirror, by route, method and status, and by whether the content was here (hit, miss; none where it is not about content).",
    labels: ["route", "method", "status", "cache"],
  },
  mirrorDuration: {
    name: "pulley_mirror_request_duration_seconds",
    type: "histogram",
    help: "Seconds from a request to the mirror to the last byte of its answer, by route and by whether the content was here.",
    labels: ["route", "cache"],
    buckets: operationBuckets,
  },
  mirrorBytes: {
    name: "pulley_mirror_sent_bytes_total",
    type: "counter",
    help: "Bytes that the mirror sent, by route and by whether the content was here.",
    labels: ["route", "cache"],
  },
  policyReloads: {
    name: "pulley_policy_reloads_total",
    type: "counter",
    help: "Changes of the policy files, by result: success, or failure, where the old policy stays in force.",
    labels: ["result"],
  },
  policyLoaded: {
    name: "pulley_policy_last_load_timestamp_seconds",
    type: "gauge",
    help: "When the policy in force was loaded, in seconds since the epoch.",
    labels: [],
  },
  storeBytes: {
    name: "pulley_store_bytes",
    type: "gauge",
    help: "Bytes that the store takes up on the disk.",
    labels: [],
  },
  storeImages: {
    name: "pulley_store_images",
    type: "gauge",
    help: "Images in the store.",
    labels: [],
  },
  storeCapacity: {
    name: "pulley_store_filesystem_size_bytes",
    type: "gauge",
    help: "Bytes of the file system that the store lies on.",
    labels: [],
  },
  storeAvailable: {
    name: "pulley_store_filesystem_available_bytes",
    type: "gauge",
    help: "Bytes of that file system that are still free.",
    labels: [],
  },
  scrubbedBlobs: {
    name: "pulley_store_scrubbed_blobs_total",
    type: "counter",
    help: "Blobs of the store that were read again, by what was found: sound, damaged, missing or unreadable.",
    labels: ["state"],
  },
  scrubbedBytes: {
    name: "pulley_store_scrubbed_bytes_total",
    type: "counter",
    help: "Bytes of the store that were read again.",
    labels: [],
  },
  scrubRepairs: {
    name: "pulley_store_scrub_repairs_total",
    type: "counter",
    help: "Blobs that were damaged or missing and have been fetched again.",
    labels: [],
  },
  scrubFinished: {
    name: "pulley_store_scrub_last_finished_timestamp_seconds",
    type: "gauge",
    help: "When the whole store had been read again last, in seconds since the epoch; 0 if never.",
    labels: [],
  },
  decisionsLost: {
    name: "pulley_decision_log_failures_total",
    type: "counter",
    help: "Times that decisions could not be written down.",
    labels: [],
  },
} as const satisfies Record<string, MetricDescription>;
