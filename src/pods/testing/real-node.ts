import { join } from "node:path";
import { onTestFinished } from "vitest";
import { readAgainAfterTest } from "../../../test/bytes-on-disk.ts";
import { openHostsDirectory } from "../../hosts/index.ts";
import { kubernetesOnly, type Policy } from "../../policy/index.ts";
import type { DecisionRecord } from "../../pull/decision-log/types.ts";
import { configuredHosts, openPullRecords, openPulls } from "../../pull/index.ts";
import { hastyClock } from "../../pull/testing/hasty-clock.ts";
import { sourceOf } from "../../pull/testing/logins.ts";
import type { RegistryOptions } from "../../registry/index.ts";
import { client } from "../../registry/testing.ts";
import { type ImageStore, openEmbeddedStore } from "../../store/index.ts";
import type { Clock } from "../../support/clock.ts";
import type { Login } from "../../support/login.ts";
import { temporaryFolder } from "../../support/testing.ts";
import type { Pod } from "../../workload/index.ts";
import { createPodManager, type PodManager } from "../pod-manager.ts";
import type { NodeEvent } from "../types.ts";

export interface RealNode {
  readonly node: PodManager;
  readonly clock: Clock;
  readonly store: ImageStore;
  readonly events: readonly NodeEvent[];
  readonly records: readonly DecisionRecord[];
  /** Takes pods on and waits until they have settled; how each container ended: `prepared`, or what it waits for. */
  settle(...pods: readonly Pod[]): Promise<readonly string[]>;
  /** Texts of the events with one of these reasons. */
  told(...reasons: readonly string[]): readonly string[];
}

export interface RealNodeGiven {
  readonly policy?: Policy;
  /** Logins by registry. */
  readonly logins?: Readonly<Record<string, readonly Login[]>>;
  readonly clock?: Clock;
  readonly certDirs?: readonly string[];
  /** Milliseconds after which a silent registry is given up. Default: long ones, whatever the machine is busy with. */
  readonly patience?: Pick<RegistryOptions, "connectTimeout" | "stallTimeout">;
  /** A folder of folders with `hosts.toml` files. */
  readonly hostsDir?: string;
}

/** A node with a store on disk, which speaks HTTP; its waits take no time. */
export async function realNode(given: RealNodeGiven = {}): Promise<RealNode> {
  const { policy = kubernetesOnly, logins = {}, clock = hastyClock(1_000_000_000_000), certDirs = [] } = given;
  const root = temporaryFolder();
  const store = await openEmbeddedStore(join(root, "store"));
  readAgainAfterTest(root);
  const directory = openHostsDirectory(given.hostsDir === undefined ? [] : [given.hostsDir]);
  const registry = client({ hosts: directory, certDirs, ...given.patience });
  const platform = { os: "linux", architecture: "amd64", variant: "" };
  const events: NodeEvent[] = [];
  const records: DecisionRecord[] = [];
  const node = createPodManager({
    pulls: openPulls({ store, registry, platform, clock }),
    policy,
    hosts: configuredHosts(directory),
    loginsFor: () => ({ logins: (repository) => sourceOf(...(logins[repository.registry] ?? [])).logins(repository) }),
    records: openPullRecords(root, {}, clock),
    log: { append: (record) => records.push(record), flush: async () => undefined },
    clock,
    random: () => 0,
  });
  node.onSignal((signal) => {
    if (signal.kind === "event") events.push(signal.event);
  });
  onTestFinished(async () => {
    await node.stop();
    await store.close();
  });
  return {
    node,
    clock,
    store,
    events,
    records,
    settle: async (...pods) => {
      node.add(pods, []);
      await node.settled();
      const statuses = node.pods().filter(({ pod }) => pods.includes(pod));
      const states = statuses.flatMap(({ containers }) => containers.map(({ state }) => state));
      return states.map((state) => (state.kind === "waiting" ? state.reason : state.kind));
    },
    told: (...reasons) => events.filter(({ reason }) => reasons.includes(reason)).map(({ message }) => message),
  };
}
