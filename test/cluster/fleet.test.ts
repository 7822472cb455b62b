/** The report on a fleet: everything that there is to do is found once, and is gone when it is done. */
import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callPulley } from "../../src/cli/testing/call.ts";
import { workloadKinds } from "../../src/cluster/kinds.ts";
import { itemKinds } from "../../src/fleet/items/item.ts";
import { digestOf, listText } from "../../src/fleet/testing/objects.ts";
import { recordsAt } from "../../src/support/json-record.ts";
import { temporaryFolder } from "../../src/support/testing.ts";
import { type TagRegistry, tagRegistry } from "../../src/versions/testing/tag-registry.ts";
import { apiServerTools, type KubeApiServer, startApiServer } from "../kube-api-server.ts";
import { describeWith } from "../tools.ts";

type ClusterName = "eu" | "us";

interface Pod {
  readonly kind: "Pod";
  readonly cluster: ClusterName;
  readonly name: string;
  readonly namespace?: string;
  readonly image: string;
  /** Of the image that runs; none: it waits, and the registry refuses it. */
  readonly digest?: string;
  readonly policy?: string;
}

interface Node {
  readonly kind: "Node";
  readonly cluster: ClusterName;
  readonly name: string;
  readonly images: readonly string[];
}

/** Clusters that a test writes, and what a report reads them by. */
interface Ground {
  /** Creates the object, or puts it in the place of the one that has its name. */
  put(object: Pod | Node): Promise<void>;
  words(): Promise<readonly string[]>;
  /** Others that say the same. */
  otherWords?(): Promise<readonly string[]>;
}

const namespaces = ["prod", "soon", "used"];

function pathOf({ kind, ...object }: Pod | Node): string {
  if (kind === "Node") return "/api/v1/nodes";
  return `/api/v1/namespaces/${"namespace" in object ? (object.namespace ?? "prod") : "prod"}/pods`;
}

/** As a controller would create it, without its status. */
function specOf(object: Pod | Node) {
  const { kind, name } = object;
  const apiVersion = "v1";
  if (object.kind === "Node") return { apiVersion, kind, metadata: { name } };
  const { namespace = "prod", image, policy = "IfNotPresent" } = object;
  const owner = { apiVersion: "apps/v1", kind: "ReplicaSet", name: `${name}-5f`, uid: randomUUID(), controller: true };
  return {
    apiVersion,
    kind,
    metadata: { name: `${name}-5f-x`, namespace, labels: { "pod-template-hash": "5f" }, ownerReferences: [owner] },
    spec: { nodeName: "n1", containers: [{ name: "app", image, imagePullPolicy: policy }] },
  };
}

/** As a kubelet would report it. */
function statusOf(object: Pod | Node) {
  if (object.kind === "Node") {
    const images = object.images.map((name) => ({ names: [name], sizeBytes: 5_000_000 }));
    return { nodeInfo: { architecture: "amd64" }, images };
  }
  const { image, digest } = object;
  const message = `failed to resolve reference "${image}": unexpected status: 403 Forbidden`;
  const state = digest === undefined ? { waiting: { reason: "ErrImagePull", message } } : { running: {} };
  const imageID = digest === undefined ? "" : `docker.io/library/any@${digest}`;
  return {
    phase: digest === undefined ? "Pending" : "Running",
    conditions: [{ type: "Ready", status: digest === undefined ? "False" : "True" }],
    containerStatuses: [{ name: "app", image, imageID, ready: digest !== undefined, restartCount: 0, state }],
  };
}

/** Lists in files, as kubectl prints them. */
function files(): Ground {
  const folder = temporaryFolder();
  const objects = new Map<string, Pod | Node>();
  return {
    put: async (object) => {
      objects.set(`${object.cluster} ${object.kind} ${object.name}`, object);
    },
    words: async () =>
      ["eu", "us"].flatMap((name) => {
        const own = [...objects.values()].filter(({ cluster }) => cluster === name);
        const file = join(folder, `${name}.json`);
        writeFileSync(file, listText(own.map((object) => ({ ...specOf(object), status: statusOf(object) }))));
        return ["--from", file];
      }),
  };
}

type Servers = Readonly<Record<ClusterName, KubeApiServer>>;

/** API servers, by the contexts of a kubeconfig. */
function contexts(servers: Servers): Ground {
  const file = join(temporaryFolder(), "kubeconfig");
  const entries = Object.entries(servers);
  const config = {
    contexts: entries.map(([name]) => ({ name, context: { cluster: name, user: name } })),
    clusters: entries.map(([name, { url, authority }]) => ({
      name,
      cluster: { server: url, "certificate-authority": authority },
    })),
    users: entries.map(([name, { token }]) => ({ name, user: { token } })),
  };
  writeFileSync(file, JSON.stringify(config));
  const known = new Set<string>();
  return {
    async put(object) {
      const { send } = servers[object.cluster];
      const spec = specOf(object);
      const path = `${pathOf(object)}/${spec.metadata.name}`;
      const isNew = !known.has(`${object.cluster} ${path}`);
      if (!isNew && object.kind === "Pod") await send("DELETE", `${path}?gracePeriodSeconds=0`);
      if (isNew || object.kind === "Pod") await send("POST", pathOf(object), spec);
      known.add(`${object.cluster} ${path}`);
      await send("PATCH", `${path}/status`, { status: statusOf(object) });
    },
    words: async () => ["--kubeconfig", file, "--context", "eu", "--context", "us"],
    otherWords: async () => (await Promise.all(entries.map(([name, { send }]) => listed(name, send)))).flat(),
  };
}

/** What `kubectl get …,… -A -o json` prints of a cluster. */
async function listed(name: string, send: KubeApiServer["send"]): Promise<readonly string[]> {
  const kinds = [...workloadKinds, { apiVersion: "v1", kind: "Node", plural: "nodes" }];
  const lists = kinds.map(async ({ apiVersion, kind, plural }) => {
    const list = await send("GET", `/${apiVersion === "v1" ? "api" : "apis"}/${apiVersion}/${plural}`);
    return recordsAt(list, "items").map((item) => ({ apiVersion, kind, ...item }));
  });
  const file = join(temporaryFolder(), `${name}.json`);
  writeFileSync(file, listText((await Promise.all(lists)).flat()));
  return ["--from", file];
}

/** One after another: each is of a kind of its own, which is the only one that is gone when it is done. */
interface Task {
  readonly kind: (typeof itemKinds)[number];
  readonly before: readonly (Pod | Node)[];
  readonly after: readonly (Pod | Node)[];
}

const repositories = {
  app: { "1.0": {}, main: {} },
  moved: { "1.0": { platforms: ["linux/amd64", "linux/arm64"] } },
  mixed: { "1.0": {} },
  lost: { "1.0": {} },
  behind: { "1.0.0": {}, "1.0.1": {} },
};

function tasksWith(registry: TagRegistry): readonly Task[] {
  const { digestOf: now, host } = registry;
  const old = digestOf("a");
  const app = { image: `${host}/app:1.0`, digest: now("app", "1.0") };
  const pod = (name: string, words: Omit<Pod, "kind" | "name" | "cluster">, cluster: ClusterName = "eu"): Pod => ({
    kind: "Pod",
    name,
    cluster,
    ...words,
  });
  const node = (...images: readonly string[]): Node => ({ kind: "Node", cluster: "eu", name: "n1", images });
  const [moved, mixed] = [`${host}/moved:1.0`, `${host}/mixed:1.0`];
  const main = { image: `${host}/app:main`, digest: now("app", "main") };
  const pinned = { image: `${host}/app@${app.digest}`, digest: app.digest };
  return [
    { kind: "cannot-pull", before: [pod("pull", { image: app.image })], after: [pod("pull", app)] },
    {
      kind: "last-copy",
      before: [pod("lost", { image: `${host}/lost:0.9`, digest: old })],
      after: [pod("lost", app)],
    },
    {
      kind: "mixed-digests",
      before: [
        pod("mixed", { image: mixed, digest: now("mixed", "1.0") }),
        pod("mixed", { image: mixed, digest: old }, "us"),
      ],
      after: [pod("mixed", { image: mixed, digest: now("mixed", "1.0") }, "us")],
    },
    {
      kind: "tag-moved",
      before: [pod("moved", { image: moved, digest: old }), pod("moved", { image: moved, digest: old }, "us")],
      // One runtime says the digest of the index, another one that of the platform.
      after: [
        pod("moved", { image: moved, digest: now("moved", "1.0") }),
        pod("moved", { image: moved, digest: now("moved", "1.0", "linux/arm64") }, "us"),
      ],
    },
    { kind: "always-missing", before: [pod("main", main)], after: [pod("main", { ...main, policy: "Always" })] },
    {
      kind: "always-needless",
      before: [pod("pinned", { ...pinned, policy: "Always" })],
      after: [pod("pinned", pinned)],
    },
    { kind: "exemption-expired", before: [], after: [] },
    { kind: "exemption-expiring", before: [pod("soon", { ...app, namespace: "soon" })], after: [] },
    { kind: "exemption-unused", before: [], after: [] },
    { kind: "exemption-used", before: [pod("used", { ...app, namespace: "used" })], after: [] },
    { kind: "unused-image", before: [node("docker.io/library/redis:6")], after: [node()] },
    {
      kind: "outdated",
      before: [pod("behind", { image: `${host}/behind:1.0.0`, digest: now("behind", "1.0.0") })],
      after: [pod("behind", { image: `${host}/behind:1.0.1`, digest: now("behind", "1.0.1") })],
    },
  ];
}

const exemptions = {
  "exemption-expired": { namespace: "none", expires: "2026-11-01" },
  "exemption-expiring": { namespace: "soon", expires: "2026-12-05" },
  "exemption-unused": { namespace: "none", expires: "2027-06-01" },
  "exemption-used": { namespace: "used", expires: "2027-06-01" },
};

/** One that has the exemptions of these kinds. */
function policyWith(open: ReadonlySet<string>): string {
  const own = Object.entries(exemptions).filter(([kind]) => open.has(kind));
  const document = {
    apiVersion: "pulley.dev/v1alpha1",
    kind: "ImagePullPolicy",
    metadata: { name: "fleet" },
    spec: {
      rules: [{ name: "no-tags", require: { digest: true } }],
      ...(own.length > 0 && {
        exemptions: own.map(([kind, { namespace, expires }]) => ({
          rules: ["no-tags"],
          match: { namespaces: [namespace] },
          owner: "shop",
          reason: kind,
          expires,
        })),
      }),
    },
  };
  return JSON.stringify(document);
}

interface FoundItem {
  readonly id: string;
  readonly kind: string;
  readonly clusters: readonly string[];
  readonly command: string | null;
}

/** A list does not know the context that it is from. */
function withoutContext(items: readonly FoundItem[]): readonly FoundItem[] {
  return items.map((item) => ({
    ...item,
    command: item.command?.replace(/--kubeconfig \S+ --context \S+ /, "") ?? null,
  }));
}

/** What a report with the exemptions of these kinds finds. */
async function itemsOf(
  words: readonly string[],
  folder: string,
  open: ReadonlySet<string>,
): Promise<readonly FoundItem[]> {
  const policy = join(folder, "policy.yaml");
  writeFileSync(policy, policyWith(open));
  const call = ["fleet", "report", "--check", "--policy", policy, "--at", "2026-11-29T12:00:00Z", "-o", "json"];
  const environment = { HOME: folder, PATH: "", XDG_CACHE_HOME: folder };
  const { stdout, stderr, status } = await callPulley([...call, ...words], environment);
  expect([stderr.replace(/^warning: us: there is no node.*\n/, ""), status]).toEqual(["", 0]);
  return JSON.parse(stdout).items;
}

/** @returns the kinds that nothing has solved */
async function unsolvedOn(ground: Ground): Promise<ReadonlySet<string>> {
  const folder = temporaryFolder();
  const tasks = tasksWith(await tagRegistry(repositories));
  for (const { before } of tasks) for (const object of before) await ground.put(object);
  const open = new Set<string>(itemKinds);
  const first = await itemsOf(await ground.words(), folder, open);
  expect(first.map(({ kind }) => kind).toSorted()).toEqual([...open].toSorted());
  expect(first.find(({ kind }) => kind === "tag-moved")).toMatchObject({ clusters: ["eu", "us"] });
  const others = await ground.otherWords?.();
  if (others !== undefined) expect(await itemsOf(others, folder, open)).toEqual(withoutContext(first));
  for (const { kind, after } of tasks) {
    for (const object of after) await ground.put(object);
    open.delete(kind);
    const left = await itemsOf(await ground.words(), folder, open);
    expect([kind, left.map((item) => item.id).toSorted()]).toEqual([
      kind,
      first.flatMap((item) => (open.has(item.kind) ? item.id : [])).toSorted(),
    ]);
  }
  return open;
}

describe("lists in files", () => {
  it("have every kind of item found once, and gone when it is solved", async () => {
    expect(await unsolvedOn(files())).toEqual(new Set());
  });
});

describeWith(apiServerTools, "two real API servers", () => {
  let servers: Servers;

  beforeAll(async () => {
    const [eu, us] = await Promise.all([startApiServer(), startApiServer()]);
    servers = { eu, us };
    for (const { send } of [eu, us]) {
      for (const name of namespaces) await send("POST", "/api/v1/namespaces", { metadata: { name } });
    }
  });
  afterAll(() => Promise.all(Object.values(servers ?? {}).map((server) => server.stop())));

  it("have every kind of item found once, and gone when it is solved", async () => {
    expect(await unsolvedOn(contexts(servers))).toEqual(new Set());
  });
});
