/** `pulley get`, `describe` and `logs`, as users run them, against a daemon's socket over a node that works. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { testApi } from "../../src/daemon/api/testing/api.ts";
import { statusOf } from "../../src/daemon/api/testing/statuses.ts";
import { fakeNode } from "../../src/pods/testing/fake-node.ts";
import { localImage } from "../../src/pull/testing/fake-images.ts";
import { podOf } from "../../src/pull/testing/pods.ts";
import { temporaryFolder } from "../../src/support/testing.ts";
import { pulley, runProgram } from "./pulley.ts";

/** A daemon over a node with one pod that is prepared, and one whose image nobody may pull. */
async function daemon() {
  const { node, images, signals, run } = fakeNode();
  images.users.set("acme.io/secret:1", []);
  await run(
    [
      podOf({ name: "web", containers: [{ image: "acme.io/app:1" }] }),
      podOf({ name: "vault", containers: [{ image: "acme.io/secret:1" }] }),
    ],
    5,
  );
  await node.stop();
  const events = signals.flatMap((signal) => (signal.kind === "event" ? [signal.event] : []));
  const clock = { now: () => 5_000, sleep: async () => undefined };
  return testApi({ pods: node.pods(), events, images: [localImage("docker.io/acme/app:1").image], clock });
}

function asked(socket: string, ...args: readonly string[]) {
  return pulley([...args, "--socket", socket]);
}

describe("pulley get", () => {
  it("shows pods, events and images", async () => {
    const { socket } = await daemon();
    const pods = await asked(socket, "get", "pods");
    expect(pods.stdout).toMatch(
      /^NAME +READY +STATUS +RESTARTS +AGE\nweb +1\/1 +Prepared +0 +\S+\nvault +0\/1 +ImagePullBackOff +0 +\S+\n$/,
    );
    expect(pods.status).toBe(0);
    const events = await asked(socket, "get", "events", "-A", "-o", "wide");
    expect(events.stdout).toMatch(
      /^NAMESPACE +LAST SEEN +TYPE +REASON +OBJECT +SUBOBJECT +SOURCE +MESSAGE +FIRST SEEN +COUNT +NAME\n/,
    );
    expect(events.stdout).toMatch(
      /default +\S+ +Normal +Pulling +pod\/web +spec\.containers\{main\} +pulley, node-1 +Pulling image "acme.io\/app:1"/,
    );
    const images = await asked(socket, "get", "images");
    expect(images.stdout).toMatch(/^IMAGE +TAG +IMAGE ID +SIZE\nacme\/app +1 +[0-9a-f]{13} +1.0 kB\n$/);
    const names = await asked(socket, "get", "po", "-o", "name", "--no-headers");
    expect(names.stdout).toBe("pod/web\npod/vault\n");
  });

  it("gives one pod, or a list, as JSON and YAML", async () => {
    const { socket } = await daemon();
    const one: unknown = JSON.parse((await asked(socket, "get", "pod/vault", "-o", "json")).stdout);
    expect(one).toMatchObject({
      apiVersion: "pulley.dev/v1alpha1",
      kind: "Pod",
      metadata: { name: "vault" },
      status: {
        containerStatuses: [{ state: { waiting: { reason: "ImagePullBackOff" } }, decision: { action: "Pull" } }],
      },
    });
    const list: unknown = JSON.parse((await asked(socket, "get", "pods", "-o", "json")).stdout);
    expect(list).toMatchObject({
      kind: "PodList",
      items: [{ metadata: { name: "web" } }, { metadata: { name: "vault" } }],
    });
    expect((await asked(socket, "get", "pods", "-o", "yaml")).stdout).toMatch(
      /^apiVersion: pulley\.dev\/v1alpha1\nkind: PodList\nitems:\n {2}- /,
    );
  });

  it("watches until it is interrupted, and then ends well", async () => {
    const first = statusOf({ name: "web", containers: [{}] });
    const { socket, say } = await testApi({ pods: [first] });
    const { status, stdout } = await runProgram(["get", "pods", "--watch", "--socket", socket], {
      meanwhile: async (child) => {
        let text = "";
        child.stdout?.on("data", (piece: Buffer) => {
          text += piece.toString();
        });
        await expect.poll(() => text).toMatch(/web .*ContainerCreating/);
        say({
          kind: "pod",
          status: {
            ...first,
            phase: "Prepared",
            containers: [{ ...first.containers[0], state: { kind: "prepared" } }] as typeof first.containers,
          },
        });
        await expect.poll(() => text).toMatch(/web .*Prepared/);
        child.kill("SIGINT");
      },
    });
    expect(stdout.match(/NAME/g)).toHaveLength(1);
    expect(status).toBe(0);
  });

  it("says what is wrong with a call, and where no daemon is", async () => {
    const { socket } = await testApi();
    const wrong = async (...args: readonly string[]) => {
      const { status, stderr } = await asked(socket, ...args);
      return `${status} ${stderr}`;
    };
    expect(await wrong("get", "nodes")).toMatch(
      /^2 error: the daemon has no resource type "nodes"\n {2}It has pods, events and images/,
    );
    expect(await wrong("get", "events", "-l", "a=b")).toMatch(/^2 error: events have no labels/);
    expect(await wrong("get", "pods", "-l", "a=b=c")).toMatch(/^1 Error from server \(BadRequest\): unable to parse/);
    expect(await wrong("get", "images", "x")).toMatch(/^2 /);
    expect(await wrong("describe", "node/web")).toMatch(/^2 error: "node\/web" is not the name of a pod/);
    expect(await wrong("logs", "pod/web", "--since", "soon")).toMatch(/^2 /);
    const none = await asked("/nonexistent/node.sock", "get", "pods");
    expect(none).toMatchObject({ status: 3 });
    expect(none.stderr).toMatch(
      /cannot reach the daemon at \/nonexistent\/node\.sock: there is no such socket \(no such file or directory\)\n {2}Start the daemon/,
    );
  });
});

describe("pulley describe", () => {
  it("says what was decided about each image, by whom, and what to do", async () => {
    const { socket } = await daemon();
    const { stdout, status } = await asked(socket, "describe", "pod/vault");
    expect(status).toBe(0);
    expect(stdout).toMatch(/^Name: {13}vault\nNamespace: {8}default\n/);
    expect(stdout).toMatch(
      / {4}State: {10}Waiting\n {6}Reason: {7}ImagePullBackOff\n {6}Message: {6}Back-off pulling image "acme.io\/secret:1": ErrImagePull: /,
    );
    expect(stdout).toMatch(
      / {4}Pull Policy: {4}IfNotPresent, Kubernetes' default\n {4}Decision: {7}Pull\n {6}Message: {6}\S/,
    );
    expect(stdout).toMatch(/ {6}Pull: {9}IfNotPresent: the tag 1 is not latest\n/);
    expect(stdout).toMatch(/ {4}Advice: {9}Log in, or give the pod an imagePullSecret/);
    expect(stdout).toMatch(/Events:\n {2}Type {5}Reason {3}Age.*\n.*\n {2}Normal {3}Pulling .*pulley {2}Pulling image/);
    const both = await asked(socket, "describe", "pods", "-o", "json");
    expect(JSON.parse(both.stdout)).toMatchObject({ pods: [{ pod: { kind: "Pod" }, events: [{}, {}] }, {}] });
  });
});

describe("pulley logs", () => {
  it("prints what containers wrote", async () => {
    const folder = join(temporaryFolder(), "main");
    mkdirSync(folder);
    const time = "2024-05-01T12:00:00.000000001Z";
    writeFileSync(join(folder, "0.log"), `${time} stdout F one\n${time} stderr P tw\n${time} stderr F o\n`);
    const state = { kind: "running", startedAt: 1 } as const;
    const { socket } = await testApi({ pods: [statusOf({ containers: [{ state, logPath: join(folder, "0.log") }] })] });
    expect(await asked(socket, "logs", "pod/web")).toMatchObject({ status: 0, stdout: "one\ntwo\n", stderr: "" });
    expect((await asked(socket, "logs", "web", "main", "--tail", "1", "--timestamps")).stdout).toBe(`${time} two\n`);
    expect(await asked(socket, "logs", "pod/web", "-c", "x")).toMatchObject({
      status: 1,
      stderr: "Error from server (BadRequest): container x is not valid for pod web\n",
    });
    expect((await asked(socket, "logs", "pod/web", "-p")).stderr).toBe(
      'Error from server (BadRequest): previous terminated container "main" in pod "web" not found\n',
    );
  });
});
