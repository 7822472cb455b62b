import { describe, expect, it } from "vitest";
import { type StatusGiven, statusOf } from "../daemon/api/testing/statuses.ts";
import { podObject } from "../daemon/index.ts";
import type { ContainerState, PodStatus } from "../pods/index.ts";
import { podSummary } from "./pod-summary.ts";

const now = Date.UTC(2026, 10, 24, 12);
const running: ContainerState = { kind: "running", startedAt: now - 60_000 };
const prepared: ContainerState = { kind: "prepared" };
const initializing: ContainerState = { kind: "waiting", reason: "PodInitializing", message: "" };

function waiting(reason: string): ContainerState {
  return { kind: "waiting", reason, message: "" };
}

function ended(exitCode: number, reason = exitCode === 0 ? "Completed" : "Error", signal?: number) {
  const state = { kind: "terminated", exitCode, reason, message: "", startedAt: 1, finishedAt: now - 300_000 } as const;
  return signal === undefined ? state : { ...state, signal };
}

function summary(phase: PodStatus["phase"], containers: StatusGiven["containers"], more: Partial<StatusGiven> = {}) {
  const { ready, status, restarts } = podSummary(podObject(statusOf({ phase, containers, ...more }), "node-1"), now);
  return `${ready} ${status} ${restarts}`;
}

const initialized = [{ type: "Initialized", status: "True" }] as const;
const readyPod = [...initialized, { type: "Ready", status: "True" }] as const;
const init = { kind: "initContainer" } as const;

describe("a row of get pods", () => {
  it.each<[string, PodStatus["phase"], StatusGiven["containers"], Partial<StatusGiven>?]>([
    ["1/1 Running 0", "Running", [{ state: running, ready: true }]],
    ["0/1 ContainerCreating 0", "Pending", [{}]],
    ["0/1 ImagePullBackOff 0", "Pending", [{ state: waiting("ImagePullBackOff") }]],
    ["1/2 ErrImagePull 0", "Pending", [{ state: waiting("ErrImagePull") }, { state: running, ready: true }]],
    ["0/2 A 0", "Pending", [{ state: waiting("A") }, { state: waiting("B") }]],
    ["0/1 Completed 0", "Succeeded", [{ state: ended(0) }]],
    ["0/1 Error 0", "Failed", [{ state: ended(1) }]],
    ["0/1 ExitCode:3 0", "Failed", [{ state: ended(3, "") }]],
    ["0/1 Signal:9 0", "Failed", [{ state: ended(137, "", 9) }]],
    ["0/1 Evicted 0", "Failed", [{ state: waiting("") }], { reason: "Evicted" }],
    [
      "0/1 CrashLoopBackOff 4 (5m ago)",
      "Running",
      [{ state: waiting("CrashLoopBackOff"), lastState: ended(1), restartCount: 4 }],
    ],
    ["1/2 NotReady 0", "Running", [{ state: ended(0) }, { state: running, ready: true }]],
    ["1/2 Running 0", "Running", [{ state: ended(0) }, { state: running, ready: true }], { conditions: readyPod }],
    ["0/1 Init:0/2 0", "Pending", [{ ...init, state: running }, { ...init, name: "b" }, { state: initializing }]],
    [
      "0/1 Init:1/2 0",
      "Pending",
      [{ ...init, state: ended(0) }, { ...init, name: "b", state: running }, { state: initializing }],
    ],
    ["0/1 Init:ErrImagePull 0", "Pending", [{ ...init, state: waiting("ErrImagePull") }, { state: initializing }]],
    ["0/1 Init:Error 2", "Pending", [{ ...init, state: ended(1), restartCount: 2 }, { state: initializing }]],
    ["0/1 Init:ExitCode:1 0", "Pending", [{ ...init, state: ended(1, "") }, { state: initializing }]],
    [
      "2/2 Running 1 (5m ago)",
      "Running",
      [
        {
          ...init,
          name: "proxy",
          restartPolicy: "Always",
          state: running,
          started: true,
          ready: true,
          restartCount: 1,
          lastState: ended(1),
        },
        { ...init, name: "once", state: ended(0), restartCount: 7 },
        { state: running, ready: true },
      ],
      { conditions: initialized },
    ],
    ["1/1 Prepared 0", "Prepared", [{ state: prepared }]],
    ["1/2 InvalidImageName 0", "Pending", [{ state: prepared }, { state: waiting("InvalidImageName") }]],
    [
      "0/1 Init:ErrImageNeverPull 0",
      "Pending",
      [
        { ...init, state: prepared },
        { ...init, name: "b", state: waiting("ErrImageNeverPull") },
        { state: initializing },
      ],
    ],
  ])("says %s", (expected, phase, containers, more) => {
    expect(summary(phase, containers, more)).toBe(expected);
  });

  it("names what is wrong with an image volume that holds up the pod alone", () => {
    const status = statusOf({ phase: "Pending", containers: [{ state: prepared }, { state: waiting("ImageDenied") }] });
    const [container, volume] = status.containers;
    if (container === undefined || volume === undefined) throw new Error("two were given");
    const pod = podObject({ ...status, containers: [container], imageVolumes: [volume] }, "node-1");
    // What a pod's specification has decides how many there are to be.
    expect(podSummary(pod, now).status).toBe("ImageDenied");
  });
});
