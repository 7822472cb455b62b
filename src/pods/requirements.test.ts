import { describe, expect, it, onTestFinished } from "vitest";
import { buildImage, type ImageSpec } from "../../examples/world/image-builder.ts";
import { oddIndex } from "../../examples/world/odd-image.ts";
import { startRegistry } from "../../examples/world/registry.ts";
import { hastyClock } from "../pull/testing/hasty-clock.ts";
import { podOf } from "../pull/testing/pods.ts";
import { policyOf } from "../pull/testing/policies.ts";
import type { Clock } from "../support/clock.ts";
import { manualClock } from "../support/manual-clock.ts";
import { realNode } from "./testing/real-node.ts";

/** Sunday, 9 September 2001, 01:46:40 UTC. */
const start = 1_000_000_000_000;

const spec: ImageSpec = {
  layers: [{ filler: 50_000 }],
  platforms: ["linux/amd64", "linux/arm64"],
  config: { Labels: { tier: "web", stage: "beta" } },
};

/** A registry with the image, a node under these rules, and what the registry was asked for. */
function setUp(...rules: readonly string[]) {
  return setUpAt(hastyClock(start), ...rules);
}

async function setUpAt(clock: Clock, ...rules: readonly string[]) {
  const registry = await startRegistry();
  onTestFinished(() => registry.close());
  registry.addImage("app:1", await buildImage(spec));
  const real = await realNode({ policy: policyOf(...rules), clock });
  const image = `${registry.host}/app:1`;
  const pod = (name: string) => podOf({ name, containers: [{ image }] });
  const blobs = () => registry.log.filter(({ path, bytes }) => path.includes("/blobs/") && bytes > 10_000).length;
  return { ...real, registry, image, pod, blobs };
}

const notBeta =
  '{ name: no-beta, match: { imageLabels: { matchLabels: { stage: beta } } }, admit: Deny, message: "not yet" }';

const arm = () => buildImage({ layers: [{ filler: 50_000 }], platforms: ["linux/arm64"] });

interface Row {
  readonly name: string;
  readonly rule: string;
  readonly reason?: "ImageDenied" | "RequirementNotMet";
}

describe("what an image says of itself", () => {
  it.each<Row>([
    { name: "a label that is denied", rule: notBeta, reason: "ImageDenied" },
    {
      name: "a label that is not there",
      rule: "{ name: r, match: { imageLabels: { matchLabels: { stage: alpha } } }, admit: Deny }",
    },
    {
      name: "more bytes than are allowed",
      rule: "{ name: r, require: { maxSize: 10Ki } }",
      reason: "RequirementNotMet",
    },
    { name: "few enough bytes", rule: "{ name: r, require: { maxSize: 1Mi } }" },
    {
      name: "platforms that are missing",
      rule: "{ name: r, require: { platforms: [linux/s390x] } }",
      reason: "RequirementNotMet",
    },
    {
      name: "an image that says what its index says",
      rule: "{ name: r, require: { truePlatform: true } }",
    },
    { name: "platforms that are there", rule: "{ name: r, require: { platforms: [linux/arm64, linux/amd64] } }" },
  ])("$name: $reason, before any layer is fetched", async ({ rule, reason }) => {
    const { settle, told, store, blobs, pod, records, events } = await setUp(rule);
    expect(await settle(pod("web"))).toEqual([reason ?? "prepared"]);
    expect(blobs()).toBe(reason === undefined ? 1 : 0);
    expect(await store.images()).toHaveLength(reason === undefined ? 1 : 0);
    expect(records[0]?.outcome.kind).toBe(reason === undefined ? "pulled" : "refused");
    const { image: facts } = records[0]?.facts ?? {};
    expect(facts).toMatchObject({ labels: { tier: "web" }, platforms: ["linux/amd64", "linux/arm64"] });
    if (reason === undefined) return;
    expect(events.map(({ message }) => message)).toContain(`Error: ${reason}`);
    expect(told("Failed")[0]).toContain(rule === notBeta ? "not yet" : "required by test/r");
    expect(records[0]).toMatchObject({ decision: { action: "Refuse", reason }, outcome: { fetched: 0 } });
  });

  it.each([
    [
      "an index",
      async () => oddIndex([{ image: await arm(), fields: { platform: { os: "linux", architecture: "amd64" } } }]),
    ],
    ["an image alone", arm],
  ])("of %s says another platform than it is taken for: refused where a rule demands the truth", async (_, build) => {
    const { settle, told, registry, pod, node, records, blobs, store } = await setUp(
      "{ name: r, require: { truePlatform: true } }",
    );
    registry.addImage("app:1", await build());
    expect(await settle(pod("web"))).toEqual(["RequirementNotMet"]);
    expect(told("Failed")[0]).toContain("it says itself that it is for linux/arm64, not for linux/amd64");
    expect(blobs()).toBe(0);
    const mislabelled = { itself: "linux/arm64", takenFor: "linux/amd64" };
    expect(records[0]?.facts).toMatchObject({ image: { mislabelled } });
    node.setPolicy(policyOf("{ name: r, admit: Allow }"));
    expect(await settle(pod("later"))).toEqual(["prepared"]);
    expect(told("OddImage")[0]).toContain("the image says that it is for linux/arm64");
    node.setPolicy(policyOf("{ name: r, require: { truePlatform: true } }"));
    expect(await settle(pod("copy"))).toEqual(["RequirementNotMet"]);
    expect(await store.images()).toHaveLength(1);
  });

  it("is asked of a copy that is here, too, whoever brought it", async () => {
    const { settle, pod, node, records } = await setUp("{ name: r, admit: Allow }");
    expect(await settle(pod("before"))).toEqual(["prepared"]);
    node.setPolicy(policyOf(notBeta));
    expect(await settle(pod("after"))).toEqual(["ImageDenied"]);
    expect(records.map(({ outcome }) => outcome.kind)).toEqual(["pulled", "refused"]);
  });

  it.each([
    { kind: "container", pullPolicy: "IfNotPresent" },
    { kind: "initContainer", pullPolicy: "Never" },
  ] as const)("holds for a $kind under $pullPolicy from a copy that is here", async ({ kind, pullPolicy }) => {
    const { settle, pod, node, image } = await setUp("{ name: r, admit: Allow }");
    await settle(pod("before"));
    const again = (name: string) => podOf({ name, containers: [{ image, pullPolicy, kind }] });
    node.setPolicy(policyOf(`{ name: no-app, match: { images: ["${image.replace(/:1$/, "")}"] }, admit: Deny }`));
    expect(await settle(again("after"))).toEqual(["ImageDenied"]);
    node.setPolicy(policyOf('{ name: no-other, match: { images: ["other.example.com"] }, admit: Deny }'));
    expect(await settle(again("later"))).toEqual(["prepared"]);
  });

  it("counts for the image that is asked for, not for the copy that it replaces", async () => {
    const { settle, pod, node, registry } = await setUp("{ name: r, admit: Allow }");
    await settle(pod("before"));
    node.setPolicy(policyOf(notBeta, "{ name: fresh, pull: { policy: Always, whenUnreachable: UseCached } }"));
    expect(await settle(pod("same"))).toEqual(["ImageDenied"]);
    registry.addImage("app:1", await buildImage({ ...spec, seed: "released", config: {} }));
    expect(await settle(pod("after"))).toEqual(["prepared"]);
    await registry.close();
    expect(await settle(pod("later"))).toEqual(["prepared"]);
  });

  it("keeps a copy from being used where nobody can be asked", async () => {
    const { settle, pod, node, registry, told } = await setUp("{ name: r, admit: Allow }");
    await settle(pod("before"));
    node.setPolicy(policyOf(notBeta, "{ name: fresh, pull: { policy: Always, whenUnreachable: UseCached } }"));
    await registry.close();
    expect(await settle(pod("after"))).toEqual(["ImageDenied"]);
    expect(told("RegistryUnavailableUsedCached")).toEqual([]);
  });

  it("is judged for each pod, though they share one pull", async () => {
    const onlyProd =
      '{ name: prod, match: { imageLabels: { matchLabels: { stage: beta } }, containers: ["strict"] }, admit: Deny }';
    const { settle, image, registry, blobs } = await setUpAt(manualClock(start), onlyProd);
    const pods = ["strict", "lenient", "strict", "lenient"].map((name, at) =>
      podOf({ name: `web-${at}`, containers: [{ name, image }] }),
    );
    expect(await settle(...pods)).toEqual(["ImageDenied", "prepared", "ImageDenied", "prepared"]);
    expect(blobs()).toBe(1);
    expect(registry.log.filter(({ method }) => method === "HEAD")).toHaveLength(1);
  });

  it("is not asked for again and again while the same is refused", async () => {
    const { settle, pod, registry, records, node, clock, told } = await setUp(notBeta);
    await settle(pod("web"));
    const asked = registry.log.length;
    const before = clock.now();
    await expect.poll(() => told("Failed").length, { interval: 1 }).toBeGreaterThan(8);
    expect(clock.now()).toBeGreaterThan(before);
    expect(registry.log.length - asked).toBeLessThan(6);
    expect(records).toHaveLength(1);
    node.setPolicy(policyOf("{ name: r, admit: Allow }"));
    await expect.poll(() => node.pods()[0]?.phase, { interval: 1 }).toBe("Prepared");
  });
});

describe("times when nothing is pulled", () => {
  const freeze = (otherwise: string) => `{ name: r, when: { pull: ["Sun 01:50-03:00"], otherwise: ${otherwise} } }`;

  it("make a container wait until the window opens", async () => {
    const { node, pod, registry, told, events } = await setUp(freeze("Deny"));
    node.add([pod("web")], []);
    await expect.poll(() => node.pods()[0]?.phase, { interval: 1 }).toBe("Prepared");
    expect(told("Failed")[0]).toContain("may not be pulled now, by test/r");
    const [pulling] = events.filter(({ reason }) => reason === "Pulling");
    const waited = ((pulling?.time ?? 0) - start) / 1000;
    expect(waited).toBeGreaterThanOrEqual(200);
    expect(waited).toBeLessThan(220);
    expect(registry.log.length).toBeGreaterThan(0);
  });

  it("let a copy be used that is here", async () => {
    const { settle, node, pod, registry } = await setUp("{ name: r, admit: Allow }");
    await settle(pod("before"));
    const asked = registry.log.length;
    node.setPolicy(policyOf(freeze("UseCached"), "{ name: fresh, pull: { policy: Always } }"));
    expect(await settle(pod("after"))).toEqual(["prepared"]);
    expect(registry.log).toHaveLength(asked);
  });
});

describe("how fresh a copy must be", () => {
  it("is not asked more often than a rule says", async () => {
    const { settle, pod, registry, clock } = await setUp("{ name: r, pull: { policy: Always, checkEvery: 10m } }");
    const heads = () => registry.log.filter(({ method }) => method === "HEAD").length;
    await settle(pod("one"));
    await settle(pod("two"));
    expect(heads()).toBe(1);
    await clock.sleep(600_000);
    await settle(pod("three"));
    await settle(pod("four"));
    expect(heads()).toBe(2);
  });
});
