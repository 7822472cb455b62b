import { expect, it } from "vitest";
import { createInventory } from "../inventory.ts";
import { heldTexts } from "../pools.ts";
import { controller, digestOf, node, pod } from "../testing/objects.ts";
import { heldObject, objectIn } from "./held-object.ts";

const long = "x".repeat(100_000);
const rich = pod({
  name: "web-5f-x",
  owner: ["ReplicaSet", "web-5f"],
  hash: "5f",
  digest: digestOf("a"),
  labels: { app: "web" },
  annotations: { "acme.io/owner": "shop", "kubectl.kubernetes.io/last-applied-configuration": long },
  secrets: ["login"],
  more: {
    serviceAccountName: "web",
    initContainers: [{ name: "init", image: "busybox", command: [long], env: [{ name: "A", value: long }] }],
    ephemeralContainers: [{ name: "debug", image: "alpine:3" }],
    volumes: [
      { name: "data", image: { reference: "acme/data:1", pullPolicy: "Never" } },
      { name: "token", projected: { sources: [long] } },
    ],
  },
});
const started = {
  ...pod({ name: "started", waiting: ["CrashLoopBackOff", long], since: "2026-11-29T09:00:00Z" }),
  status: {
    containerStatuses: [
      { name: "app", imageID: "", containerID: "containerd://1", state: { waiting: { reason: "A" } } },
    ],
  },
};
const waiting = pod({ name: "waiting", waiting: ["ErrImagePull", long], since: "2026-11-29T09:00:00Z" });
const ended = pod({ name: "ended", phase: "Succeeded", owner: ["Job", "n-1"] });
const fixed = pod({ name: "etcd-n1", owner: ["Node", "n1"], annotations: { "kubernetes.io/config.mirror": "x" } });
const controllers = ["Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job", "ReplicaSet", "ReplicationController"];
const strange: object[] = JSON.parse(
  '[{"kind":"Pod","metadata":{"name":"a","labels":{"__proto__":"x","n":5},"ownerReferences":{"a":1}},"spec":{"containers":{"length":3},' +
    '"volumes":[null,5],"imagePullSecrets":[{"name":{}}],"nodeName":[]},"status":{"containerStatuses":"x","conditions":[null]}},' +
    '{"kind":"Node","metadata":{"name":"n2"},"status":{"images":[{"names":"x","sizeBytes":-1}]}},{"kind":"CronJob","metadata":{"name":"c"},"spec":7}]',
);
const objects: readonly object[] = [
  rich,
  started,
  waiting,
  ended,
  fixed,
  ...controllers.map((kind) => controller(kind, "a")),
  controller("ReplicaSet", "web-5f", { owner: ["Deployment", "web"] }),
  controller("Job", "n-1", { owner: ["CronJob", "a"] }),
  node("n1", [[5, "nginx:1", `nginx@${digestOf("b")}`]], "arm64"),
  ...strange,
];

it("has all in it that the inventory reads of an object, and little more", () => {
  const shared = heldTexts();
  const [whole, held] = [createInventory("eu"), createInventory("eu")];
  for (const object of objects) {
    const { kind = "", apiVersion } = { kind: undefined, apiVersion: undefined, ...object };
    const kept = heldObject({ ...object }, kind, shared);
    expect(JSON.stringify(kept).length).toBeLessThan(6_000);
    whole.add(object);
    held.add({ apiVersion, kind, ...objectIn(kept) });
  }
  const expected = whole.finish();
  expect(held.finish()).toEqual(expected);
  expect([expected.pods.length, expected.nodes.length, expected.workloads.length]).toEqual([6, 2, 11]);
});

it("has no text of a container's command or environment in it", () => {
  const secret = {
    ...rich,
    spec: { containers: [{ name: "app", image: "a", env: [{ name: "A", value: "secret" }], args: ["secret"] }] },
  };
  expect(JSON.stringify(heldObject(secret, "Pod", heldTexts()))).not.toContain("secret");
});

it("holds what the pods of a workload say alike once", () => {
  const shared = heldTexts();
  const [one, other, another] = ["a", "b", "c"].map((name) =>
    heldObject(pod({ name, node: name, image: name === "c" ? "c" : "a" }), "Pod", shared),
  );
  expect(one?.rest).toBe(other?.rest);
  expect(one?.rest).not.toBe(another?.rest);
});
