import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { answerPage, refuse, type StandIn, startStandIn } from "../cluster/testing/api-server.ts";
import { type TagRegistry, tagRegistry } from "../versions/testing/tag-registry.ts";
import { callPulley } from "./testing/call.ts";

let folder = "";
let registry: TagRegistry;
const servers: StandIn[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "pulley-outdated-clusters-"));
  registry = await tagRegistry({ app: { "1.0.0": {}, "2.0.0": {} }, still: { "3.1": {} } });
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

type Objects = Readonly<Record<string, readonly object[]>>;

/** Objects by the path of their list; what is no list is an object of its own. */
async function cluster(objects: Objects): Promise<StandIn> {
  const server = await startStandIn((_request, response, url) => {
    if (url.pathname === "/api/v1/pods" && objects["forbidden"]) {
      return refuse(response, 403, { message: "pods is forbidden" });
    }
    const found = objects[url.pathname];
    if (found === undefined) return refuse(response, 404, { reason: "NotFound" });
    if (url.searchParams.has("limit")) return answerPage(response, found, url);
    response.end(JSON.stringify(found[0]));
  });
  servers.push(server);
  return server;
}

function kubeconfig(contexts: Readonly<Record<string, StandIn>>): string {
  const entries = Object.entries(contexts);
  const file = join(folder, "kubeconfig");
  const config = {
    contexts: entries.map(([name]) => ({ name, context: { cluster: name } })),
    clusters: entries.map(([name, { url }]) => ({ name, cluster: { server: url } })),
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
}

async function outdated(file: string, ...words: readonly string[]) {
  const environment = { XDG_CACHE_HOME: join(folder, "cache"), PATH: "", KUBECONFIG: file, HOME: folder };
  const ended = await callPulley(["outdated", ...words], environment);
  const told = (text: string) => text.replaceAll(registry.host, "HOST").replaceAll(folder, "");
  return { ...ended, stdout: told(ended.stdout), stderr: told(ended.stderr) };
}

const spec = (image: string) => ({ containers: [{ name: "main", image: `${registry.host}/${image}` }] });
const template = (image: string) => ({ metadata: { labels: { app: "x" } }, spec: spec(image) });
const controlledBy = (kind: string, apiVersion = "apps/v1", uid = "1") => ({
  ownerReferences: [{ apiVersion, kind, name: "web", uid, controller: true }],
});

function deployment(name: string, image: string) {
  const selector = { matchLabels: { app: "x" } };
  return { metadata: { namespace: "prod", name }, spec: { replicas: 0, selector, template: template(image) } };
}

interface PodFields {
  readonly image: string;
  readonly digest?: string;
  readonly startTime?: string;
  readonly owner?: object;
}

function pod(name: string, { image, digest, startTime = "2026-01-01T00:00:00Z", owner = {} }: PodFields) {
  const imageID = `${registry.host}/x@${digest}`;
  return {
    metadata: { namespace: "prod", name, ...owner },
    spec: spec(image),
    status: { startTime, containerStatuses: digest === undefined ? [] : [{ name: "main", imageID }] },
  };
}

const lists = {
  "/apis/apps/v1/deployments": "Deployment",
  "/apis/apps/v1/statefulsets": "StatefulSet",
  "/apis/apps/v1/daemonsets": "DaemonSet",
  "/apis/apps/v1/replicasets": "ReplicaSet",
  "/api/v1/replicationcontrollers": "ReplicationController",
};

describe("what runs in clusters", () => {
  it("is each owner at the top, once, with its context", async () => {
    const one = await cluster({
      "/apis/apps/v1/deployments": [deployment("web", "app:1.0.0")],
      "/apis/apps/v1/replicasets": [
        {
          metadata: { namespace: "prod", name: "web-1", ...controlledBy("Deployment") },
          spec: { template: template("app:1.0.0") },
        },
      ],
      "/apis/batch/v1/cronjobs": [
        {
          metadata: { namespace: "prod", name: "nightly" },
          spec: {
            schedule: "0 0 * * *",
            jobTemplate: { spec: { template: { spec: { ...spec("app:1.0.0"), restartPolicy: "Never" } } } },
          },
        },
      ],
      "/apis/batch/v1/jobs": [
        {
          metadata: { namespace: "prod", name: "nightly-1", ...controlledBy("CronJob", "batch/v1") },
          spec: { template: template("app:1.0.0") },
        },
      ],
      "/api/v1/pods": [
        pod("web-1-a", { image: "app:1.0.0", owner: controlledBy("ReplicaSet") }),
        pod("alone", { image: "app:1.0.0" }),
        pod("static", { image: "app:1.0.0", owner: controlledBy("Node", "v1") }),
        pod("rollout-1", { image: "app:1.0.0", owner: controlledBy("Rollout", "argoproj.io/v1", "r") }),
        pod("rollout-2", { image: "app:1.0.0", owner: controlledBy("Rollout", "argoproj.io/v1", "r") }),
      ],
    });
    const { stdout, stderr, status } = await outdated(kubeconfig({ one }), "--context", "one", "-o", "json");
    expect(stderr).toBe("");
    const { images } = JSON.parse(stdout);
    expect(images).toHaveLength(1);
    expect(images[0]).toMatchObject({ status: "outdated", latest: "2.0.0", places: [] });
    const users: { kind: string; name: string; cluster: string; source: unknown }[] = images[0].workloads;
    expect(users.map(({ kind, name, cluster: context, source }) => [kind, name, context, source])).toEqual([
      ["Deployment", "web", "one", null],
      ["CronJob", "nightly", "one", null],
      ["Pod", "alone", "one", null],
      ["Pod", "static", "one", null],
      ["Pod", "rollout-1", "one", null],
    ]);
    expect(status).toBe(0);
    const table = await outdated(kubeconfig({ one }), "--kubeconfig", join(folder, "kubeconfig"), "--context", "one");
    expect(table.stdout).toContain("Deployment prod/web (one) and 4 more");
  });

  it("is every kind of workload", async () => {
    const objects = Object.entries(lists).map(([path, kind]) => [path, [deployment(kind.toLowerCase(), "app:1.0.0")]]);
    const one = await cluster(Object.fromEntries(objects));
    const { stdout } = await outdated(kubeconfig({ one }), "--all-contexts", "-o", "json");
    const users: { kind: string }[] = JSON.parse(stdout).images[0].workloads;
    expect(users.map(({ kind }) => kind)).toEqual(Object.values(lists));
  });

  it("says what runs under a tag that has moved: the digest of the pod that is the oldest", async () => {
    const now = `sha256:${"b".repeat(64)}`;
    const old = `sha256:${"a".repeat(64)}`;
    const one = await cluster({
      "/api/v1/pods": [
        pod("new", { image: "still:3.1", digest: now, startTime: "2026-02-01T00:00:00Z" }),
        pod("old", { image: "still:3.1", digest: old }),
        pod("without", { image: "still:3.1" }),
      ],
    });
    const { stdout } = await outdated(kubeconfig({ one }), "--context", "one", "-o", "json");
    expect(JSON.parse(stdout).images).toMatchObject([{ status: "moved", lag: { tag: "3.1", runs: old } }]);
  });

  it("is told of the clusters that can be read where one cannot, and the status is 3", async () => {
    const one = await cluster({ "/apis/apps/v1/deployments": [deployment("web", "app:1.0.0")] });
    const job = { ...spec("app:1.0.0"), restartPolicy: "Never" };
    const other = await cluster({
      forbidden: [],
      "/apis/batch/v1/jobs": [{ metadata: { namespace: "prod", name: "once" }, spec: { template: { spec: job } } }],
    });
    const gone = await cluster({});
    await gone.stop();
    servers.pop();
    const file = kubeconfig({ gone, other, one });
    const { stdout, stderr, status } = await outdated(file, "--all-contexts", "--fail-on", "major");
    expect(stderr).toContain('context "gone": GET');
    expect(stderr).toContain("connection refused");
    // What is forbidden of a cluster keeps nothing else of it from being read.
    expect(stdout).toContain("Job prod/once (other) and 1 more");
    expect(stderr).toMatch(/context "other": GET .*\/api\/v1\/pods: 403 Forbidden: pods is forbidden/);
    expect(status).toBe(3);
  });
});

describe("the call", () => {
  it("names contexts that exist, with one of the two options", async () => {
    const file = kubeconfig({ production: await cluster({}) });
    const wrong = await outdated(file, "--context", "prodution");
    expect(wrong.stderr).toContain('context "prodution" does not exist; did you mean production?');
    expect(wrong.status).toBe(2);
    const both = await outdated(file, "--context", "production", "--all-contexts");
    expect(both.stderr).toContain("--context and --all-contexts cannot be used together");
  });

  it("may name namespaces, which then are all that is read", async () => {
    const one = await cluster({ "/apis/apps/v1/namespaces/prod/deployments": [deployment("web", "app:1.0.0")] });
    const { stdout } = await outdated(kubeconfig({ one }), "--context", "one", "-n", "prod", "-n", "test");
    expect(stdout).toContain("Deployment prod/web (one)");
    expect(one.asked).toHaveLength(16);
    expect(one.asked.every((path) => /\/namespaces\/(prod|test)\//.test(path))).toBe(true);
    const without = await outdated(kubeconfig({ one }), "-n", "prod");
    expect(without).toMatchObject({ status: 2, stderr: expect.stringContaining("without a cluster") });
  });

  it("reads no Secret without --secrets, and with it by name alone", async () => {
    const owned = { ...deployment("web", "app:1.0.0") };
    const withSecret = { ...spec("app:1.0.0"), imagePullSecrets: [{ name: "pull" }], serviceAccountName: "robot" };
    const login = Buffer.from(JSON.stringify({ auths: { [registry.host]: { username: "u", password: "p" } } }));
    const one = await cluster({
      "/apis/apps/v1/deployments": [
        { ...owned, spec: { ...owned.spec, template: { spec: withSecret, metadata: { labels: { app: "x" } } } } },
      ],
      "/api/v1/namespaces/prod/serviceaccounts/robot": [{ metadata: {}, imagePullSecrets: [{ name: "more" }] }],
      "/api/v1/namespaces/prod/secrets/pull": [
        {
          metadata: {},
          type: "kubernetes.io/dockerconfigjson",
          data: { ".dockerconfigjson": login.toString("base64") },
        },
      ],
    });
    const secrets = () => one.asked.filter((path) => /secrets|serviceaccounts/.test(path));
    expect((await outdated(kubeconfig({ one }), "--context", "one")).status).toBe(0);
    expect(secrets()).toEqual([]);
    expect((await outdated(kubeconfig({ one }), "--context", "one", "--secrets")).status).toBe(0);
    expect(secrets()).toEqual([
      "/api/v1/namespaces/prod/serviceaccounts/robot",
      "/api/v1/namespaces/prod/secrets/pull",
      "/api/v1/namespaces/prod/secrets/more",
    ]);
  });
});
