import { describe, expect, it } from "vitest";
import { podOf } from "../pull/testing/pods.ts";
import { fieldPathOf } from "./pod-images.ts";
import { fakeNode } from "./testing/fake-node.ts";

describe("where in a pod a container is", () => {
  const pod = podOf({
    containers: [
      { kind: "initContainer", name: "setup", image: "a:1" },
      { kind: "container", name: "", image: "b:1" },
      { kind: "container", name: "web", image: "c:1" },
      { kind: "container", name: "", image: "d:1" },
      { kind: "ephemeralContainer", name: "debug", image: "e:1" },
      { kind: "imageVolume", name: "data", image: "f:1" },
    ],
  });
  const expected = [
    "spec.initContainers{setup}",
    "spec.containers[0]",
    "spec.containers{web}",
    "spec.containers[2]",
    "spec.ephemeralContainers{debug}",
    undefined,
  ];
  it.each([...pod.containers, ...pod.imageVolumes].map((container, at) => ({ container, path: expected[at] })))(
    "$container.kind $container.name: $path",
    ({ container, path }) => {
      expect(fieldPathOf(pod, container)).toBe(path);
    },
  );
});

describe("a look at a pod", () => {
  const containers = [
    { kind: "container", name: "web", image: "web:1" },
    { kind: "initContainer", name: "setup", image: "setup:1" },
    { kind: "ephemeralContainer", name: "debug", image: "debug:1" },
    { kind: "imageVolume", name: "data", image: "data:1" },
  ] as const;

  it("takes image volumes, ephemeral, init and other containers in this order", async () => {
    const { run, images, node } = fakeNode();
    await run([podOf({ containers })], 1);
    expect(images.pulls).toEqual(["data:1", "debug:1", "setup:1", "web:1"]);
    expect(node.pods()[0]?.conditions.slice(2)).toEqual([
      { type: "Initialized", status: "True" },
      ...["ContainersReady", "Ready"].map((type) => ({
        type,
        status: "False",
        reason: "ContainersPrepared",
        message: "the images are on this machine; there is no container runtime to start the containers",
      })),
    ]);
  });

  it("is not held up by an ephemeral container that fails", async () => {
    const { run, images } = fakeNode();
    images.failures.set("debug:1", "no");
    await run([podOf({ containers })], 1);
    expect(images.pulls.at(-1)).toBe("web:1");
  });

  it("does not end as long as an image volume fails that no container mounts", async () => {
    const { run, images, node } = fakeNode();
    images.failures.set("data:1", "no");
    const pod = podOf({ containers });
    const unmounted = { ...pod, containers: pod.containers.map((one) => ({ ...one, mountedVolumes: [] })) };
    await run([unmounted], 5);
    expect(node.pods()[0]?.containers.every(({ state }) => state.kind === "prepared")).toBe(true);
    expect(node.pods()[0]).toMatchObject({
      phase: "Pending",
      settled: true,
      imageVolumes: [{ state: { reason: "ImagePullBackOff" } }],
    });
    images.failures.clear();
    await run([], 20);
    expect(node.pods()[0]).toMatchObject({ phase: "Prepared", settled: true });
  });

  it("is the last one when everything is prepared", async () => {
    const { run, images, clock, signals } = fakeNode();
    await run([podOf({ containers })], 1);
    const before = signals.length;
    await run([], 10_000);
    expect(signals).toHaveLength(before);
    expect(clock.sleepers).toBe(0);
    expect(images.pulls).toHaveLength(4);
  });
});
