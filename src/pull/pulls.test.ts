import { describe, expect, it } from "vitest";
import { PulleyError } from "../support/errors.ts";
import { manualClock } from "../support/manual-clock.ts";
import { createPulls, type Pulls } from "./pulls.ts";
import { fakeImages } from "./testing/fake-images.ts";
import { sourceOf } from "./testing/logins.ts";
import { podOf } from "./testing/pods.ts";
import { policyOf } from "./testing/policies.ts";

const policy = policyOf('{ name: near, from: { order: Fastest, mirrors: ["https://a", "https://b"], origin: Never } }');

function setUp() {
  const clock = manualClock();
  const images = fakeImages(clock);
  images.latencies.set("https://a", 10).set("https://b", 30);
  const pulls = createPulls({
    images,
    clock,
    settings: { serializeImagePulls: true, registryPullQPS: 1, registryBurst: 1 },
  });
  return { clock, images, pulls };
}

function managerOf(pulls: Pulls, unlimited: boolean) {
  const manager = pulls.manager({ records: undefined, policy: () => policy, unlimited });
  return async (image: string) => {
    const pod = podOf({ name: image.replace(":", "-"), containers: [{ image, pullPolicy: "Always" }] });
    const [container] = pod.containers;
    if (container === undefined) throw new Error("no container");
    return manager.ensureImageExists({ pod, container, logins: sourceOf(), record: () => undefined });
  };
}

describe("the managers of one machine", () => {
  it("share what each has learnt of a mirror", async () => {
    const { clock, images, pulls } = setUp();
    const [pods, kubelet] = [managerOf(pulls, false), managerOf(pulls, true)];
    images.failures.set("https://a", new PulleyError("REGISTRY_UNAVAILABLE", "overloaded"));
    await Promise.all([pods("one:1"), clock.advance(1000)]);
    expect(images.pulls).toEqual(["one:1 from https://a", "one:1 from https://b"]);
    await Promise.all([kubelet("two:1"), clock.advance(1000)]);
    expect(images.pulls.slice(2)).toEqual(["two:1 from https://b"]);
  });

  it("limit those alone who do not limit themselves", async () => {
    const { clock, images, pulls } = setUp();
    const [pods, kubelet] = [managerOf(pulls, false), managerOf(pulls, true)];
    const all = Promise.all([pods("one:1"), pods("two:1"), kubelet("three:1"), kubelet("four:1")]);
    await clock.advance(1000);
    expect((await all).map(({ failure }) => failure?.message)).toEqual([
      undefined,
      expect.stringContaining("pull QPS exceeded"),
      undefined,
      undefined,
    ]);
    expect(images.pulls).toHaveLength(3);
  });
});
