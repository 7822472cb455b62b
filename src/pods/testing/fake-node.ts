import { kubernetesOnly } from "../../policy/index.ts";
import type { PullRecords, PullSettings } from "../../pull/index.ts";
import { createPulls } from "../../pull/pulls.ts";
import { type FakeImages, fakeImages } from "../../pull/testing/fake-images.ts";
import { loginsOfSecrets } from "../../pull/testing/logins.ts";
import { type ManualClock, manualClock } from "../../support/manual-clock.ts";
import type { Pod, PullSecret } from "../../workload/index.ts";
import type { ContainersOptions } from "../containers/types.ts";
import { createPodManager, type PodManager } from "../pod-manager.ts";
import type { NodeEvent, NodeSignal } from "../types.ts";

export interface FakeNode {
  readonly node: PodManager;
  readonly clock: ManualClock;
  readonly images: FakeImages;
  readonly signals: NodeSignal[];
  /** Takes pods on and lets `seconds` go by. */
  run(pods: readonly Pod[], seconds: number, secrets?: readonly PullSecret[]): Promise<void>;
  /** Every event so far as a line: `10.1 Normal Pulled {main} Container image …`, with the seconds since the start. */
  log(): readonly string[];
}

export interface FakeNodeGiven {
  readonly pulls?: PullSettings;
  readonly records?: PullRecords;
  readonly random?: () => number;
  readonly containers?: ContainersOptions;
  readonly clock?: ManualClock;
}

/** A node without jitter, on a clock that is moved by hand, with a runtime that only pretends to pull. */
export function fakeNode({
  pulls = {},
  records,
  random = () => 0,
  containers,
  clock = manualClock(),
}: FakeNodeGiven = {}): FakeNode {
  const images = fakeImages(clock);
  const node = createPodManager({
    pulls: createPulls({ images, settings: pulls, clock }),
    policy: kubernetesOnly,
    loginsFor: (_pod, secrets) => loginsOfSecrets(secrets),
    records,
    containers,
    clock,
    random,
  });
  const signals: NodeSignal[] = [];
  node.onSignal((signal) => signals.push(signal));
  return {
    node,
    clock,
    images,
    signals,
    run: async (pods, seconds, secrets = []) => {
      node.add(pods, secrets);
      await clock.advance(seconds * 1000);
    },
    log: () => signals.flatMap((signal) => (signal.kind === "event" ? [line(signal.event)] : [])),
  };
}

function line({ time, type, reason, message, fieldPath }: NodeEvent): string {
  const place = fieldPath === undefined ? "pod" : fieldPath.replace(/^spec\.containers/, "");
  return `${time / 1000} ${type} ${reason} ${place} ${message}`;
}
