import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Clock } from "../../support/clock.ts";
import { containerNode } from "../testing/container-node.ts";
import { createStaticPods } from "./index.ts";

let folder: string;
const ending: (() => Promise<void>)[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pulley-static-"));
});
afterEach(async () => {
  for (const end of ending.splice(0)) await end();
  for (const path of [folder, `${folder}-away`]) await rm(path, { recursive: true, force: true });
});

const write = (name: string, text: string) => writeFile(join(folder, name), text);

function pod(name: string, image = "app:1", more: object = {}): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: { containers: [{ name: "main", image, ...more }] },
  });
}

/** A node with the folder, on a clock that is moved by hand. */
function watching(before = containerNode()) {
  const { node, clock, runtime, containers } = before;
  const said: string[] = [];
  const stopping = new AbortController();
  /** Whether the folder has been looked at, and what is next is a rest. */
  const look = { isOver: false };
  const resting: Clock = {
    now: clock.now,
    sleep: async (milliseconds, signal) => {
      look.isOver = true;
      try {
        await clock.sleep(milliseconds, signal);
      } finally {
        look.isOver = false;
      }
    },
  };
  const pods = createStaticPods({
    folder,
    node,
    containers,
    locks: undefined,
    clock: resting,
    warn: (line) => said.push(line.replace(folder, "")),
  });
  const run = pods.run(stopping.signal).catch(() => undefined);
  const end = async () => {
    stopping.abort(new Error("end"));
    await run;
  };
  ending.push(end);
  /** Files are read between two turns of the clock. */
  const idle = async () => {
    do await turn();
    while (!look.isOver);
  };
  const after = async (seconds: number) => {
    await clock.advance(seconds * 1000, idle);
    return node.pods().map((status) => `${status.pod.name} ${status.containers[0]?.image} ${status.phase}`);
  };
  /** Lets time go by until the node has these pods, and nothing else. */
  const until = async (...expected: readonly string[]) => {
    await expect.poll(async () => (await after(1)).toSorted(), { interval: 1 }).toEqual(expected);
  };
  return { ...before, runtime, said, after, until, end };
}

it("runs what is in the folder, and ends what is taken out of it", async () => {
  await write("one.yaml", pod("one"));
  await write("ignored.txt", pod("ignored"));
  await write(".hidden.yaml", pod("hidden"));
  const { until, said, runtime } = watching();
  await until("one app:1 Running");
  await write("two.json", pod("two"));
  await until("one app:1 Running", "two app:1 Running");
  await rm(join(folder, "one.yaml"));
  await until("two app:1 Running");
  expect(runtime.left()).toHaveLength(2);
  expect(said).toEqual([]);
});

it("ends the pod of a file that has changed, and only then starts the new one", async () => {
  await write("one.yaml", `${pod("one")}\n---\n${pod("other")}`);
  const { until, runtime } = watching();
  await until("one app:1 Running", "other app:1 Running");
  runtime.calls.length = 0;
  await write("one.yaml", `${pod("one", "app:2")}\n---\n${pod("other")}`);
  await until("one app:2 Running", "other app:1 Running");
  expect(runtime.calls).toEqual([
    "stopContainer main 30",
    "stopPodSandbox one",
    "removeContainer main 0",
    "removePodSandbox one",
    "runPodSandbox one 0",
    "createContainer main 0",
    "startContainer main 0",
  ]);
});

it("reports a broken file once and lets its pod go on", async () => {
  await write("one.yaml", pod("one"));
  await write("two.yaml", pod("two"));
  const { after, until, said, runtime } = watching();
  await until("one app:1 Running", "two app:1 Running");
  runtime.calls.length = 0;
  await write("one.yaml", "{broken: [");
  const goesOn = ["one app:1 Running", "two app:1 Running"];
  const complaints = async () => (await after(1)) && said.length;
  await expect.poll(complaints, { interval: 1 }).toBe(1);
  expect(await after(3)).toEqual(goesOn);
  expect(said).toEqual([expect.stringMatching(/^\/one\.yaml:\d+:\d+: error: /)]);
  await write("one.yaml", "");
  await expect.poll(complaints, { interval: 1 }).toBe(2);
  expect(said[1]).toBe("/one.yaml:1:1: error: there is no object in this file");
  await write("one.yaml", pod("one"));
  expect(await after(5)).toEqual(goesOn);
  expect(runtime.calls).toEqual([]);
});

it("leaves a file alone as long as it is being written", async () => {
  const { after, until } = watching();
  await after(1);
  for (let part = 0; part < 5; part += 1) {
    await write("one.yaml", pod("one", `app:${part}`));
    expect(await after(1)).toEqual([]);
  }
  await until("one app:4 Running");
});

it("starts a pod anew when a ConfigMap that it uses changes, in whichever file", async () => {
  const settings = (colour: string) =>
    JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "settings" }, data: { colour } });
  await write("settings.yaml", settings("green"));
  await write("one.yaml", pod("one", "app:1", { envFrom: [{ configMapRef: { name: "settings" } }] }));
  await write("two.yaml", pod("two"));
  const { after, until, runtime } = watching();
  await until("one app:1 Running", "two app:1 Running");
  runtime.calls.length = 0;
  await write("settings.yaml", settings("blue"));
  await expect.poll(async () => (await after(1)) && runtime.configs.length, { interval: 1 }).toBe(3);
  expect(runtime.calls.filter((call) => call.includes("PodSandbox"))).toEqual([
    "stopPodSandbox one",
    "removePodSandbox one",
    "runPodSandbox one 0",
  ]);
  expect(runtime.configs.at(-1)?.env).toEqual(new Map([["colour", "blue"]]));
});

it("has a pod of a name once", async () => {
  await write("one.yaml", pod("web"));
  await write("two.yaml", pod("web", "app:2"));
  const { until, said } = watching();
  await until("web app:1 Running");
  expect(said).toEqual(['/two.yaml:1:1: error: pods "web" already exists, in another file']);
});

it("keeps everything when the folder itself is gone", async () => {
  await write("one.yaml", pod("one"));
  const { after, until, said } = watching();
  await until("one app:1 Running");
  await rename(folder, `${folder}-away`);
  await expect.poll(async () => (await after(1)) && said.length, { interval: 1 }).toBe(1);
  expect(await after(3)).toEqual(["one app:1 Running"]);
  expect(said).toEqual([expect.stringContaining("ENOENT")]);
  await rename(`${folder}-away`, folder);
  await until("one app:1 Running");
});

it("ends what runs of a pod that was changed while the node was away before the new one starts", async () => {
  await write("one.yaml", pod("one"));
  const first = watching();
  await first.until("one app:1 Running");
  await first.end();
  await first.node.stop();
  await write("one.yaml", pod("one", "app:2"));
  const { until, runtime } = watching(containerNode(first.runtime, first.clock));
  runtime.calls.length = 0;
  await until("one app:2 Running");
  expect(runtime.calls).toEqual([
    "stopContainer main 30",
    "stopPodSandbox one",
    "removeContainer main 0",
    "removePodSandbox one",
    "runPodSandbox one 0",
    "createContainer main 0",
    "startContainer main 0",
  ]);
  expect(runtime.left()).toHaveLength(2);
});

it("finds its pods again, and ends those that no manifest asks for any more", async () => {
  await write("one.yaml", pod("one"));
  await write("two.yaml", pod("two"));
  const first = watching();
  await first.until("one app:1 Running", "two app:1 Running");
  await first.end();
  await first.node.stop();
  await rm(join(folder, "two.yaml"));
  const { until, said, runtime } = watching(containerNode(first.runtime, first.clock));
  runtime.calls.length = 0;
  await until("one app:1 Running");
  expect(runtime.calls).toEqual([
    "stopContainer main 30",
    "stopPodSandbox two",
    "removeContainer main 0",
    "removePodSandbox two",
  ]);
  expect(said).toEqual(["removing what is left of the pod default/two, which no manifest asks for"]);
});
