/**
 * 100 000 pods in three clusters: how long a report takes, and its memory, which must stay below 400 MB. Once from lists in
 * files, once from API servers in this process, which share the processor with it.
 */
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type ObjectServer, startObjectServer } from "../src/cluster/testing/object-server.ts";
import { cache } from "./support/contest.ts";
import { interleaved, median } from "./support/measure.ts";
import { printResults } from "./support/table.ts";

const runs = 2;
const names = ["eu", "us", "asia"];
const podsOfEach = [34_000, 33_000, 33_000];
const podsOfWorkload = 10;
const podsOfNode = 50;
/** In MiB: 400 MB. */
const mostMemory = 400e6 / 1024 ** 2;
const mostSeconds = 60;

await mkdir(cache, { recursive: true });
const files = await Promise.all(
  names.map((name, at) => writeCluster(join(cache, `fleet-${name}.json`), podsOfEach[at] ?? 0)),
);

const kinds = {
  pods: { apiVersion: "v1", kind: "Pod", plural: "pods" },
  nodes: { apiVersion: "v1", kind: "Node", plural: "nodes" },
  replicaSets: { apiVersion: "apps/v1", kind: "ReplicaSet", plural: "replicasets" },
  deployments: { apiVersion: "apps/v1", kind: "Deployment", plural: "deployments" },
};
const servers = await Promise.all(names.map((name, at) => serveCluster(name, podsOfEach[at] ?? 0)));
const kubeconfig = join(cache, "fleet-kubeconfig.json");
await writeFile(kubeconfig, JSON.stringify(kubeconfigOf(servers)));

const report = [process.execPath, resolve("dist", "pulley.mjs"), "fleet", "report", "-o", "json"];
const contestants = [
  { name: "from files", command: () => [...report, ...files.flatMap((file) => ["--from", file])] },
  { name: "from API servers", command: () => [...report, "--kubeconfig", kubeconfig, "--all-contexts"] },
];
const results = await interleaved(contestants, runs);
for (const server of servers) await server.stop();
printResults(
  `Reporting on ${podsOfEach.reduce((sum, pods) => sum + pods, 0)} pods in ${names.length} clusters`,
  results,
);

for (const measured of results.values()) {
  const memory = median(measured.flatMap(({ memory: peak }) => peak ?? []));
  const seconds = median(measured.map(({ wall }) => wall));
  if (memory > mostMemory || seconds > mostSeconds) process.exitCode = 1;
}

async function serveCluster(name: string, pods: number): Promise<ObjectServer> {
  const server = await startObjectServer({ name, kinds: Object.values(kinds) });
  server.fill(kinds.pods, pods, podOf);
  server.fill(kinds.nodes, pods / podsOfNode, nodeOf);
  server.fill(kinds.replicaSets, pods / podsOfWorkload, replicaSetOf);
  return server;
}

function kubeconfigOf(clusters: readonly ObjectServer[]): object {
  return {
    clusters: clusters.map(({ context }) => ({ name: context.name, cluster: context.cluster })),
    users: clusters.map(({ context }) => ({ name: context.name, user: context.user })),
    contexts: clusters.map(({ context: { name } }) => ({ name, context: { cluster: name, user: name } })),
  };
}

async function writeCluster(file: string, pods: number): Promise<string> {
  const stream = createWriteStream(file);
  let first = true;
  const write = async (object: unknown) => {
    const text = JSON.stringify(object, null, 4);
    if (!stream.write(first ? text : `,\n${text}`)) await once(stream, "drain");
    first = false;
  };
  stream.write('{\n"apiVersion": "v1",\n"items": [\n');
  for (let number = 0; number < pods; number += 1) await write(podOf(number));
  for (let number = 0; number < pods / podsOfNode; number += 1) await write(nodeOf(number));
  for (let number = 0; number < pods / podsOfWorkload; number += 1) await write(replicaSetOf(number));
  stream.end('\n],\n"kind": "List"\n}\n');
  await once(stream, "close");
  return file;
}

function digestOf(number: number): string {
  return `sha256:${number.toString(16).padStart(64, "0")}`;
}

function imageOf(workload: number): string {
  const tag = workload % 20 === 0 ? "main" : `1.${workload % 30}.${workload % 7}`;
  return `registry-${workload % 12}.example.com/team-${workload % 40}/app-${workload}:${tag}`;
}

function metadataOf(workload: number, name: string) {
  const labels = { app: `app-${workload}`, "pod-template-hash": `${workload}` };
  return { name, namespace: `team-${workload % 40}`, uid: `${name}-0000-0000`, labels, resourceVersion: "1" };
}

function podOf(number: number) {
  const workload = Math.floor(number / podsOfWorkload);
  const image = imageOf(workload);
  const name = `app-${workload}-${workload}-${number}`;
  const waits = number % 500 === 0;
  const environment = Array.from({ length: 20 }, (_, at) => ({ name: `VARIABLE_${at}`, value: `the value of ${at}` }));
  const waiting = { reason: "ImagePullBackOff", message: `Back-off pulling image "${image}": ErrImagePull: not found` };
  const digest = digestOf(workload + (number % 1000 === 1 ? 1_000_000 : 0));
  const state = waits ? { waiting } : { running: { startedAt: "2026-11-01T00:00:00Z" } };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      ...metadataOf(workload, name),
      annotations: { "cni.projectcalico.org/podIP": `10.0.${number >> 8}.${number & 255}/32` },
      ownerReferences: [
        { apiVersion: "apps/v1", kind: "ReplicaSet", name: `app-${workload}-${workload}`, controller: true },
      ],
    },
    spec: {
      nodeName: `node-${Math.floor(number / podsOfNode)}`,
      containers: ["app", "proxy"].map((container) => ({
        name: container,
        image,
        imagePullPolicy: "IfNotPresent",
        env: environment,
      })),
      volumes: [{ name: "kube-api-access", projected: { sources: [{ serviceAccountToken: { path: "token" } }] } }],
    },
    status: {
      phase: "Running",
      conditions: [{ type: "Ready", status: waits ? "False" : "True", lastTransitionTime: "2026-11-01T00:00:00Z" }],
      containerStatuses: ["app", "proxy"].map((container) => ({
        name: container,
        image,
        imageID: waits ? "" : `${image.split(":")[0]}@${digest}`,
        state,
      })),
    },
  };
}

function nodeOf(number: number) {
  const images = Array.from({ length: 50 }, (_, at) => {
    const workload = number * (podsOfNode / podsOfWorkload) + at;
    const image = imageOf(workload);
    return { names: [`${image.split(":")[0]}@${digestOf(workload)}`, image], sizeBytes: 50_000_000 + at };
  });
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: `node-${number}` },
    status: { nodeInfo: { architecture: "amd64" }, images },
  };
}

function replicaSetOf(workload: number) {
  const owner = { apiVersion: "apps/v1", kind: "Deployment", name: `app-${workload}`, controller: true };
  return {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: { ...metadataOf(workload, `app-${workload}-${workload}`), ownerReferences: [owner] },
    spec: { template: { spec: { containers: [{ name: "app", image: imageOf(workload) }] } } },
  };
}
