/** A node does with every case what the table says: whom it asks, what it uses, and why it refuses. */

import { describe, expect, it } from "vitest";
import { givenWithTag, isLoopback, registryOrigin } from "../../src/image/index.ts";
import { createPodManager, type NodeEvent } from "../../src/pods/index.ts";
import { type Case, cases, type Expected } from "../../src/policy/cases.ts";
import { kubernetesOnly, readPolicy } from "../../src/policy/index.ts";
import type { DecisionRecord } from "../../src/pull/decision-log/types.ts";
import type { PullRecords } from "../../src/pull/index.ts";
import { createPulls } from "../../src/pull/pulls.ts";
import { fakeImages, localImage } from "../../src/pull/testing/fake-images.ts";
import { sourceOf } from "../../src/pull/testing/logins.ts";
import { PulleyError } from "../../src/support/errors.ts";
import { manualClock } from "../../src/support/manual-clock.ts";
import { defaultPullPolicy, type Pod } from "../../src/workload/index.ts";
import { expressible, isAlways, named, saysOf } from "./expressible.ts";

const { ran, left } = expressible("node");

/** The pod that asks for a case's image, and for no other. */
function podOf({ request }: Case): Pod {
  const { image, container, workload } = request;
  const { namespace, name, labels, annotations } = workload;
  const pullPolicy = request.pullPolicy ?? defaultPullPolicy(image).value;
  return {
    uid: "uid",
    namespace,
    name,
    labels,
    annotations,
    serviceAccountName: "default",
    containers: [{ ...container, image: image.given, pullPolicy, request }],
    imageVolumes: [],
    imagePullSecrets: [],
  };
}

/** Looks at a copy's state once, and keeps nothing. */
function recordsFor({ facts }: Case): PullRecords {
  const must = facts.presence === "present" && facts.access === "mustAuthenticate";
  return {
    begin: async () => undefined,
    succeed: async () => undefined,
    fail: async () => undefined,
    access: async () => (must ? "mustAuthenticate" : "credentialPolicyAllowed"),
    recover: async () => undefined,
    prune: async () => undefined,
  };
}

/** What nobody requires to be otherwise, where a case does not say what the image says of itself. */
const modest = { labels: {}, size: 1, platforms: ["linux/amd64", "linux/arm64", "linux/s390x"] };

/** What became of the container, and what the node did about it. @param isReachable whether registries answer */
async function run(each: Case, isReachable: boolean) {
  const { request, facts, now, policy: text, expected } = each;
  const clock = manualClock(now);
  const images = fakeImages(clock);
  const name = request.image.kind === "invalid" ? "" : givenWithTag(request.image);
  const policy = text === null ? kubernetesOnly : readPolicy([{ file: "policy.yaml", text }]).policy;
  // What an image says of itself is heard from the registry, or from a copy that would not be used as it is.
  const hasCopy = facts.presence === "present" || (facts.image !== undefined && expected.action !== "Pull");
  if (hasCopy) {
    const { digest, confirmedAt } = facts.presence === "present" ? facts : {};
    images.local.set(name, { ...localImage(name), digest, confirmedAt });
  }
  images.said.set(name, saysOf(facts) ?? modest);
  for (const [at, source] of (expected.sources ?? []).entries()) images.latencies.set(source, at);
  const failure = new PulleyError("REGISTRY_UNREACHABLE", "nobody answers");
  if (!isReachable) images.failures.get = () => failure;
  const log: DecisionRecord[] = [];
  const events: NodeEvent[] = [];
  const node = createPodManager({
    pulls: createPulls({ images, settings: {}, clock }),
    policy,
    clock,
    random: () => 0,
    records: recordsFor(each),
    loginsFor: () => sourceOf(),
    log: { append: (record) => log.push(record), flush: async () => undefined },
  });
  node.onSignal((signal) => {
    if (signal.kind === "event") events.push(signal.event);
  });
  node.add([podOf(each)], []);
  // Less than a second, after which a window may open.
  await clock.advance(900);
  const container = node.pods()[0]?.containers[0];
  await node.stop();
  const registry = request.image.kind === "invalid" ? "" : request.image.repository.registry;
  const origin = registryOrigin(registry, isLoopback(registry));
  const asked = images.pulls.map((pull) => (pull === name ? origin : pull.slice(`${name} from `.length)));
  return { container, asked, record: log[0], events };
}

type Ran = Awaited<ReturnType<typeof run>>;

type Decided = Pick<Expected, "action" | "reason">;

/** What was decided, as the container's state and the node's log of decisions say. */
function expectDecision(each: Case, { container, record }: Ran, { action, reason }: Decided = each.expected): void {
  const { pullPolicy, rules = {} } = each.expected;
  expect(container?.decision).toMatchObject({ action, ...(reason && { reason }) });
  expect(record?.decision).toMatchObject({ action, ...(reason && { reason }), ...(pullPolicy && { pullPolicy }) });
  // Where the image was heard only while it was pulled, the rules are those by which the pull began.
  if (isHeard(each)) return;
  for (const [subject, rule] of Object.entries(rules)) {
    const recorded = record?.decision.rules.filter((step) => step.subject === subject).map((step) => step.rule);
    expect(recorded).toEqual([rule].flat().filter((id) => id !== null));
  }
}

/** An event, the record and the container's decision tell what rules on trial would refuse. */
function expectWarnings({ expected: { warnings = [] } }: Case, { container, record, events }: Ran): void {
  const told = events.filter(({ reason }) => reason === "PolicyWarning").map(({ message }) => message);
  expect(told).toHaveLength(warnings.length);
  for (const warning of warnings) {
    expect(told.join("\n")).toContain(warning.replace(" ", " is on trial and would refuse with "));
  }
  const named = (list: readonly { rule: string; reason: string }[]) =>
    list.map(({ rule, reason }) => `${rule} ${reason}`);
  expect(named(container?.decision?.trial.warnings ?? [])).toEqual(warnings);
  expect(named(record?.decision.warnings ?? [])).toEqual(warnings);
}

/** Whether what the image says of itself is heard only from the registry. */
function isHeard(each: Case): boolean {
  return each.facts.image !== undefined && (each.expected.action === "Pull" || isAlways(each));
}

function textsOf(events: readonly NodeEvent[], type: NodeEvent["type"]): string {
  return events.flatMap((event) => (event.type === type ? event.message : [])).join("\n");
}

/** What is pending is decided by what the registry says: by then it is another case. */
const certain = ran.filter(({ expected }) => expected.pending === undefined || expected.pending.length === 0);
const asking = ran.filter(({ expected }) => expected.action === "Check" || expected.action === "Pull");

describe("a node whose registries answer", () => {
  it.each(named(certain))("%s", async (_, each) => {
    const { action, reason, says = "" } = each.expected;
    const result = await run(each, true);
    const { container, asked, events } = result;
    expectDecision(each, result);
    expectWarnings(each, result);
    switch (action) {
      case "Use":
        expect(asked).toEqual([]);
        expect(container).toMatchObject({ state: { kind: "prepared" } });
        expect(container?.decision?.message).toContain(says);
        break;
      case "Check":
      case "Pull":
        expect(asked).toHaveLength(1);
        expect(container).toMatchObject({ state: { kind: "prepared" } });
        expect(
          textsOf(
            events.filter((event) => event.reason !== "PolicyWarning"),
            "Warning",
          ),
        ).toBe("");
        break;
      case "Refuse":
        // Only an image that is refused for what it says of itself is asked for: it may have become another one.
        if (each.facts.image === undefined) expect(asked).toEqual([]);
        expect(container?.imageId).toBeUndefined();
        expect(container?.state).toMatchObject({ kind: "waiting", reason });
        if (!isHeard(each)) expect(textsOf(events, "Warning")).toContain(says);
        expect(textsOf(events, "Normal")).not.toContain("Successfully");
    }
  });

  it("was asked about all but the cases that it cannot be asked about", () => {
    expect(new Set([...certain, ...asking]).size).toBe(ran.length);
    expect(ran.length).toBeGreaterThanOrEqual(300);
    expect(ran.length + Object.values(left).reduce((sum, count) => sum + count, 0)).toBe(cases.length);
  });
});

describe("a node whose registries cannot be reached", () => {
  it.each(named(asking))("%s", async (_, each) => {
    const { sources, whenUnreachable, unreached } = each.expected;
    const result = await run(each, false);
    const { container, asked, events } = result;
    expectDecision(each, result, unreached === undefined ? each.expected : { action: "Refuse", reason: unreached });
    if (sources !== undefined) expect(asked).toEqual(sources);
    const hasCopy = each.facts.presence === "present" && each.facts.access === "granted";
    const isUsed = hasCopy && whenUnreachable === "UseCached" && unreached === undefined;
    expect(container?.state.kind).toBe(isUsed ? "prepared" : "waiting");
    expect(events.some(({ reason }) => reason === "RegistryUnavailableUsedCached")).toBe(isUsed);
    if (!isUsed) expect(textsOf(events, "Warning")).toContain(`Error: ${unreached ?? "ErrImagePull"}`);
  });
});
