/** What `pulley get`, `describe` and `logs` print, beside what kubectl prints of the same objects. */
import { execFile } from "node:child_process";
import { expect, it } from "vitest";
import { describePod } from "../../src/cli/describe-view.ts";
import { eventTable, growingColumns, podTable, type Table } from "../../src/cli/get-view.ts";
import { createEventList } from "../../src/daemon/api/events.ts";
import { testApi } from "../../src/daemon/api/testing/api.ts";
import { statusOf } from "../../src/daemon/api/testing/statuses.ts";
import { type EventObject, type PodObject, podObject } from "../../src/daemon/index.ts";
import { parseDigest } from "../../src/image/index.ts";
import { temporaryFolder } from "../../src/support/testing.ts";
import { pulley } from "../e2e/pulley.ts";
import { describeWith } from "../tools.ts";
import { kubeApi } from "./kube-api.ts";

const now = Date.now();
const [minute, hour, day] = [60_000, 3_600_000, 86_400_000];

const ended = { kind: "terminated", startedAt: now - 40 * minute, finishedAt: now - 31 * minute - 30_000 } as const;
const web = statusOf({
  name: "web",
  labels: { tier: "front", app: "web" },
  annotations: { "acme.io/owner": "shop" },
  phase: "Running",
  podIP: "10.1.0.4",
  hostIP: "10.0.0.1",
  createdAt: now - 5 * hour - 20 * minute - 30_000,
  conditions: [
    { type: "PodScheduled", status: "True" },
    { type: "Initialized", status: "True" },
    { type: "Ready", status: "False", reason: "ContainersNotReady" },
  ],
  containers: [
    {
      name: "setup",
      kind: "initContainer",
      image: "acme.io/setup:1",
      imageId: parseDigest(`sha256:${"1".repeat(64)}`),
      containerId: "containerd://1",
      state: { ...ended, exitCode: 0, reason: "Completed", message: "" },
      ready: true,
    },
    {
      name: "main",
      imageId: parseDigest(`sha256:${"2".repeat(64)}`),
      containerId: "containerd://2",
      state: { kind: "running", startedAt: now - 31 * minute },
      lastState: { ...ended, exitCode: 137, signal: 9, reason: "OOMKilled", message: "too much" },
      restartCount: 3,
      ready: true,
      started: true,
    },
    {
      name: "side",
      image: "acme.io/side",
      pullPolicy: "Always",
      state: { kind: "waiting", reason: "ImagePullBackOff", message: 'Back-off pulling image "acme.io/side"' },
    },
  ],
});

function happened(ago: number, count: number, over: number, reason: string, message: string): EventObject {
  const list = createEventList({ host: "node-1", most: 1 });
  const pod = { namespace: "default", name: "web", uid: web.pod.uid };
  const event = { type: "Normal", reason, message, pod, fieldPath: "spec.containers{main}" } as const;
  list.add({ ...event, time: now - ago });
  const [object] = list.list();
  if (object === undefined) throw new Error("no event");
  return count === 1 ? object : { ...object, count, firstTimestamp: timeOf(now - over) };
}

function timeOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

/** The last of them first, because kubectl sorts them by when they happened last. */
const events = [
  happened(2000 * day + day / 2, 1, 0, "A", "5y"),
  happened(500 * day + day / 2, 1, 0, "B", "500d"),
  happened(7 * day + 5.5 * hour, 1, 0, "C", "7d5h"),
  happened(2 * day + 4.5 * hour, 9, 700 * day, "D", "2d4h over 700d"),
  happened(47.5 * hour, 2, 3 * day + hour / 2, "E", "47h over 3d"),
  happened(7 * hour + 59.5 * minute, 1, 0, "F", "7h59m"),
  happened(5 * hour + 30_000, 1, 0, "G", "5h"),
  happened(179.5 * minute, 1, 0, "H", "179m"),
  happened(10.5 * minute, 4, 170.5 * minute, "I", "10m over 170m"),
];

function asKube(pod: PodObject): object {
  return { ...pod, apiVersion: "v1" };
}

function eventsAnswer(items: readonly EventObject[]): object {
  return {
    apiVersion: "v1",
    kind: "EventList",
    metadata: {},
    items: items.map((event) => ({ ...event, apiVersion: "v1" })),
  };
}

/** What an API server answers to those who print tables; kubectl lays out the columns. */
function tableAnswer<Item>(table: Table<Item>, items: readonly Item[], objects: readonly object[]): object {
  return {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata: {},
    columnDefinitions: table.titles.map((name) => ({ name, type: "string", format: "", description: "", priority: 0 })),
    rows: items.flatMap((item, at) => table.rows(item).map((cells) => ({ cells, object: objects[at] }))),
  };
}

function trimmed(text: string): string[] {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => line.trimEnd());
}

describeWith(["kubectl"], "beside kubectl", ({ kubectl }) => {
  function kube(
    address: string,
    ...args: readonly string[]
  ): Promise<{ status: number; stdout: string; stderr: string }> {
    const { PATH = "", TZ } = process.env;
    const env = { PATH, HOME: temporaryFolder(), ...(TZ !== undefined && { TZ }) };
    return new Promise((resolve) => {
      execFile(kubectl, ["--server", address, ...args], { env, timeout: 240_000 }, (error, stdout, stderr) => {
        resolve({ status: error === null ? 0 : 1, stdout, stderr });
      });
    });
  }

  it("describe says what kubectl says, line by line, and more", async () => {
    const pod = podObject(web, "node-1");
    const { address } = await kubeApi({
      objects: {
        "/api/v1/namespaces/default/pods/web": asKube(pod),
        "/api/v1/namespaces/default/events": eventsAnswer([...events].reverse()),
      },
    });
    const { stdout, stderr } = await kube(address, "describe", "pod/web");
    // What a node does not know of a pod, or what there is none of.
    const others = /^ *(Port|Host Port|Environment|Mounts|Volumes|QoS Class|Node-Selectors|Tolerations): /;
    const theirs = trimmed(stdout).filter((line) => !others.test(line));
    const all = describePod(pod, events, Date.now());
    // Below what kubectl says, what to type for a pull that fails.
    expect(all.slice(-2)).toEqual(["", "To look at each step of its pulls: pulley doctor pod/web -n default"]);
    const own = all.slice(0, -2);
    expect(
      own.filter((line) => !/^ {6}Message: +Back-off/.test(line)),
      stderr,
    ).toEqual(theirs);
    expect(own).toContain('      Message:      Back-off pulling image "acme.io/side"');
  });

  it("describe says so, as kubectl does, where nothing has happened", async () => {
    const pod = podObject(statusOf({ containers: [{}] }), "node-1");
    const { address } = await kubeApi({
      objects: {
        "/api/v1/namespaces/default/pods/web": asKube(pod),
        "/api/v1/namespaces/default/events": eventsAnswer([]),
      },
    });
    const { stdout } = await kube(address, "describe", "pod/web");
    for (const line of describePod(pod, [], Date.now())) {
      expect(trimmed(stdout).map((each) => each.replace(/ +/, " "))).toContain(line.replace(/ +/, " "));
    }
  });

  it.each([false, true])("get lays columns out as kubectl does, with namespaces: %s", async (namespaces) => {
    const pods = [web, statusOf({ name: "a-longer-name", namespace: "kube-system", containers: [{}, { name: "b" }] })];
    const objects = pods.map((status) => podObject(status, "node-1"));
    const options = { wide: false, namespaces: false, now };
    const table = podTable(options);
    const path = namespaces ? "/api/v1/pods" : "/api/v1/namespaces/default/pods";
    const { address } = await kubeApi({ objects: { [path]: tableAnswer(table, objects, objects.map(asKube)) } });
    const { stdout, stderr } = await kube(address, "get", "pods", ...(namespaces ? ["-A"] : []));
    const own = podTable({ ...options, namespaces });
    expect(growingColumns()([own.titles, ...objects.flatMap(own.rows)]), stderr).toEqual(trimmed(stdout));
    expect(trimmed(stdout)[1]).toMatch(/web +1\/2 +ImagePullBackOff +3 \(31m ago\) +5h20m$/);
  });

  it("get lays events out as kubectl does", async () => {
    const table = eventTable({ wide: true, namespaces: false, now });
    const path = "/api/v1/namespaces/default/events";
    const { address } = await kubeApi({ objects: { [path]: tableAnswer(table, events, events) } });
    const { stdout } = await kube(address, "get", "events");
    expect(growingColumns()([table.titles, ...events.flatMap(table.rows)])).toEqual(trimmed(stdout));
  });

  it("what is not there is told in kubectl's words", async () => {
    const empty = { kind: "Table", apiVersion: "meta.k8s.io/v1", metadata: {}, columnDefinitions: [], rows: [] };
    const { address } = await kubeApi({ objects: { "/api/v1/namespaces/default/pods": empty } });
    const { socket } = await testApi();
    for (const args of [
      ["get", "pods"],
      ["get", "pod/x"],
      ["describe", "pod/x"],
      ["get", "pod", "x"],
    ]) {
      const theirs = await kube(address, ...args);
      const own = await pulley([...args, "--socket", socket]);
      expect({ status: own.status, stdout: own.stdout, stderr: own.stderr }, args.join(" ")).toEqual(theirs);
    }
  });

  it("logs takes the container that kubectl takes, and says so in its words", async () => {
    const pod = podObject(web, "node-1");
    const { address } = await kubeApi({ objects: { "/api/v1/namespaces/default/pods/web": asKube(pod) }, log: "" });
    const { socket } = await testApi({ pods: [web] });
    const theirs = await kube(address, "logs", "pod/web");
    const own = await pulley(["logs", "pod/web", "--socket", socket]);
    expect(theirs.stderr).toMatch(/^Defaulted container "main" out of: main, side, setup \(init\)\n$/);
    expect(own.stderr.startsWith(theirs.stderr)).toBe(true);
  });
});
