import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseImageName } from "../image/index.ts";
import { kubernetesOnly } from "../policy/index.ts";
import { openPullRecords, openPulls } from "../pull/index.ts";
import { type FakeRegistry, fakeRegistry } from "../pull/testing/fake-registry.ts";
import { hastyClock } from "../pull/testing/hasty-clock.ts";
import { loginsOfSecrets, secretOf } from "../pull/testing/logins.ts";
import { podOf } from "../pull/testing/pods.ts";
import { type ImageStore, openEmbeddedStore } from "../store/index.ts";
import type { Pod, PullSecret } from "../workload/index.ts";
import { createPodManager } from "./pod-manager.ts";

let root: string;
let store: ImageStore;
let registry: FakeRegistry;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "pulley-node-"));
  store = await openEmbeddedStore(join(root, "store"));
  registry = fakeRegistry();
});
afterEach(async () => {
  await store.close();
  await rm(root, { recursive: true, force: true });
});

/** Runs pods on a node of their own until they settle, and says how each container ended. */
async function settle(pods: readonly Pod[], secrets: readonly PullSecret[]): Promise<readonly string[]> {
  const clock = hastyClock();
  const platform = { os: "linux", architecture: "amd64", variant: "" };
  const node = createPodManager({
    pulls: openPulls({ store, registry, platform, clock }),
    policy: kubernetesOnly,
    loginsFor: (_pod, own) => loginsOfSecrets(own),
    records: openPullRecords(root, {}, clock),
    clock,
    random: () => 0,
  });
  node.add(pods, secrets);
  await node.settled();
  const ends = node.pods().flatMap(({ containers }) => containers.map(({ state }) => state));
  await node.stop();
  return ends.map((state) => (state.kind === "waiting" ? state.reason : state.kind));
}

function privatePod(name: string, secret: string, pullPolicy: "Always" | "IfNotPresent" | "Never" = "IfNotPresent") {
  return podOf({ name, containers: [{ image: "acme.io/app:1", pullPolicy }], imagePullSecrets: [secret] });
}

const secrets = [secretOf("regcred", "alice"), secretOf("copy", "alice"), secretOf("other", "bob")];

describe("a node with a store", () => {
  it("serves a hundred pods with five requests, and confirms what is here with one", async () => {
    registry.push("docker.io/library/nginx:latest", { layers: ["base", "nginx"] });
    const pods = Array.from({ length: 100 }, (_, at) => podOf({ name: `web-${at}`, containers: [{ image: "nginx" }] }));
    expect(new Set(await settle(pods, []))).toEqual(new Set(["prepared"]));
    expect(registry.requests).toHaveLength(5);
    registry.requests.length = 0;
    await settle(pods, []);
    expect(registry.requests).toEqual(["HEAD docker.io/library/nginx:latest"]);
  });

  it("lets pods use a private image that is here only with a login that was accepted", async () => {
    registry.push("acme.io/app:1", { layers: ["base", "app"] });
    registry.users.set("acme.io/app", ["alice"]);
    expect(await settle([privatePod("first", "regcred")], secrets)).toEqual(["prepared"]);
    registry.requests.length = 0;
    expect(await settle([privatePod("same", "regcred"), privatePod("equal", "copy", "Never")], secrets)).toEqual([
      "prepared",
      "prepared",
    ]);
    expect(registry.requests).toEqual([]);
    expect(await settle([privatePod("stranger", "other")], secrets)).toEqual(["ImagePullBackOff"]);
    expect(registry.requests.every((request) => request === "HEAD acme.io/app:1 as bob")).toBe(true);
    expect(await settle([privatePod("silent", "other", "Never")], secrets)).toEqual(["ErrImageNeverPull"]);
  });

  it("lets every pod use what was loaded by hand", async () => {
    registry.push("acme.io/app:1", { layers: ["base", "app"] });
    const platform = { os: "linux", architecture: "amd64", variant: "" };
    await openPulls({ store, registry, platform, clock: hastyClock() }).images.pull(
      parseImageName("acme.io/app:1"),
      undefined,
    );
    registry.users.set("acme.io/app", ["alice"]);
    expect(await settle([privatePod("anyone", "other", "Never")], secrets)).toEqual(["prepared"]);
  });
});
