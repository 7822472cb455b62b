import { type ManualClock, manualClock } from "../../support/manual-clock.ts";
import { podsOf, readManifests } from "../../workload/index.ts";
import type { ContainersOptions, PodFolders } from "../containers/types.ts";
import type { PodStatus } from "../types.ts";
import { type FakeNode, fakeNode } from "./fake-node.ts";
import { type FakeRuntime, fakeRuntime } from "./fake-runtime.ts";

export interface ContainerNode extends FakeNode {
  readonly runtime: FakeRuntime;
  readonly containers: ContainersOptions;
  /** Pods of which folders were removed. */
  readonly removed: string[];
  readonly volumeProblems: Map<string, string>;
  /** Takes a pod on and lets `seconds` go by; what became of it. */
  start(spec: object, seconds: number, objects?: readonly object[]): Promise<PodStatus>;
  /** What became of it after `seconds` more. */
  after(seconds: number): Promise<PodStatus>;
}

/** A node that starts containers in a runtime that only pretends to; a runtime and its clock may outlive a node. */
export function containerNode(known?: FakeRuntime, knownClock?: ManualClock): ContainerNode {
  const removed: string[] = [];
  const volumeProblems = new Map<string, string>();
  const folders: PodFolders = {
    setUp: async () => [...volumeProblems].map(([volume, message]) => ({ volume, message })),
    mountSource: async ({ volume, subPath }) => `/volumes/${volume}${subPath === "" ? "" : `/${subPath}`}`,
    logFolder: async ({ name }) => `/logs/${name}`,
    terminationLog: async (_pod, container, attempt) => `/last-words/${container}/${attempt}`,
    readTerminationLog: async () => "",
    forget: async () => undefined,
    remove: async ({ name }) => {
      removed.push(name);
    },
  };
  const clock = knownClock ?? manualClock();
  const runtime = known ?? fakeRuntime(clock);
  const host = {
    name: "here",
    ip: "192.0.2.1",
    capacity: { cpu: 2000, memory: 4 * 2 ** 30 },
    resolver: async () => "nameserver 192.0.2.53\n",
    seccompFolder: "/seccomp",
  };
  const containers = { runtime, folders, host, node: "test" };
  const fake = fakeNode({ clock, containers });
  const after = async (seconds: number) => {
    await fake.clock.advance(seconds * 1000);
    const [status] = fake.node.pods();
    if (status === undefined) throw new Error("there is no pod");
    return status;
  };
  return {
    ...fake,
    runtime,
    containers,
    removed,
    volumeProblems,
    after,
    start: (spec, seconds, objects = []) => {
      const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "web", labels: { app: "web" } }, spec };
      const items = [...objects, pod];
      const { documents } = readManifests(JSON.stringify({ apiVersion: "v1", kind: "List", items }), "pod.json");
      const expanded = podsOf(documents, { newUid: () => "uid-web", starting: true });
      if (expanded.problems.length > 0) throw new Error(JSON.stringify(expanded.problems));
      fake.node.add(expanded.pods, expanded.secrets, expanded.objects);
      return after(seconds);
    },
  };
}
