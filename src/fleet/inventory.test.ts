import { describe, expect, it } from "vitest";
import { createInventory } from "./inventory.ts";
import { cluster, controller, digestOf, node, pod } from "./testing/objects.ts";

function workloads(items: readonly unknown[]) {
  return cluster(items).workloads.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`);
}

describe("the owner at the top", () => {
  it.each([
    ["a pod alone", [pod({ name: "a" })], "Pod prod/a"],
    ["a StatefulSet", [pod({ name: "db-0", owner: ["StatefulSet", "db"] })], "StatefulSet prod/db"],
    [
      "the Deployment of a ReplicaSet",
      [
        pod({ name: "web-5f-x", owner: ["ReplicaSet", "web-5f"], hash: "5f" }),
        controller("ReplicaSet", "web-5f", { owner: ["Deployment", "web"] }),
      ],
      "Deployment prod/web",
    ],
    [
      "the Rollout of a ReplicaSet",
      [
        controller("ReplicaSet", "web-5f", { owner: ["Rollout", "web"] }),
        pod({ name: "web-5f-x", owner: ["ReplicaSet", "web-5f"], hash: "5f" }),
      ],
      "Rollout prod/web",
    ],
    [
      "the Deployment by the hash, without the ReplicaSet",
      [pod({ name: "web-5f-x", owner: ["ReplicaSet", "web-5f"], hash: "5f" })],
      "Deployment prod/web",
    ],
    [
      "the ReplicaSet, without any of them",
      [pod({ name: "web-x", owner: ["ReplicaSet", "web"] })],
      "ReplicaSet prod/web",
    ],
    [
      "the CronJob of a Job",
      [pod({ name: "n-1-x", owner: ["Job", "n-1"] }), controller("Job", "n-1", { owner: ["CronJob", "n"] })],
      "CronJob prod/n",
    ],
    ["a Job alone", [pod({ name: "n-1-x", owner: ["Job", "n-1"] }), controller("Job", "n-1")], "Job prod/n-1"],
    [
      "a static pod, whatever its node",
      ["n1", "n2"].map((each) =>
        pod({
          name: `etcd-${each}`,
          node: each,
          owner: ["Node", each],
          annotations: { "kubernetes.io/config.mirror": "x" },
        }),
      ),
      "StaticPod prod/etcd",
    ],
  ])("is %s", (_name, items, expected) => {
    expect(workloads(items)).toEqual([expected]);
  });

  it("is there without pods, if it can have some", () => {
    const items = ["Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job"].map((kind) => controller(kind, "a"));
    expect(workloads(items)).toEqual(["Deployment prod/a", "StatefulSet prod/a", "DaemonSet prod/a", "CronJob prod/a"]);
    expect(cluster(items).workloads[3]?.template).toMatchObject([{ name: "app", image: "nginx:1.25" }]);
  });
});

describe("what is kept", () => {
  it("is every container and image volume, with the digest that runs and why it waits", () => {
    const more = {
      initContainers: [{ name: "init", image: "busybox" }],
      containers: [{ name: "app", image: "nginx:1.25", imagePullPolicy: "Always" }],
      ephemeralContainers: [{ name: "debug", image: "alpine:3" }],
      volumes: [
        { name: "data", image: { reference: "acme/data:1", pullPolicy: "Never" } },
        { name: "x", emptyDir: {} },
      ],
    };
    const [only] = cluster([pod({ name: "a", digest: digestOf("a"), more })]).pods;
    expect(
      only?.containers.map(({ spec, digest }) => [spec.kind, spec.name, spec.image, spec.pullPolicy, digest]),
    ).toEqual([
      ["initContainer", "init", "busybox", undefined, undefined],
      ["container", "app", "nginx:1.25", "Always", digestOf("a")],
      ["ephemeralContainer", "debug", "alpine:3", undefined, undefined],
      ["imageVolume", "data", "acme/data:1", "Never", undefined],
    ]);
  });

  it("is one copy of what many objects say", () => {
    const { pods, nodes } = cluster([
      pod({ name: "a", digest: digestOf("a") }),
      pod({ name: "b", digest: digestOf("a") }),
      node("n1", [[5, "nginx:1"]]),
      node("n2", [[5, "nginx:1"]]),
    ]);
    expect(pods[0]?.containers[0]).toBe(pods[1]?.containers[0]);
    expect(nodes[0]?.images[0]).toBe(nodes[1]?.images[0]);
  });

  it("is the last of what comes twice", () => {
    const { pods } = cluster([pod({ name: "a", node: "n1" }), pod({ name: "a", node: "n2" })]);
    expect(pods.map(({ node: on }) => on)).toEqual(["n2"]);
  });

  it("takes the ID of an image for no digest of a manifest", () => {
    const strange = pod({ name: "a" });
    const statuses = [digestOf("a"), `docker://${digestOf("a")}`, "a".repeat(64), "x@sha256:abc", 5].map((imageID) => ({
      ...strange,
      metadata: { ...strange.metadata, name: String(imageID).slice(0, 12) },
      status: { ...strange.status, containerStatuses: [{ name: "app", imageID }] },
    }));
    expect(cluster(statuses).pods.flatMap(({ containers }) => containers.map(({ digest }) => digest))).toEqual(
      Array.from({ length: 5 }, () => undefined),
    );
  });
});

describe("strange objects", () => {
  it.each([
    [null, /no kind/],
    [[], /no kind/],
    ["text", /no kind/],
    [{ kind: 5 }, /no kind/],
    [{ kind: "Pod" }, /the Pod has no metadata.name/],
    [{ kind: "Node", metadata: { name: 7 } }, /the Node has no metadata.name/],
    [{ kind: "Secret" }, undefined],
  ])("%j is told of, or passed over", (raw, message) => {
    const told = createInventory("eu").add(raw);
    if (message === undefined) expect(told).toBeUndefined();
    else expect(told).toMatch(message);
  });

  it("with fields of another type, and keys that JavaScript knows, are read as far as they go", () => {
    const inventory = createInventory("eu");
    const wrong: unknown = JSON.parse(
      '{"kind":"Pod","metadata":{"name":"a","labels":{"__proto__":"x","constructor":"y","n":5},"ownerReferences":{"a":1}},' +
        '"spec":{"containers":{"length":3},"volumes":[null,5],"imagePullSecrets":[{"name":{}}],"nodeName":[]},' +
        '"status":{"containerStatuses":"x","conditions":[null]}}',
    );
    expect(inventory.add(wrong)).toBeUndefined();
    expect(
      inventory.add({
        kind: "Node",
        metadata: { name: "n" },
        status: { images: [{ names: "x", sizeBytes: -1 }, null] },
      }),
    ).toBeUndefined();
    const { pods, nodes } = inventory.finish();
    expect(pods[0]).toMatchObject({ name: "a", node: "", containers: [], pullSecrets: [] });
    expect(Object.entries(pods[0]?.workload.labels ?? {})).toEqual([
      ["__proto__", "x"],
      ["constructor", "y"],
    ]);
    expect(nodes[0]?.images).toEqual([
      { names: [], bytes: 0 },
      { names: [], bytes: 0 },
    ]);
  });

  it("keep no text that is longer than any name or message", () => {
    const long = "x".repeat(1_000_000);
    const [only] = cluster([pod({ name: "a", image: long, waiting: ["ErrImagePull", long] })]).pods;
    expect(only?.containers[0]?.spec.image).toHaveLength(4096);
    expect(only?.containers[0]?.waiting?.message).toHaveLength(4096);
  });
});
