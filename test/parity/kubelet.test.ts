/**
 * A real kubelet, with Pulley between it and containerd, does with every case what the table says: it runs the container, or
 * shows why it waits. Many of the images are on the machine already, so that the kubelet asks for no pull of them.
 */
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Case, cases } from "../../src/policy/cases.ts";
import { type Policy, prepare, type RefusalReason } from "../../src/policy/index.ts";
import { policyOf } from "../../src/pull/testing/policies.ts";
import { type KubeletContainer, kubeletTools } from "../kubelet.ts";
import { describeWith } from "../tools.ts";
import { expressible, named } from "./expressible.ts";
import {
  caseOf,
  containerName,
  fullName,
  isAbsent,
  isPulled,
  isRefusedByKubelet,
  manifestOf,
  podsOf,
  prepareByCase,
  type TablePod,
} from "./kubelet-cases.ts";
import { type KubeletNode, startKubeletNode } from "./kubelet-node.ts";

const { ran, left } = expressible("kubelet");
const absent = podsOf(ran.filter(isAbsent), "absent");
const present = podsOf(
  ran.filter((each) => !isAbsent(each)),
  "present",
);
const own = "pulley.test/own:1";
const other = "pulley.test/other:1";

/** What a container waits with until the kubelet has got to it. */
const early = ["ContainerCreating", "PodInitializing"];

/** Looks at a pod, two in a second, until it is given up: with each, the kubelet tells of every container that it has. */
const mostLooks = 300;

/** How messages begin to say why. */
const words: Readonly<Record<RefusalReason, string>> = {
  ImageDenied: "is denied by",
  RequirementNotMet: "is not what is required by",
  OutsidePullWindow: "may not be pulled now, by",
  CachedCopyTooOld: "too old",
  ErrImageNeverPull: "is not present with pull policy of Never",
  InvalidImageName: "Failed to apply default image tag",
};

describeWith([...kubeletTools], "a real kubelet", () => {
  let node: KubeletNode;
  /** Holds for pods that are in no case. */
  let policy: Policy = policyOf("{ name: open, admit: Allow }");
  const shown = new Map<string, KubeletContainer>();

  /** Waits until the kubelet has said of each container what becomes of it. */
  async function run(pods: readonly TablePod[]): Promise<void> {
    for (const pod of pods) await node.kubelet.add(manifestOf(pod));
    for (const pod of pods) {
      const containers = await settled(pod.name, pod.cases.length);
      for (const container of containers) shown.set(container.name, container);
    }
  }

  async function settled(pod: string, count: number): Promise<readonly KubeletContainer[]> {
    let containers: readonly KubeletContainer[] = [];
    for (let look = 0; look < mostLooks; look += 1) {
      containers = await node.kubelet.containers(pod);
      const isSettled = containers.every(({ state }) => !early.includes(state.waiting?.reason ?? ""));
      if (isSettled && containers.length === count) return containers;
      await delay(500);
    }
    const log = (await readFile(node.kubelet.logFile, "utf8")).split("\n").filter((line) => line.includes(pod));
    throw new Error(`the pod ${pod} does not settle: ${JSON.stringify(containers)}\n${log.slice(-10).join("\n")}`);
  }

  beforeAll(async () => {
    const byCase = prepareByCase([...absent, ...present], (request, _, now) => prepare(request, policy, now));
    node = await startKubeletNode({ prepare: byCase, policy: () => policy });
    await run(absent);
    for (const { name } of absent) await node.kubelet.remove(name);
    const names = ran.filter((each) => !isAbsent(each)).flatMap(({ request }) => fullName(request.image.given) ?? []);
    await node.preload([...new Set([...names, own, other])]);
    await run(present);
  }, 300_000);
  afterAll(() => node?.stop(), 60_000);

  describe("and the table", () => {
    it.each(named(ran))("%s", (_, each) => {
      const { reason, says = "", rules = {} } = each.expected;
      const container = shown.get(containerName(each));
      if (reason === undefined) {
        expect(container?.state).toEqual({ running: expect.anything() });
        return;
      }
      const { waiting } = container?.state ?? {};
      expect(waiting?.message).toContain(says);
      expect(waiting?.message).toContain(words[reason]);
      if (isRefusedByKubelet(each)) {
        expect(waiting?.reason).toBe(reason);
        return;
      }
      const reasons = isPulled(each) ? ["ErrImagePull", "ImagePullBackOff"] : ["CreateContainerError"];
      expect(reasons).toContain(waiting?.reason);
      expect(decisionOf(each)).toMatchObject({ action: "Refuse", reason });
      for (const [subject, rule] of Object.entries(rules)) {
        const recorded = decisionOf(each)
          ?.rules.filter((step) => step.subject === subject)
          .map((step) => step.rule);
        expect(recorded).toEqual([rule].flat().filter((id) => id !== null));
      }
    });

    function decisionOf(each: Case) {
      const record = node.decisions.find(({ request }) => caseOf(request, [...absent, ...present]) === each);
      return record?.decision;
    }

    it("was put to it but for the cases that cannot be", () => {
      expect(ran.length).toBeGreaterThanOrEqual(250);
      expect(ran.filter(({ expected }) => expected.action === "Refuse").length).toBeGreaterThanOrEqual(150);
      expect(ran.length + Object.values(left).reduce((sum, count) => sum + count, 0)).toBe(cases.length);
    });
  });

  describe("and rules that change", () => {
    const app = (image: string, more: object = {}) => ({
      name: "app",
      image,
      imagePullPolicy: "IfNotPresent",
      ...more,
    });
    const podOf = (name: string, spec: object) => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, namespace: "default" },
      spec: Object.assign({ hostNetwork: true, terminationGracePeriodSeconds: 1 }, spec),
    });
    const shut = '{ name: shut, match: { images: ["pulley.test/own"] }, admit: Deny, message: not any more }';
    const stateOf = async (pod: string) => (await node.kubelet.containers(pod))[0]?.state;
    const says = `Image "${own}" is denied by test/shut: not any more`;
    /** Far more than the kubelet takes until it tries again, which is for it to say. */
    const patience = { timeout: 100_000, interval: 500 };

    it("holds them at the next attempt, and leaves alone what runs", async () => {
      await node.kubelet.add(podOf("before", { containers: [app(own)] }));
      await expect.poll(() => stateOf("before"), patience).toHaveProperty("running");
      const [running] = await node.kubelet.containers("before");
      policy = policyOf(shut);
      const id = await node.idOf(own);
      const volumes = [{ name: "data", image: { reference: own, pullPolicy: "IfNotPresent" } }];
      const mounting = app(other, { volumeMounts: [{ name: "data", mountPath: "/data" }] });
      await node.kubelet.add(podOf("plain", { containers: [app(own)] }));
      await node.kubelet.add(podOf("init", { initContainers: [app(own)], containers: [app(other, { name: "main" })] }));
      await node.kubelet.add(podOf("by-id", { containers: [app(id)] }));
      await node.kubelet.add(podOf("volume", { containers: [mounting], volumes }));
      for (const [pod, text] of [
        ["plain", says],
        ["init", says],
        ["by-id", says],
        ["volume", `ImageVolumeMountFailed: ${says}`],
      ] as const) {
        const waiting = { reason: "CreateContainerError", message: text };
        await expect.poll(() => stateOf(pod), patience).toEqual({ waiting });
      }
      expect(await node.kubelet.containers("before")).toEqual([running]);
      expect(node.warnings.filter((text) => text.includes("/plain-"))).toEqual([`default/plain-node: ${says}`]);

      policy = policyOf("{ name: open, admit: Allow }");
      for (const pod of ["plain", "by-id", "volume"]) {
        await expect.poll(() => stateOf(pod), patience).toHaveProperty("running");
      }
      expect(await node.kubelet.containers("before")).toEqual([running]);
    }, 300_000);
  });
});
