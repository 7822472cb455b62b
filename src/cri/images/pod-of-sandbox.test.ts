import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { readImageName } from "../../image/index.ts";
import { PodSandboxConfigSchema } from "../api/runtime/v1/api_pb.js";
import { podOfSandbox } from "./pod-of-sandbox.ts";

test("is the pod of the sandbox, with its own labels and not the kubelet's", () => {
  const sandbox = create(PodSandboxConfigSchema, {
    metadata: { name: "web-0", namespace: "prod", uid: "u1", attempt: 2 },
    labels: {
      app: "web",
      "io.kubernetes.pod.name": "web-0",
      "io.kubernetes.pod.namespace": "prod",
      "io.kubernetes.pod.uid": "u1",
      "io.kubernetes.container.name": "nginx",
      "io.kubernetes.podder": "own",
    },
    annotations: { team: "shop" },
  });
  const pod = podOfSandbox(readImageName("nginx:1.27"), sandbox);
  const labels = { app: "web", "io.kubernetes.podder": "own" };
  expect(pod).toMatchObject({ name: "web-0", namespace: "prod", uid: "u1", labels, annotations: { team: "shop" } });
  expect(pod.containers).toEqual([
    expect.objectContaining({
      name: "nginx",
      kind: "container",
      image: "nginx:1.27",
      pullPolicy: "Always",
      request: {
        workload: {
          apiVersion: "v1",
          kind: "Pod",
          name: "web-0",
          namespace: "prod",
          labels,
          annotations: { team: "shop" },
        },
        container: { name: "nginx", kind: "container" },
        image: readImageName("nginx:1.27"),
        pullPolicy: "Always",
      },
    }),
  ]);
});

test("is named by the kubelet's labels where the sandbox has no metadata", () => {
  const labels = { "io.kubernetes.pod.name": "a", "io.kubernetes.pod.namespace": "b", "io.kubernetes.pod.uid": "c" };
  const pod = podOfSandbox(readImageName("nginx"), create(PodSandboxConfigSchema, { labels }));
  expect([pod.name, pod.namespace, pod.uid, pod.labels]).toEqual(["a", "b", "c", {}]);
});

test("is nobody in the namespace default where there is no sandbox", () => {
  const pod = podOfSandbox(readImageName("nginx"), undefined);
  expect([pod.name, pod.namespace, pod.labels, pod.containers[0]?.name]).toEqual(["cri", "default", {}, ""]);
});
