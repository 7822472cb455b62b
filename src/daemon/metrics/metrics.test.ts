import { describe, expect, it } from "vitest";
import { fakeNode } from "../../pods/testing/fake-node.ts";
import { podOf } from "../../pull/testing/pods.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { readExposition } from "../../support/monitoring/testing/exposition.ts";
import { catalogue } from "./catalogue.ts";
import { createMetrics, type MetricSources, type Metrics } from "./index.ts";
import { operationType, sizeClass } from "./listeners.ts";

function metricsFor(sources: MetricSources = {}, clock = manualClock(1_700_000_000_000)) {
  const failures: unknown[] = [];
  const onFailure = (error: unknown) => failures.push(error);
  return { metrics: createMetrics({ version: "1.2.3", sources, clock, onFailure }), clock, failures };
}

/** The value of a sample: its name, and its labels as they come. */
async function valueOf(metrics: Metrics, name: string, labels: Readonly<Record<string, string>> = {}) {
  const families = readExposition(await metrics.text());
  const samples = [...families.values()].flatMap((family) => family.samples);
  const wanted = JSON.stringify(Object.entries(labels).sort());
  return samples.find(
    (sample) => sample.name === name && JSON.stringify(Object.entries(sample.labels).sort()) === wanted,
  )?.value;
}

describe("metrics", () => {
  it("are told in the exposition format, each under its name with its type and help", async () => {
    const { metrics } = metricsFor();
    expect(metrics.contentType).toBe("text/plain; version=0.0.4; charset=utf-8");
    const families = readExposition(await metrics.text());
    for (const { name, type, help } of Object.values(catalogue)) {
      expect(families.get(name), name).toMatchObject({ type, help });
    }
    expect(await valueOf(metrics, "process_resident_memory_bytes")).toBeGreaterThan(1e6);
    expect(await valueOf(metrics, "pulley_build_info", { version: "1.2.3" })).toBe(1);
  });

  it("have names that Prometheus' conventions ask for, and kubelet's where it has one", () => {
    for (const { name, type } of Object.values(catalogue)) {
      expect(name).toMatch(/^(kubelet|pulley|process)_[a-z_]+$/);
      if (type === "counter") expect(name).toMatch(/_total$/);
      else expect(name).not.toMatch(/_total$/);
    }
  });

  it("are apart from those of another node", async () => {
    const [one, other] = [metricsFor().metrics, metricsFor().metrics];
    one.listeners.decisionLogFailure();
    expect(await valueOf(one, "pulley_decision_log_failures_total")).toBe(1);
    expect(await valueOf(other, "pulley_decision_log_failures_total")).toBe(0);
  });

  it("count what a node does, in the kubelet's labels", async () => {
    const { node, images, run } = fakeNode();
    const { metrics } = metricsFor({ pods: node.pods });
    node.onSignal(metrics.listeners.nodeSignal);
    images.failures.set("acme.io/secret:1", "may not pull it");
    const pods = [
      podOf({ name: "a", containers: [{ image: "acme.io/app:1" }] }),
      podOf({ name: "b", containers: [{ image: "acme.io/secret:1" }] }),
      podOf({ name: "c", containers: [{ image: "acme.io/none:1", pullPolicy: "Never" }] }),
      podOf({ name: "d", containers: [{ image: "Not//Good" }] }),
    ];
    await run(pods, 3);
    await run([podOf({ name: "again", containers: [{ image: "acme.io/app:1" }] })], 1);
    await node.stop();
    const requests = "kubelet_image_manager_ensure_image_requests_total";
    const labels = (policy: string, present: string, required: string) => {
      return { pull_policy: policy, present_locally: present, pull_required: required };
    };
    expect(await valueOf(metrics, requests, labels("ifnotpresent", "true", "false"))).toBe(1);
    expect(await valueOf(metrics, requests, labels("never", "false", "unknown"))).toBeGreaterThan(0);
    expect(await valueOf(metrics, requests, labels("ifnotpresent", "false", "true"))).toBeGreaterThan(1);
    expect(await valueOf(metrics, "kubelet_image_pull_duration_seconds_count", { image_size_in_bytes: "0-10MB" })).toBe(
      1,
    );
    expect(await valueOf(metrics, "pulley_image_pulled_bytes_total", { source: "registry" })).toBe(1000);
    expect(await valueOf(metrics, "pulley_image_decisions_total", { action: "Use", reason: "" })).toBe(1);
    expect(
      await valueOf(metrics, "pulley_image_decisions_total", { action: "Refuse", reason: "ErrImageNeverPull" }),
    ).toBeGreaterThan(0);
    expect(await valueOf(metrics, "pulley_image_failures_total", { code: "REGISTRY_NOT_FOUND" })).toBe(1);
    expect(await valueOf(metrics, "pulley_image_requests_ended_total", { outcome: "used" })).toBe(1);
    expect(await valueOf(metrics, "pulley_events_total", { type: "Normal", reason: "Pulling" })).toBe(2);
    expect(await valueOf(metrics, "pulley_pods", { phase: "Prepared" })).toBe(2);
    expect(await valueOf(metrics, "pulley_pods", { phase: "Pending" })).toBe(3);
    expect(await metrics.text()).not.toMatch(/acme|Not\/\/Good/);
  });

  it("count what other rooms tell", async () => {
    const { metrics, clock } = metricsFor();
    const { listeners } = metrics;
    const outcome = { kind: "deleted", reason: "age", freed: 50 } as const;
    listeners.collection({ images: [{ outcome }, { outcome: { kind: "kept" } }], error: undefined });
    listeners.collection({ images: [], error: "no disk" });
    listeners.access("mustAuthenticate");
    listeners.credentialPlugin({ name: "ecr", seconds: 0.02, failed: true });
    listeners.runtimeOperation({ operation: "PullImage", milliseconds: 4, ok: true });
    listeners.runtimeOperation({ operation: "image_fs_info", milliseconds: 4, ok: false });
    const request = { route: "blobs", method: "GET", status: 200, milliseconds: 30, bytes: 700, cache: "hit" } as const;
    listeners.mirrorRequest(request);
    listeners.policyReload({ ok: false });
    await clock.advance(5000);
    listeners.policyReload({ ok: true });
    const at = { operation_type: "pull_image" };
    expect(await valueOf(metrics, "kubelet_image_garbage_collected_total", { reason: "age" })).toBe(1);
    expect(await valueOf(metrics, "pulley_image_garbage_collected_bytes_total", { reason: "age" })).toBe(50);
    expect(await valueOf(metrics, "pulley_image_garbage_collections_total", { result: "failure" })).toBe(1);
    const result = { result: "mustAuthenticate" };
    expect(await valueOf(metrics, "kubelet_imagemanager_image_mustpull_checks_total", result)).toBe(1);
    expect(await valueOf(metrics, "kubelet_credential_provider_plugin_errors_total", { plugin_name: "ecr" })).toBe(1);
    expect(await valueOf(metrics, "kubelet_credential_provider_plugin_duration_sum", { plugin_name: "ecr" })).toBe(
      0.02,
    );
    expect(await valueOf(metrics, "kubelet_runtime_operations_total", at)).toBe(1);
    expect(await valueOf(metrics, "kubelet_runtime_operations_errors_total", at)).toBeUndefined();
    expect(await valueOf(metrics, "kubelet_runtime_operations_duration_seconds_bucket", { ...at, le: "0.005" })).toBe(
      1,
    );
    const failed = { operation_type: "image_fs_info" };
    expect(await valueOf(metrics, "kubelet_runtime_operations_errors_total", failed)).toBe(1);
    const counted = { route: "blobs", method: "GET", status: "200", cache: "hit" };
    expect(await valueOf(metrics, "pulley_mirror_requests_total", counted)).toBe(1);
    expect(await valueOf(metrics, "pulley_mirror_sent_bytes_total", { route: "blobs", cache: "hit" })).toBe(700);
    expect(await valueOf(metrics, "pulley_policy_reloads_total", { result: "failure" })).toBe(1);
    expect(await valueOf(metrics, "pulley_policy_last_load_timestamp_seconds")).toBe(1_700_000_005);
  });

  it("have few labels, whatever is told", async () => {
    const { metrics } = metricsFor();
    for (let number = 0; number < 1000; number += 1) {
      metrics.listeners.runtimeOperation({ operation: `Op${number}`, milliseconds: 1, ok: true });
      metrics.listeners.credentialPlugin({ name: `p${number}`, seconds: 1, failed: false });
    }
    const families = readExposition(await metrics.text());
    expect(families.get("kubelet_runtime_operations_total")?.samples.length).toBe(61);
    expect(await valueOf(metrics, "kubelet_runtime_operations_total", { operation_type: "other" })).toBe(940);
    expect(await valueOf(metrics, "kubelet_credential_provider_plugin_duration_count", { plugin_name: "other" })).toBe(
      970,
    );
  });

  it("look at the disk at most every 30 seconds, and leave out what they cannot see", async () => {
    let looks = 0;
    let broken = false;
    const store = async () => {
      looks += 1;
      if (broken) throw new Error("no disk");
      return { images: 3, used: 10, capacity: 100, available: 60 };
    };
    const { metrics, clock, failures } = metricsFor({ store, pullRecords: async () => ({ intents: 1, records: 2 }) });
    await Promise.all([metrics.text(), metrics.text()]);
    expect(await valueOf(metrics, "pulley_store_bytes")).toBe(10);
    expect(await valueOf(metrics, "pulley_store_filesystem_available_bytes")).toBe(60);
    expect(await valueOf(metrics, "kubelet_imagemanager_ondisk_pulledrecords")).toBe(2);
    expect(looks).toBe(1);
    broken = true;
    await clock.advance(30_000);
    expect(await valueOf(metrics, "pulley_store_bytes")).toBeUndefined();
    expect(failures.map(String)).toEqual(["Error: no disk"]);
    expect(looks).toBe(2);
    const { metrics: blind } = metricsFor();
    expect(await valueOf(blind, "pulley_store_images")).toBeUndefined();
  });
});

describe("a label", () => {
  const [megabyte, gigabyte] = [1024 ** 2, 1024 ** 3];
  it.each([
    [0, "N/A"],
    [1, "0-10MB"],
    [10 * megabyte, "0-10MB"],
    [10 * megabyte + 1, "10MB-100MB"],
    [100 * megabyte + 1, "100MB-500MB"],
    [500 * megabyte + 1, "500MB-1GB"],
    [gigabyte + 1, "1GB-5GB"],
    [5 * gigabyte + 1, "5GB-10GB"],
    [10 * gigabyte + 1, "10GB-20GB"],
    [20 * gigabyte + 1, "20GB-30GB"],
    [30 * gigabyte + 1, "30GB-40GB"],
    [40 * gigabyte + 1, "40GB-60GB"],
    [60 * gigabyte + 1, "60GB-100GB"],
    [100 * gigabyte + 1, "GT100GB"],
  ])("for %i bytes is %s", (bytes, label) => {
    expect(sizeClass(bytes)).toBe(label);
  });

  it.each([
    ["PullImage", "pull_image"],
    ["pull_image", "pull_image"],
    ["ImageFsInfo", "image_fs_info"],
    ["ListImages", "list_images"],
    ["RunPodSandbox", "run_podsandbox"],
    ["CreateContainer", "create_container"],
  ])("for the operation %s is %s", (method, label) => {
    expect(operationType(method)).toBe(label);
  });
});

describe("the reader of the tests", () => {
  const good = '# HELP a_total help\n# TYPE a_total counter\na_total{b="c\\"\\\\d"} 1\n';

  it("reads what is right", () => {
    expect(readExposition(good).get("a_total")?.samples).toEqual([
      { name: "a_total", labels: { b: 'c"\\d' }, value: 1 },
    ]);
  });

  it.each([
    ["no line break at the end", good.trimEnd()],
    ["no help", good.replace(/^.*\n/, "")],
    ["another's sample", good.replace("a_total{", "b_total{")],
    ["no number", good.replace(" 1\n", " one\n")],
    ["less than nothing", good.replace(" 1\n", " -1\n")],
    ["a label that does not end", good.replace('d"}', "d}")],
    ["the same twice", `${good}a_total{b="c\\"\\\\d"} 2\n`],
    ["a histogram without its last bucket", '# HELP h h\n# TYPE h histogram\nh_bucket{le="1"} 1\nh_sum 1\nh_count 1\n'],
  ])("refuses %s", (_what, text) => {
    expect(() => readExposition(text)).toThrow();
  });
});
