import { describe, expect, it } from "vitest";
import { localImage } from "../pull/testing/fake-images.ts";
import { secretOf } from "../pull/testing/logins.ts";
import { podOf } from "../pull/testing/pods.ts";
import { PulleyError } from "../support/errors.ts";
import { fakeNode } from "./testing/fake-node.ts";
import type { NodeSignal, PodStatus } from "./types.ts";

const pinned = `nginx@sha256:${"a".repeat(64)}`;

function onlyStatus(statuses: readonly PodStatus[]): PodStatus {
  const [status, ...more] = statuses;
  if (status === undefined || more.length > 0) throw new Error(`${statuses.length} pods`);
  return status;
}

describe("one container", () => {
  it("pulls what is not here", async () => {
    const { run, log, node } = fakeNode();
    await run([podOf({ containers: [{ image: "nginx:1.27" }] })], 100);
    expect(log()).toEqual([
      '0 Normal Pulling {main} Pulling image "nginx:1.27"',
      '0.1 Normal Pulled {main} Successfully pulled image "nginx:1.27" in 100ms (100ms including waiting). Image size: 1000 bytes.',
    ]);
    const status = onlyStatus(node.pods());
    expect(status).toMatchObject({ phase: "Prepared", settled: true, createdAt: 0 });
    expect(status.containers[0]).toMatchObject({
      name: "main",
      imageId: localImage("nginx:1.27").image.id,
      state: { kind: "prepared" },
      decision: { action: "Pull" },
    });
  });

  it("uses what is here under IfNotPresent, without asking", async () => {
    const { run, log, images } = fakeNode();
    images.local.set("nginx:1.27", localImage("nginx:1.27"));
    await run([podOf({ containers: [{ image: "nginx:1.27" }] })], 1);
    expect(log()).toEqual(['0 Normal Pulled {main} Container image "nginx:1.27" already present on machine']);
    expect(images.pulls).toEqual([]);
  });

  it("asks for what is here under Always, the default of a tag that moves", async () => {
    const { run, images } = fakeNode();
    images.local.set("nginx:latest", localImage("nginx:latest"));
    await run([podOf({ containers: [{ image: "nginx" }] })], 1);
    expect(images.pulls).toEqual(["nginx:latest"]);
  });

  it("uses a pinned image that is here", async () => {
    const { run, log, images } = fakeNode();
    images.local.set(pinned, localImage(pinned));
    await run([podOf({ containers: [{ image: pinned }] })], 1);
    expect(log()).toEqual([`0 Normal Pulled {main} Container image "${pinned}" already present on machine`]);
  });

  it("does not pull under Never, and looks again every ten seconds or so", async () => {
    const { run, log, images, node } = fakeNode();
    await run([podOf({ containers: [{ image: "nginx:1.27", pullPolicy: "Never" }] })], 12);
    const message = 'Container image "nginx:1.27" is not present with pull policy of Never';
    const look = (time: number) => [
      `${time} Warning ErrImageNeverPull {main} ${message}`,
      `${time} Warning Failed {main} Error: ErrImageNeverPull`,
    ];
    expect(log()).toEqual([...look(0), ...look(1), ...look(11)]);
    expect(onlyStatus(node.pods())).toMatchObject({
      phase: "Pending",
      settled: true,
      containers: [{ state: { kind: "waiting", reason: "ErrImageNeverPull", message } }],
    });
    images.local.set("nginx:1.27", localImage("nginx:1.27"));
    await run([], 10);
    expect(onlyStatus(node.pods()).phase).toBe("Prepared");
  });

  it("refuses a name that is none", async () => {
    const { run, log, node } = fakeNode();
    await run([podOf({ containers: [{ image: "FAILED_IMAGE", pullPolicy: "IfNotPresent" }] })], 0);
    const message =
      'Failed to apply default image tag "FAILED_IMAGE": couldn\'t parse image name "FAILED_IMAGE": ' +
      "invalid reference format: repository name (library/FAILED_IMAGE) must be lowercase";
    expect(log()).toEqual([
      `0 Warning InspectFailed {main} ${message}`,
      "0 Warning Failed {main} Error: InvalidImageName",
    ]);
    expect(onlyStatus(node.pods())).toMatchObject({
      settled: true,
      containers: [{ state: { reason: "InvalidImageName", message }, decision: { action: "Refuse" } }],
    });
  });
});

describe("a private image", () => {
  const pod = podOf({ containers: [{ image: "acme.io/app:1" }], imagePullSecrets: ["regcred"] });

  it("is pulled with the right secret", async () => {
    const { run, images, node } = fakeNode();
    images.users.set("acme.io/app:1", ["alice"]);
    await run([pod], 1, [secretOf("regcred", "alice")]);
    expect(images.pulls).toEqual(["acme.io/app:1 as alice"]);
    expect(onlyStatus(node.pods()).phase).toBe("Prepared");
  });

  it("waits longer and longer with the wrong one: 10, 20, 40 … 300 s", async () => {
    const { run, images, signals, node } = fakeNode();
    images.users.set("acme.io/app:1", ["alice"]);
    await run([pod], 1500, [secretOf("regcred", "bob")]);
    const events = signals.flatMap((signal) => (signal.kind === "event" ? [signal.event] : []));
    const attempts = events.filter(({ reason }) => reason === "Pulling").map(({ time }) => time);
    const failures = events.filter(({ message }) => message.startsWith("Failed to pull")).map(({ time }) => time);
    expect(failures).toEqual(attempts.map((time) => time + 100));
    const waits = attempts.slice(1).map((time, at) => (time - (failures[at] ?? 0)) / 1000);
    expect(waits).toEqual([10, 20, 40, 80, 160, 300, 300, 300]);
    expect(onlyStatus(node.pods()).containers[0]?.state).toMatchObject({ reason: "ImagePullBackOff" });
  });

  it("shows ErrImagePull first, then ImagePullBackOff with the failure before", async () => {
    const { run, log, images, node } = fakeNode();
    images.users.set("acme.io/app:1", ["alice"]);
    await run([pod], 0.5, [secretOf("regcred", "bob")]);
    const text = "acme.io/app:1: bob may not pull it (tried with secret default/regcred)";
    expect(onlyStatus(node.pods())).toMatchObject({
      settled: false,
      containers: [{ state: { reason: "ErrImagePull", message: text }, backOffUntil: 10_100 }],
    });
    await run([], 1);
    expect(onlyStatus(node.pods())).toMatchObject({
      settled: true,
      containers: [
        {
          state: {
            reason: "ImagePullBackOff",
            message: `Back-off pulling image "acme.io/app:1": ErrImagePull: ${text}`,
            advice: expect.stringContaining("Renew the login of secret default/regcred"),
          },
          backOffUntil: 10_100,
        },
      ],
    });
    expect(log()).toEqual([
      '0 Normal Pulling {main} Pulling image "acme.io/app:1"',
      `0.1 Warning Failed {main} Failed to pull image "acme.io/app:1": ${text}`,
      "0.1 Warning Failed {main} Error: ErrImagePull",
      '1.1 Normal BackOff {main} Back-off pulling image "acme.io/app:1"',
      "1.1 Warning Failed {main} Error: ImagePullBackOff",
    ]);
  });

  it("is pulled when the login becomes right, and a failure 600 s later waits 10 s again", async () => {
    const { run, images, node, signals } = fakeNode();
    images.failures.set("acme.io/app:1", "not yet");
    await run([pod], 35, [secretOf("regcred", "alice")]);
    images.failures.clear();
    await run([], 40);
    expect(onlyStatus(node.pods())).toMatchObject({ phase: "Prepared", containers: [{ backOffUntil: undefined }] });
    const recreated = { ...pod, name: "again" };
    images.local.clear();
    images.failures.set("acme.io/app:1", "no more");
    await run([recreated], 0.2, [secretOf("regcred", "alice")]);
    expect(node.pods()[1]?.containers[0]?.backOffUntil).toBe(75_000 + 100 + 80_000);
    await run([], 2000);
    expect(signals.length).toBeGreaterThan(0);
  });

  it("says which secrets are missing, at every look, and tries without", async () => {
    const { run, log } = fakeNode();
    const asking = podOf({ containers: [{ image: "acme.io/app:1" }], imagePullSecrets: ["one", "regcred", "two"] });
    await run([asking], 0.5, [secretOf("regcred", "alice")]);
    expect(log()[0]).toBe(
      "0 Warning FailedToRetrieveImagePullSecret pod Unable to retrieve some image pull secrets (one, two); " +
        "attempting to pull the image may not succeed.",
    );
    expect(log()).toHaveLength(3);
  });
});

describe("several containers", () => {
  it("come one after the other, and one that fails does not hold up the next", async () => {
    const { run, log, images, node } = fakeNode();
    images.failures.set("bad:1", "no");
    const containers = [
      { name: "a", image: "good:1" },
      { name: "b", image: "bad:1" },
      { name: "c", image: "fine:1" },
    ];
    await run([podOf({ containers })], 0.5);
    expect(log().map((text) => text.split(" ").slice(0, 4).join(" "))).toEqual([
      "0 Normal Pulling {a}",
      "0.1 Normal Pulled {a}",
      "0.1 Normal Pulling {b}",
      "0.2 Warning Failed {b}",
      "0.2 Warning Failed {b}",
      "0.2 Normal Pulling {c}",
      "0.3 Normal Pulled {c}",
    ]);
    expect(onlyStatus(node.pods()).conditions).toEqual([
      { type: "PodScheduled", status: "True" },
      { type: "PodReadyToStartContainers", status: "True" },
      { type: "Initialized", status: "True" },
      ...["ContainersReady", "Ready"].map((type) => ({
        type,
        status: "False",
        reason: "ContainersNotReady",
        message: "containers with unready status: [b]",
      })),
    ]);
  });

  it("wait for the init containers, each of which waits for the one before", async () => {
    const { run, images, node } = fakeNode();
    images.failures.set("second:1", "no");
    const containers = [
      { name: "init-1", kind: "initContainer", image: "first:1" },
      { name: "init-2", kind: "initContainer", image: "second:1" },
      { name: "main", image: "main:1" },
    ] as const;
    await run([podOf({ containers })], 2);
    const status = onlyStatus(node.pods());
    expect(status.containers.map(({ state }) => (state.kind === "waiting" ? state.reason : state.kind))).toEqual([
      "prepared",
      "ImagePullBackOff",
      "PodInitializing",
    ]);
    expect(status.settled).toBe(true);
    expect(status.conditions.find(({ type }) => type === "Initialized")).toEqual({
      type: "Initialized",
      status: "False",
      reason: "ContainersNotInitialized",
      message: "containers with incomplete status: [init-2]",
    });
    images.failures.clear();
    await run([], 10);
    expect(images.pulls).toEqual(["first:1", "second:1", "second:1", "main:1"]);
    expect(onlyStatus(node.pods()).phase).toBe("Prepared");
  });

  it("share a back-off if they ask for the same image", async () => {
    const { run, images, log } = fakeNode();
    images.failures.set("bad:1", "no");
    const containers = [
      { name: "a", image: "bad:1" },
      { name: "b", image: "bad:1" },
    ];
    await run([podOf({ containers })], 0.5);
    expect(images.pulls).toEqual(["bad:1"]);
    expect(log().at(-1)).toBe("0.1 Warning Failed {b} Error: ImagePullBackOff");
  });
});

describe("image volumes", () => {
  const volume = { name: "data", kind: "imageVolume", image: "data:1" } as const;

  it("come before the containers, with events about the pod as a whole", async () => {
    const { run, log } = fakeNode();
    await run([podOf({ containers: [{ image: "app:1", mounts: ["data"] }, volume] })], 1);
    expect(log().map((text) => text.split(" ").slice(0, 4).join(" "))).toEqual([
      "0 Normal Pulling pod",
      "0.1 Normal Pulled pod",
      "0.1 Normal Pulling {main}",
      "0.2 Normal Pulled {main}",
    ]);
  });

  it("that fail hold up only the containers that mount them", async () => {
    const { run, log, images, node } = fakeNode();
    images.failures.set("data:1", "no");
    const containers = [
      { name: "with", image: "app:1", mounts: ["data"] },
      { name: "without", image: "app:1", mounts: ["logs"] },
      volume,
    ];
    await run([podOf({ containers })], 0.5);
    const { containers: statuses, imageVolumes } = onlyStatus(node.pods());
    expect(imageVolumes[0]?.state).toMatchObject({ reason: "ErrImagePull", message: "no" });
    expect(statuses.map(({ state }) => state)).toEqual([
      expect.objectContaining({ reason: "ErrImagePull", message: "no" }),
      { kind: "prepared" },
    ]);
    expect(log()).toContain("0.1 Warning Failed {with} Error: ErrImagePull");
  });
});

describe("many pods", () => {
  it("with one absent image cost one pull", async () => {
    const { run, images, node, log } = fakeNode();
    const pods = Array.from({ length: 100 }, (_, at) =>
      podOf({ name: `web-${at}`, containers: [{ image: "nginx:1.27" }] }),
    );
    await run(pods, 5);
    expect(images.pulls).toEqual(["nginx:1.27"]);
    expect(node.pods().every(({ phase }) => phase === "Prepared")).toBe(true);
    expect(log().filter((text) => text.includes("Successfully pulled"))).toHaveLength(100);
  });

  it("with different credentials are each checked with their own", async () => {
    const { run, images, node } = fakeNode();
    images.users.set("acme.io/app:1", ["alice"]);
    const pods = ["alice", "bob"].map((user) =>
      podOf({ name: user, containers: [{ image: "acme.io/app:1", pullPolicy: "Always" }], imagePullSecrets: [user] }),
    );
    await run(pods, 1, [secretOf("alice", "alice"), secretOf("bob", "bob")]);
    expect(images.pulls).toEqual(["acme.io/app:1 as alice", "acme.io/app:1 as bob"]);
    expect(node.pods().map(({ phase }) => phase)).toEqual(["Prepared", "Pending"]);
  });

  it("pull in turn, and the time of waiting shows", async () => {
    const { run, log } = fakeNode();
    const pods = ["a", "b"].map((name) => podOf({ name, containers: [{ image: `${name}:1` }] }));
    await run(pods, 1);
    expect(log().filter((text) => text.includes("Successfully"))).toEqual([
      '0.1 Normal Pulled {main} Successfully pulled image "a:1" in 100ms (100ms including waiting). Image size: 1000 bytes.',
      '0.2 Normal Pulled {main} Successfully pulled image "b:1" in 100ms (200ms including waiting). Image size: 1000 bytes.',
    ]);
  });

  it("beyond the limit fail, wait and come again", async () => {
    const { run, log, node } = fakeNode({ pulls: { registryPullQPS: 1, registryBurst: 1, maxParallelImagePulls: 2 } });
    const pods = ["a", "b"].map((name) => podOf({ name, containers: [{ image: `${name}:1` }] }));
    await run(pods, 0.5);
    expect(log()).toContain('0 Warning Failed {main} Failed to pull image "b:1": pull QPS exceeded');
    await run([], 15);
    expect(node.pods().map(({ phase }) => phase)).toEqual(["Prepared", "Prepared"]);
  });
});

describe("a node", () => {
  it("says when everything is settled", async () => {
    const { node, images, clock } = fakeNode();
    await node.settled();
    images.failures.set("bad:1", "no");
    node.add(
      [podOf({ name: "a", containers: [{ image: "good:1" }] }), podOf({ name: "b", containers: [{ image: "bad:1" }] })],
      [],
    );
    let settledAt: number | undefined;
    void node.settled().then(() => {
      settledAt = clock.now();
    });
    await clock.advance(5000);
    expect(settledAt).toBe(1200);
  });

  it("ends everything when it is stopped", async () => {
    const { node, images, clock, signals } = fakeNode();
    node.add([podOf({ containers: [{ image: "nginx:1.27" }] })], []);
    const settled = node.settled().catch((error: unknown) => error);
    await clock.advance(50);
    expect(images.underWay()).toBe(1);
    await node.stop();
    expect(images.underWay()).toBe(0);
    expect(clock.sleepers).toBe(0);
    expect(await settled).toBeInstanceOf(PulleyError);
    await node.ended();
    const before = signals.length;
    await clock.advance(100_000);
    expect(signals).toHaveLength(before);
  });

  it("ends with a fault of its own, and says so to those who ask", async () => {
    const { node, clock } = fakeNode();
    const fault = new Error("a listener that throws");
    node.onSignal((signal) => {
      if (signal.kind === "event" && signal.event.reason === "Pulling") throw fault;
    });
    node.add(
      [podOf({ containers: [{ image: "nginx:1.27" }] }), podOf({ name: "b", containers: [{ image: "b:1" }] })],
      [],
    );
    const waiting = Promise.allSettled([node.settled(), node.ended()]);
    await clock.advance(50);
    expect(await waiting).toEqual([
      { status: "rejected", reason: fault },
      { status: "rejected", reason: fault },
    ]);
    await node.stop();
    await expect(node.settled()).rejects.toBe(fault);
  });

  it("tells of pods, events and progress, to those who listen", async () => {
    const { node, clock, signals } = fakeNode();
    const heard: NodeSignal[] = [];
    const stop = node.onSignal((signal) => heard.push(signal));
    node.add([podOf({ containers: [{ image: "nginx:1.27" }] })], []);
    await clock.advance(50);
    stop();
    await clock.advance(5000);
    expect(heard.map(({ kind }) => kind)).toEqual(["pod", "event", "pull", "pull"]);
    expect(signals.length).toBeGreaterThan(heard.length);
  });

  it("refuses settings that are not sound", () => {
    expect(() => fakeNode({ pulls: { registryPullQPS: -1 } })).toThrow("invalid configuration: registryPullQPS");
  });

  it("looks again after 10 to 15 s, never later than after 90 s", async () => {
    const times = async (random: () => number) => {
      const { run, signals, images } = fakeNode({ random });
      images.failures.set("bad:1", "no");
      await run([podOf({ containers: [{ image: "bad:1" }] })], 800);
      return signals.flatMap((signal) =>
        signal.kind === "event" && signal.event.reason !== "Failed" ? [signal.event] : [],
      );
    };
    const looks = (await times(() => 1)).filter(({ reason }) => reason === "BackOff").map(({ time }) => time);
    expect(looks.slice(0, 4)).toEqual([1100, 25_200, 45_300, 85_400]);
  });
});
