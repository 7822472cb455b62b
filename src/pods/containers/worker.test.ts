import { describe, expect, it } from "vitest";
import { containerNode } from "../testing/container-node.ts";

const main = { name: "main", image: "app:1" };

describe("a pod with one container", () => {
  it("gets a sandbox, its image, and runs", async () => {
    const { start, runtime, images, log } = containerNode();
    const status = await start({ containers: [main] }, 3);
    expect(runtime.calls).toEqual(["runPodSandbox web 0", "createContainer main 0", "startContainer main 0"]);
    expect(images.pulls).toEqual(["app:1"]);
    expect(log()).toEqual([
      expect.stringContaining("MissingClusterDNS"),
      '0 Normal Pulling {main} Pulling image "app:1"',
      '0.1 Normal Pulled {main} Successfully pulled image "app:1" in 100ms (100ms including waiting). Image size: 1000 bytes.',
      "0.1 Normal Created {main} Container created",
      "0.1 Normal Started {main} Container started",
    ]);
    expect(status).toMatchObject({
      phase: "Running",
      settled: true,
      podIP: "10.0.0.7",
      hostIP: "192.0.2.1",
      containers: [
        {
          state: { kind: "running", startedAt: 100 },
          ready: true,
          started: true,
          restartCount: 0,
          containerId: "fake://container-2",
          logPath: "/logs/main/0.log",
        },
      ],
    });
    expect(status.conditions.map((condition) => `${condition.type} ${condition.status}`)).toEqual([
      "PodScheduled True",
      "PodReadyToStartContainers True",
      "Initialized True",
      "ContainersReady True",
      "Ready True",
    ]);
  });

  it("has not settled before it has run for a second", async () => {
    const { start, after } = containerNode();
    expect((await start({ containers: [main] }, 0.5)).settled).toBe(false);
    expect((await after(1.5)).settled).toBe(true);
  });

  it("is removed with all that was made for it", async () => {
    const { start, node, runtime, removed, signals } = containerNode();
    const { pod } = await start({ containers: [main], terminationGracePeriodSeconds: 7 }, 3);
    await node.remove(pod);
    expect(runtime.calls.slice(3)).toEqual([
      "stopContainer main 7",
      "stopPodSandbox web",
      "removeContainer main 0",
      "removePodSandbox web",
    ]);
    expect(runtime.left()).toEqual([]);
    expect(removed).toEqual(["web"]);
    expect(node.pods()).toEqual([]);
    expect(signals.at(-1)).toEqual({ kind: "removed", pod });
  });

  it("is seen as started when the node ends as soon as that was told of", async () => {
    const { start, node, runtime } = containerNode();
    let stopped: Promise<void> | undefined;
    node.onSignal((signal) => {
      if (signal.kind === "event" && signal.event.reason === "Started") stopped ??= node.stop();
    });
    await start({ containers: [main, { name: "other", image: "app:2" }] }, 3);
    await stopped;
    expect(runtime.calls.filter((call) => call.startsWith("startContainer"))).toEqual(["startContainer main 0"]);
    const [status] = node.pods();
    expect(status?.containers.map(({ state }) => state.kind)).toEqual(["running", "waiting"]);
  });

  it("goes on running when the node ends", async () => {
    const { start, node, runtime } = containerNode();
    await start({ containers: [main] }, 3);
    await node.stop();
    expect(runtime.left()).toHaveLength(2);
  });
});

describe("how often a container is started", () => {
  const starts = (calls: readonly string[]) => calls.filter((call) => call.startsWith("startContainer")).length;

  it.each([
    { restartPolicy: "Always", exitCode: 0, phase: "Running", started: 2 },
    { restartPolicy: "Always", exitCode: 1, phase: "Running", started: 2 },
    { restartPolicy: "OnFailure", exitCode: 0, phase: "Succeeded", started: 1 },
    { restartPolicy: "OnFailure", exitCode: 1, phase: "Running", started: 2 },
    { restartPolicy: "Never", exitCode: 0, phase: "Succeeded", started: 1 },
    { restartPolicy: "Never", exitCode: 1, phase: "Failed", started: 1 },
  ])("$restartPolicy, after exit code $exitCode: $started in ten seconds, $phase", async (row) => {
    const { start, runtime } = containerNode();
    runtime.plans.set("main", [{ runs: 500, exitCode: row.exitCode }]);
    const status = await start({ restartPolicy: row.restartPolicy, containers: [main] }, 10);
    expect(starts(runtime.calls)).toBe(row.started);
    expect(status.phase).toBe(row.phase);
    expect(status.settled).toBe(true);
  });

  it("is held back when it crashes again, with the kubelet's words", async () => {
    const { start, runtime, log } = containerNode();
    runtime.plans.set("main", [{ runs: 500, exitCode: 1 }]);
    const status = await start({ containers: [main] }, 5);
    expect(status.containers[0]).toMatchObject({
      state: {
        kind: "waiting",
        reason: "CrashLoopBackOff",
        message: "back-off 10s restarting failed container=main pod=web_default(uid-web)",
      },
      lastState: { kind: "terminated", exitCode: 1, reason: "Error" },
      restartCount: 1,
      ready: false,
    });
    expect(log().filter((line) => line.includes("BackOff"))[0]).toContain(
      "Warning BackOff {main} Back-off restarting failed container main in pod web_default(uid-web)",
    );
  });

  it("waits as long as the kubelet does between its starts", async () => {
    const { start, runtime, log } = containerNode();
    runtime.plans.set("main", [{ runs: 500, exitCode: 1 }]);
    await start({ containers: [main] }, 2000);
    const started = log().filter((line) => line.includes("Started"));
    const times = started.map((line) => Number(line.split(" ")[0]));
    const waits = times.slice(1).map((time, at) => Math.round(time - (times[at] ?? 0)));
    expect(waits.slice(0, 8)).toEqual([1, 11, 21, 41, 81, 161, 301, 301]);
  });

  it("begins anew with its back-off after it ran for more than ten minutes", async () => {
    const { start, runtime, log, after } = containerNode();
    runtime.plans.set("main", [
      { runs: 500, exitCode: 1 },
      { runs: 500, exitCode: 1 },
      { runs: 700_000, exitCode: 1 },
      { runs: 500, exitCode: 1 },
    ]);
    await start({ containers: [main] }, 700);
    const status = await after(15);
    expect(log().filter((line) => line.includes("Started"))).toHaveLength(4);
    expect(status.containers[0]?.state).toMatchObject({ message: expect.stringContaining("back-off 10s") });
  });

  it("is started in a new sandbox when the old one is gone", async () => {
    const { start, runtime, after } = containerNode();
    await start({ containers: [main] }, 3);
    runtime.breakSandboxes();
    const status = await after(3);
    expect(runtime.calls).toContain("runPodSandbox web 1");
    expect(status.containers[0]).toMatchObject({ state: { kind: "running" }, restartCount: 1 });
  });
});

describe("init containers", () => {
  const init = (name: string, more: object = {}) => ({ name, image: "init:1", ...more });
  const startsOf = (calls: readonly string[]) =>
    calls.flatMap((call) => (call.startsWith("startContainer ") ? [call.slice("startContainer ".length)] : []));

  it("run one after another, and then the containers", async () => {
    const { start, runtime, after } = containerNode();
    runtime.plans.set("one", [{ runs: 5000 }]);
    runtime.plans.set("two", [{ runs: 5000 }]);
    const spec = { initContainers: [init("one"), init("two")], containers: [main] };
    const first = await start(spec, 3);
    expect(startsOf(runtime.calls)).toEqual(["one 0"]);
    expect(first.phase).toBe("Pending");
    expect(first.settled).toBe(false);
    expect(first.conditions[2]).toEqual({
      type: "Initialized",
      status: "False",
      reason: "ContainersNotInitialized",
      message: "containers with incomplete status: [one two]",
    });
    expect(first.containers.map(({ state }) => (state.kind === "waiting" ? state.reason : state.kind))).toEqual([
      "running",
      "PodInitializing",
      "PodInitializing",
    ]);
    const last = await after(12);
    expect(startsOf(runtime.calls)).toEqual(["one 0", "two 0", "main 0"]);
    expect(last).toMatchObject({ phase: "Running", settled: true });
    expect(last.containers[0]).toMatchObject({
      state: { kind: "terminated", exitCode: 0, reason: "Completed" },
      ready: true,
    });
  });

  it("that fail for good fail the pod, and those that may try again hold it up", async () => {
    for (const [restartPolicy, phase, kind] of [
      ["Never", "Failed", "terminated"],
      ["Always", "Pending", "waiting"],
    ] as const) {
      const { start, runtime } = containerNode();
      runtime.plans.set("one", [{ runs: 100, exitCode: 9 }]);
      const status = await start({ restartPolicy, initContainers: [init("one")], containers: [main] }, 8);
      expect(status.phase).toBe(phase);
      expect(status.settled).toBe(true);
      expect(status.containers[0]?.state.kind).toBe(kind);
      expect(startsOf(runtime.calls)).not.toContain("main 0");
    }
  });

  it("are not gone through again when a container is restarted", async () => {
    const { start, runtime } = containerNode();
    runtime.plans.set("one", [{ runs: 100 }]);
    runtime.plans.set("main", [{ runs: 1000, exitCode: 1 }, {}]);
    await start({ initContainers: [init("one")], containers: [main] }, 10);
    expect(startsOf(runtime.calls)).toEqual(["one 0", "main 0", "main 1"]);
  });

  it("that are sidecars go on beside the others, are kept running, and end last", async () => {
    const { start, runtime, node } = containerNode();
    runtime.plans.set("proxy", [{ runs: 2000, exitCode: 1 }, {}]);
    runtime.plans.set("main", [{ runs: 20_000, exitCode: 0 }]);
    const sidecar = init("proxy", { restartPolicy: "Always" });
    const spec = {
      restartPolicy: "Never",
      initContainers: [sidecar, init("log", { restartPolicy: "Always" })],
      containers: [main],
    };
    const status = await start(spec, 10);
    expect(startsOf(runtime.calls)).toEqual(["proxy 0", "log 0", "main 0", "proxy 1"]);
    expect(status.phase).toBe("Running");
    const { pod } = status;
    await node.remove(pod);
    const stops = runtime.calls.filter((call) => call.startsWith("stopContainer"));
    expect(stops).toEqual(["stopContainer main 30", "stopContainer log 30", "stopContainer proxy 30"]);
  });

  it("that are sidecars end when the containers have ended", async () => {
    const { start, runtime } = containerNode();
    runtime.plans.set("main", [{ runs: 2000, exitCode: 0 }]);
    const spec = {
      restartPolicy: "Never",
      initContainers: [init("proxy", { restartPolicy: "Always" })],
      containers: [main],
    };
    const status = await start(spec, 6);
    expect(status).toMatchObject({ phase: "Succeeded", settled: true });
    expect(runtime.calls.slice(-2)).toEqual(["stopContainer proxy 30", "stopPodSandbox web"]);
    expect(status.conditions.slice(2)).toEqual([
      { type: "Initialized", status: "True", reason: "PodCompleted" },
      { type: "ContainersReady", status: "False", reason: "PodCompleted" },
      { type: "Ready", status: "False", reason: "PodCompleted" },
    ]);
  });
});

describe("what cannot start", () => {
  it("waits with the kubelet's reasons, and the others run", async () => {
    const { start, runtime, log } = containerNode();
    runtime.failures.set("createContainer broken", "no such runtime");
    runtime.failures.set("startContainer fails", "exec: not found");
    const lacks = { name: "lacks", image: "app:1", envFrom: [{ secretRef: { name: "absent" } }] };
    const root = { name: "root", image: "app:1", securityContext: { runAsNonRoot: true } };
    const others = ["broken", "fails"].map((name) => ({ name, image: "app:1" }));
    const status = await start({ containers: [...others, lacks, root, main] }, 5);
    const states = status.containers.map(({ state }) =>
      state.kind === "waiting" ? [state.reason, state.message] : [state.kind],
    );
    expect(states).toEqual([
      ["CreateContainerError", "no such runtime"],
      ["RunContainerError", "exec: not found"],
      ["CreateContainerConfigError", 'secret "absent" not found'],
      [
        "CreateContainerConfigError",
        'container has runAsNonRoot and image will run as root (pod: "web_default(uid-web)", container: root)',
      ],
      ["running"],
    ]);
    expect(status.phase).toBe("Pending");
    expect(status.settled).toBe(true);
    expect(log().find((line) => line.includes("{lacks} Error"))).toBe(
      '0.1 Warning Failed {lacks} Error: secret "absent" not found',
    );
  });

  it("is not started as long as its image cannot be pulled", async () => {
    const { start, images, runtime } = containerNode();
    images.failures.set("app:1", "no");
    const status = await start({ containers: [main] }, 3);
    expect(status.containers[0]?.state).toMatchObject({ kind: "waiting", reason: "ImagePullBackOff" });
    expect(status.settled).toBe(true);
    expect(runtime.calls).toEqual(["runPodSandbox web 0"]);
  });

  it("says why there is no sandbox, and starts when there is one", async () => {
    const { start, runtime, log, after } = containerNode();
    runtime.failures.set("runPodSandbox", "no network");
    const status = await start({ containers: [main] }, 5);
    expect(status.containers[0]?.state).toMatchObject({ message: "Failed to create pod sandbox: no network" });
    expect(log().at(-1)).toBe("0 Warning FailedCreatePodSandBox pod Failed to create pod sandbox: no network");
    runtime.failures.clear();
    expect((await after(15)).phase).toBe("Running");
  });

  it("says at each try that there is no network, and waits as a kubelet does", async () => {
    const { start, runtime, log, after } = containerNode();
    const message = "Network plugin returns error: cni plugin not initialized";
    runtime.conditions = [{ type: "NetworkReady", reason: "NetworkPluginNotReady", message }];
    await start({ containers: [main] }, 5);
    await after(30);
    const text = `network is not ready: container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:${message}`;
    const told = log();
    expect(told.map((line) => line.replace(/^\S+ /, ""))).toEqual(
      told.map(() => `Warning NetworkNotReady pod ${text}`),
    );
    const times = told.map((line) => Number(line.split(" ")[0]));
    expect(times.length).toBeGreaterThan(2);
    for (const [at, time] of times.entries()) {
      if (at > 0) expect(time - (times[at - 1] ?? 0)).toBeGreaterThanOrEqual(10);
    }
    expect(runtime.calls).toEqual([]);
    runtime.conditions = [];
    expect((await after(20)).phase).toBe("Running");
  });

  it("starts on the host's network where there is no other", async () => {
    const { start, runtime } = containerNode();
    runtime.conditions = [{ type: "NetworkReady", reason: "NetworkPluginNotReady", message: "none" }];
    expect((await start({ hostNetwork: true, containers: [main] }, 5)).phase).toBe("Running");
  });

  it("says which volume is not to be had", async () => {
    const { start, volumeProblems, runtime, log } = containerNode();
    volumeProblems.set("settings", 'configmap "absent" not found');
    const status = await start({ containers: [main] }, 3);
    expect(log()).toEqual([
      '0 Warning FailedMount pod MountVolume.SetUp failed for volume "settings" : configmap "absent" not found',
    ]);
    expect(runtime.calls).toEqual([]);
    expect(status).toMatchObject({ phase: "Pending", settled: true });
  });

  it("is tried again when the runtime answers again", async () => {
    const { start, runtime, after, log } = containerNode();
    runtime.isReachable = false;
    await start({ containers: [main] }, 5);
    expect(log()).toEqual(["0 Warning FailedSync pod Error syncing pod: no connection"]);
    runtime.isReachable = true;
    expect((await after(4)).phase).toBe("Running");
  });
});

describe("a pod that may run for so long only", () => {
  it("fails when its time is over", async () => {
    const { start, runtime } = containerNode();
    const status = await start({ activeDeadlineSeconds: 20, containers: [main] }, 25);
    expect(status).toMatchObject({ phase: "Failed", reason: "DeadlineExceeded", settled: true });
    expect(runtime.calls.slice(-2)).toEqual(["stopContainer main 30", "stopPodSandbox web"]);
  });
});
