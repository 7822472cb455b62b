/** That what each room tells ends in the metrics, without anybody in between. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { buildImage } from "../examples/world/image-builder.ts";
import { startRegistry } from "../examples/world/registry.ts";
import { openCredentialProviders, type ProviderOptions } from "../src/credentials/exec/index.ts";
import { writeScript } from "../src/credentials/testing.ts";
import { createMetrics, type MetricListeners } from "../src/daemon/metrics/index.ts";
import type { CollectionReport } from "../src/gc/index.ts";
import type { MirrorOptions } from "../src/mirror/index.ts";
import { openMirror } from "../src/mirror/testing/mirror.ts";
import { systemClock } from "../src/support/clock.ts";
import { readExposition } from "../src/support/monitoring/testing/exposition.ts";
import { temporaryFolder } from "../src/support/testing.ts";
import { startCri } from "./cri/server.ts";

function counting() {
  const metrics = createMetrics({ version: "1.2.3", clock: systemClock });
  const samples = async (name: string) => {
    const families = readExposition(await metrics.text());
    const all = [...families.values()].flatMap((family) => family.samples);
    return Object.fromEntries(
      all.filter((sample) => sample.name === name).map(({ labels, value }) => [Object.values(labels).join(" "), value]),
    );
  };
  return { listeners: metrics.listeners, samples };
}

it("calls of a kubelet, and what became of their images", async () => {
  const { listeners, samples } = counting();
  const registry = await startRegistry();
  onTestFinished(() => registry.close());
  registry.addImage("team/app:1", await buildImage({ layers: [{ files: { "etc/app": "app\n" } }] }));
  const { client } = await startCri({
    onOperation: listeners.runtimeOperation,
    onEnsured: (ensured) => listeners.nodeSignal({ kind: "ensured", ensured }),
  });
  await client.pull(`${registry.host}/team/app:1`);
  await client.status(`${registry.host}/team/app:1`);
  await expect(client.pull(`${registry.host}/team/absent:1`)).rejects.toThrow();
  expect(await samples("kubelet_runtime_operations_total")).toEqual({ pull_image: 2, image_status: 1 });
  expect(await samples("kubelet_runtime_operations_errors_total")).toEqual({ pull_image: 1 });
  expect(await samples("pulley_image_requests_ended_total")).toEqual({ pulled: 1, failed: 1 });
  expect(await samples("pulley_image_failures_total")).toEqual({ REGISTRY_NOT_FOUND: 1 });
  expect((await samples("pulley_image_pulled_bytes_total"))["registry"]).toBeGreaterThan(50);
  expect(await samples("kubelet_image_pull_duration_seconds_count")).toEqual({ "0-10MB": 1 });
});

it("requests to the mirror", async () => {
  const { listeners, samples } = counting();
  const { ask, served } = await openMirror();
  await ask("/v2/");
  await ask("/v2/team/app/manifests/1?ns=acme.io");
  const onRequest: NonNullable<MirrorOptions["onRequest"]> = listeners.mirrorRequest;
  for (const request of served) onRequest(request);
  const counted = await samples("pulley_mirror_requests_total");
  expect(Object.values(counted).reduce((sum, value) => sum + value, 0)).toBe(2);
  expect(Object.keys(counted)).toContain("base none GET 200");
});

it("runs of credential providers", async () => {
  const { listeners, samples } = counting();
  const folder = temporaryFolder();
  mkdirSync(join(folder, "bin"));
  writeScript(join(folder, "bin", "broken"), "exit 3");
  const provider = {
    name: "broken",
    matchImages: ["acme.io"],
    defaultCacheDuration: "1m",
    apiVersion: "credentialprovider.kubelet.k8s.io/v1",
  };
  const config = { apiVersion: "kubelet.config.k8s.io/v1", kind: "CredentialProviderConfig", providers: [provider] };
  writeFileSync(join(folder, "config.yaml"), JSON.stringify(config));
  const options: ProviderOptions = {
    config: join(folder, "config.yaml"),
    binDir: join(folder, "bin"),
    environment: {},
    clock: systemClock,
    accounts: { find: async () => undefined, token: async () => undefined } as unknown as ProviderOptions["accounts"],
    say: () => undefined,
    onRun: listeners.credentialPlugin,
  };
  const providers = await openCredentialProviders(options);
  listeners.credentialProviders(providers);
  const repository = { name: "acme.io/app", registry: "acme.io", path: "app" };
  expect(await providers.forPod(undefined).logins(repository)).toEqual([]);
  expect(await samples("kubelet_credential_provider_plugin_errors_total")).toEqual({ broken: 1 });
  expect(await samples("kubelet_credential_provider_plugin_duration_count")).toEqual({ broken: 1 });
  expect(await samples("kubelet_credential_provider_config_info")).toEqual({ [providers.configHash]: 1 });
});

it("passes of garbage collection", async () => {
  const { listeners, samples } = counting();
  const hear: (report: Pick<CollectionReport, "images" | "error">) => void =
    listeners.collection satisfies MetricListeners["collection"];
  hear({ images: [], error: "no disk" });
  expect(await samples("pulley_image_garbage_collections_total")).toEqual({ failure: 1 });
});
