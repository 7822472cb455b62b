/** Listeners that count what happens. */
import type { PluginRun } from "../../credentials/index.ts";
import type { RuntimeOperation } from "../../cri/index.ts";
import type { NodeEvent } from "../../pods/index.ts";
import type { EnsuredImage } from "../../pull/index.ts";
import type { Clock } from "../../support/clock.ts";
import { limitedValues, type MetricByType } from "../../support/monitoring/instruments.ts";
import type { catalogue } from "./catalogue.ts";
import type { CollectionPass, MetricListeners, MirrorRequest } from "./types.ts";

export type Instruments = {
  readonly [Name in keyof typeof catalogue]: MetricByType[(typeof catalogue)[Name]["type"]];
};

/** Most different values of labels whose values come from outside. */
const mostValues = {
  rules: 200,
  reasons: 60,
  operations: 60,
  plugins: 30,
  routes: 30,
  methods: 10,
  statuses: 60,
  caches: 10,
};

export function createListeners(to: Instruments, clock: Pick<Clock, "now">): MetricListeners {
  const rule = limitedValues(mostValues.rules);
  const reason = limitedValues(mostValues.reasons);
  const operationOf = limitedValues(mostValues.operations);
  const plugin = limitedValues(mostValues.plugins);
  const route = limitedValues(mostValues.routes);
  const method = limitedValues(mostValues.methods);
  const status = limitedValues(mostValues.statuses);
  const cache = limitedValues(mostValues.caches);

  function ensured({ labels, decision, outcome, failure, pull }: EnsuredImage): void {
    to.ensureRequests.inc({
      pull_policy: labels.pullPolicy.toLowerCase(),
      present_locally: String(labels.presentLocally),
      pull_required: String(labels.pullRequired),
    });
    if (decision !== undefined && outcome !== undefined) {
      to.decisions.inc({ action: decision.action, reason: decision.action === "Refuse" ? decision.reason : "" });
      for (const step of decision.trace) {
        if (step.rule !== null) to.ruleDecisions.inc({ subject: step.subject, rule: rule(step.rule) });
      }
    }
    if (outcome !== undefined) {
      for (const warning of decision?.trial.warnings ?? []) {
        to.ruleWarnings.inc({ rule: rule(warning.rule), reason: warning.reason });
      }
    }
    if (outcome !== undefined) to.outcomes.inc({ outcome });
    if (outcome === "usedCached") to.cachedCopies.inc();
    if (outcome === "failed" || (outcome === undefined && failure !== undefined)) {
      to.pullFailures.inc({ code: failure ?? "INTERNAL" });
    }
    if (pull === undefined) return;
    to.pulledBytes.inc({ source: pull.from }, pull.fetched);
    to.pullDuration.observe({ image_size_in_bytes: sizeClass(pull.size) }, pull.milliseconds / 1000);
  }

  function event({ type, reason: why }: NodeEvent): void {
    to.events.inc({ type, reason: reason(why) });
  }

  function mirrorRequest(request: MirrorRequest): void {
    const { milliseconds, bytes } = request;
    const at = { route: route(request.route), cache: cache(request.cache ?? "none") };
    to.mirrorRequests.inc({ ...at, method: method(request.method), status: status(String(request.status)) });
    to.mirrorDuration.observe(at, milliseconds / 1000);
    to.mirrorBytes.inc(at, bytes);
  }

  function runtimeOperation({ operation, milliseconds, ok }: RuntimeOperation): void {
    const at = { operation_type: operationOf(operationType(operation)) };
    to.operations.inc(at);
    if (!ok) to.operationErrors.inc(at);
    to.operationDuration.observe(at, milliseconds / 1000);
  }

  function collection({ images, error }: CollectionPass): void {
    to.collections.inc({ result: error === undefined ? "success" : "failure" });
    for (const { outcome } of images) {
      if (outcome.kind !== "deleted") continue;
      to.garbageCollected.inc({ reason: outcome.reason });
      to.collectedBytes.inc({ reason: outcome.reason }, outcome.freed ?? 0);
    }
  }

  function credentialPlugin(run: PluginRun): void {
    const at = { plugin_name: plugin(run.name) };
    if (run.failed) to.pluginErrors.inc(at);
    to.pluginDuration.observe(at, run.seconds);
  }

  return {
    nodeSignal: (signal) => {
      if (signal.kind === "ensured") ensured(signal.ensured);
      if (signal.kind === "event") event(signal.event);
    },
    access: (result) => to.mustPullChecks.inc({ result }),
    collection,
    mirrorRequest,
    credentialPlugin,
    credentialProviders: ({ configHash }) => {
      to.providerConfig.reset();
      to.providerConfig.set({ hash: configHash }, 1);
    },
    runtimeOperation,
    policyReload: ({ ok }) => {
      to.policyReloads.inc({ result: ok ? "success" : "failure" });
      if (ok) to.policyLoaded.set(clock.now() / 1000);
    },
    decisionLogFailure: () => to.decisionsLost.inc(),
    scrubbed: ({ state, bytes, repaired }) => {
      to.scrubbedBlobs.inc({ state });
      to.scrubbedBytes.inc(bytes);
      if (repaired) to.scrubRepairs.inc();
    },
    scrubFinished: (at) => to.scrubFinished.set(at / 1000),
  };
}

// Label values, limited in number.

/** The kubelet's classes of image sizes, each for more than its lower bound; a megabyte has 1024² bytes here. */
const megabyte = 1024 * 1024;
const gigabyte = 1024 * megabyte;
const sizeClasses: readonly (readonly [above: number, label: string])[] = [
  [100 * gigabyte, "GT100GB"],
  [60 * gigabyte, "60GB-100GB"],
  [40 * gigabyte, "40GB-60GB"],
  [30 * gigabyte, "30GB-40GB"],
  [20 * gigabyte, "20GB-30GB"],
  [10 * gigabyte, "10GB-20GB"],
  [5 * gigabyte, "5GB-10GB"],
  [gigabyte, "1GB-5GB"],
  [500 * megabyte, "500MB-1GB"],
  [100 * megabyte, "100MB-500MB"],
  [10 * megabyte, "10MB-100MB"],
  [0, "0-10MB"],
];

/** @param bytes 0 where that is not known (k8s pkg/kubelet/metrics/metrics.go, `GetImageSizeBucket`) */
export function sizeClass(bytes: number): string {
  return sizeClasses.find(([above]) => bytes > above)?.[1] ?? "N/A";
}

/** As the kubelet names operations: `PullImage` is `pull_image`, `RunPodSandbox` is `run_podsandbox`. */
export function operationType(method: string): string {
  const words = method.replace(/(?<=[a-z0-9])[A-Z]/g, (letter) => `_${letter}`).toLowerCase();
  return words.replace("pod_sandbox", "podsandbox");
}
