import { describe, expect, it } from "vitest";
import { readPolicy } from "../../policy/language/read.ts";
import { fleetReport } from "../report.ts";
import { cluster, controller, digestOf, node, pod } from "../testing/objects.ts";
import type { Cluster } from "../types.ts";

const now = Date.parse("2026-11-29T12:00:00Z");
const pinned = `nginx@${digestOf("a")}`;

function itemsOf(clusters: readonly Cluster[], policyText?: string) {
  const policy = policyText === undefined ? undefined : readPolicy([{ file: "p.yaml", text: policyText }], "eu");
  expect(policy?.problems ?? []).toEqual([]);
  return fleetReport(clusters, { policy: policy?.policy, teams: [], incomplete: new Set(), now }).items;
}

const items = (...objects: readonly unknown[]) => itemsOf([cluster(objects)]);

describe("one tag with several digests", () => {
  const web = (name: string, digest: string, on = "n1") =>
    pod({ name, digest: digestOf(digest), node: on, owner: ["ReplicaSet", "web-5f"], hash: "5f" });

  it("is found once, worst across the replicas of one workload, and gone when all run the same", () => {
    const found = items(web("a", "a"), web("b", "b", "n2"), web("c", "a"));
    expect(found).toMatchObject([
      {
        kind: "mixed-digests",
        severity: "high",
        title: "nginx:1.25 runs as 2 different digests",
        workloads: [{ cluster: "eu", kind: "Deployment", namespace: "prod", name: "web" }],
        details: [
          `${digestOf("a")}: 2 containers of Deployment prod/web, on eu/n1`,
          `${digestOf("b")}: 1 container of Deployment prod/web, on eu/n2`,
        ],
      },
    ]);
    expect(items(web("a", "a"), web("b", "a", "n2"))).toEqual([]);
  });

  it("is found across clusters, however the image is written", () => {
    const one = pod({ name: "x", image: "docker.io/library/nginx:1.25", digest: digestOf("b") });
    const found = itemsOf([cluster([web("a", "a")]), cluster([one], "us")]);
    expect(found).toMatchObject([{ kind: "mixed-digests", severity: "medium", clusters: ["eu", "us"] }]);
  });

  it("may be the platforms of one image where each architecture has its own", () => {
    const both = [web("a", "a"), web("b", "b", "n2"), node("n1", [], "amd64"), node("n2", [], "arm64")];
    expect(items(...both)).toMatchObject([{ kind: "mixed-digests", severity: "low" }]);
    const also = web("c", "b", "n1");
    expect(items(...both, also)).toMatchObject([{ severity: "high" }]);
  });

  it("is no matter of pods that have ended, and of images that are pinned", () => {
    const ended = pod({ name: "z", digest: digestOf("b"), phase: "Succeeded" });
    expect(items(web("a", "a"), ended)).toEqual([]);
    const other = (name: string, letter: string) =>
      pod({ name, image: `nginx:1@${digestOf("c")}`, digest: digestOf(letter) });
    expect(items(other("a", "a"), other("b", "b"))).toEqual([]);
  });
});

describe("pods that cannot pull", () => {
  const failing = (name: string, message: string, since: string) =>
    pod({
      name,
      image: "ghcr.io/acme/web:2",
      owner: ["ReplicaSet", "web-5f"],
      hash: "5f",
      waiting: ["ImagePullBackOff", `Back-off pulling image "ghcr.io/acme/web:2"${message}`],
      since,
      secrets: ["ghcr"],
    });
  const denied =
    ": ErrImagePull: unexpected status from HEAD request to https://ghcr.io/v2/acme/web/manifests/2: 403 Forbidden";

  it("are found once for a workload and a cause, since the earliest, and gone when they run", () => {
    const found = items(failing("a", denied, "2026-11-29T11:00:00Z"), failing("b", denied, "2026-11-29T10:00:00Z"));
    expect(found).toMatchObject([
      {
        kind: "cannot-pull",
        severity: "critical",
        cause: "forbidden",
        title: "Deployment prod/web cannot pull ghcr.io/acme/web:2: the registry refuses this login",
        since: "2026-11-29T10:00:00.000Z",
        details: [
          "2 pods, a among them, on n1; no pod of the workload has this container running",
          "pull secrets: ghcr",
          `Back-off pulling image "ghcr.io/acme/web:2"${denied}`,
        ],
        command: "kubectl -n prod describe pod/a",
      },
    ]);
    const running = pod({ name: "a", image: "ghcr.io/acme/web:2", digest: digestOf("a") });
    expect(items(running)).toEqual([]);
  });

  it("are less bad where others of the workload run", () => {
    const old = pod({
      name: "old",
      image: "ghcr.io/acme/web:1",
      digest: digestOf("a"),
      owner: ["ReplicaSet", "web-4e"],
      hash: "4e",
    });
    expect(items(old, failing("a", denied, "2026-11-29T11:00:00Z"))).toMatchObject([{ severity: "high" }]);
  });

  it("are no pods that wait for something else", () => {
    expect(
      items(pod({ name: "a", waiting: ["CrashLoopBackOff", "back-off 5m0s restarting failed container"] })),
    ).toEqual([]);
  });

  it("name the image volume that fails, not the container that mounts it", () => {
    const more = { volumes: [{ name: "data", image: { reference: "acme/data:1", pullPolicy: "IfNotPresent" } }] };
    const found = items(
      pod({
        name: "a",
        more: { containers: [{ name: "app", image: "nginx:1.25" }], ...more },
        waiting: ["ErrImagePull", 'failed to pull "acme/data:1": not found'],
      }),
    );
    expect(found).toMatchObject([{ kind: "cannot-pull", image: "acme/data:1", cause: "missing" }]);
  });

  it("have commands that a shell takes as they are meant", () => {
    const [found] = items(pod({ name: "$(reboot)", namespace: "a'b", waiting: ["ErrImagePull", ""] }));
    expect(found?.command).toBe(`kubectl -n 'a'\\''b' describe 'pod/$(reboot)'`);
  });
});

describe("pull policies", () => {
  it("are needless for what is pinned, and gone with IfNotPresent", () => {
    expect(items(pod({ name: "a", image: pinned, policy: "Always" }))).toMatchObject([
      {
        kind: "always-needless",
        severity: "low",
        details: [
          "container app, 1 pod",
          "Always is in the manifest, or admission set it: Kubernetes' default is IfNotPresent (a digest without a tag)",
        ],
      },
    ]);
    expect(items(pod({ name: "a", image: pinned }))).toEqual([]);
  });

  it("are missing for what moves, and gone with Always, a digest or another tag", () => {
    const found = items(pod({ name: "a", image: "acme/web" }));
    expect(found).toMatchObject([
      { kind: "always-missing", severity: "medium", title: "Pod prod/a has the moving tag latest with IfNotPresent" },
    ]);
    expect(items(pod({ name: "a", image: "acme/web:main", policy: "Never" }))).toMatchObject([
      { kind: "always-missing" },
    ]);
    for (const solved of [
      { policy: "Always" },
      { image: "acme/web:1.2" },
      { image: `acme/web:main@${digestOf("a")}` },
    ]) {
      expect(items(pod({ name: "a", image: "acme/web:main", ...solved }))).toEqual([]);
    }
  });

  it("are told once for a workload, however many pods it has, and of its template where it has none", () => {
    const web = (name: string) => pod({ name, image: "acme/web:main", owner: ["StatefulSet", "web"] });
    expect(items(web("a"), web("b"), controller("StatefulSet", "web", { image: "acme/web:main" }))).toHaveLength(1);
    expect(items(controller("CronJob", "n", { image: "acme/web:main" }))).toMatchObject([
      {
        kind: "always-missing",
        workloads: [{ kind: "CronJob", name: "n" }],
        details: ["container app, no pod now", expect.anything()],
      },
    ]);
  });

  it("are those that a rule makes of them", () => {
    const policy = `apiVersion: pulley.dev/v1alpha1
kind: ImagePullPolicy
metadata: { name: fleet }
spec:
  rules:
  - name: fresh
    match: { clusters: [eu] }
    pull: { policy: Always }
`;
    expect(itemsOf([cluster([pod({ name: "a", image: "acme/web:main" })])], policy)).toEqual([]);
    expect(itemsOf([cluster([pod({ name: "a", image: "acme/web:main" })], "us")], policy)).toHaveLength(1);
    const found = itemsOf([cluster([pod({ name: "a", image: pinned })])], policy);
    expect(found).toMatchObject([
      {
        kind: "always-needless",
        details: [expect.anything(), expect.stringContaining("fleet/fresh says so; the object has IfNotPresent")],
      },
    ]);
  });
});

describe("images on nodes", () => {
  const old = ["docker.io/library/redis:6", `docker.io/library/redis@${digestOf("d")}`] as const;

  it("are unused where no pod there has them, by tag or digest; once for a cluster, with all bytes", () => {
    const used = [100, "docker.io/library/nginx:1.25"] as const;
    const nodes = [node("n1", [[2_000_000, ...old], used]), node("n2", [[2_000_000, ...old]])];
    expect(items(pod({ name: "a" }), ...nodes)).toMatchObject([
      { kind: "unused-image", bytes: 4_000_000, image: "docker.io/library/redis:6", details: ["on n1, n2"] },
    ]);
    const byDigest = ["n1", "n2"].map((on) =>
      pod({ name: `r-${on}`, image: "redis:moved", digest: digestOf("d"), node: on }),
    );
    expect(items(pod({ name: "a" }), ...byDigest, ...nodes)).toEqual([]);
  });

  it("are used by pods that have ended, and by sandboxes; without pods nobody can say", () => {
    const done = pod({ name: "a", image: "redis:6", phase: "Succeeded" });
    expect(
      items(
        done,
        node("n1", [
          [5, ...old],
          [5, "registry.k8s.io/pause:3.10"],
        ]),
      ),
    ).toEqual([]);
    expect(items(node("n1", [[5, ...old]]))).toEqual([]);
  });
});

describe("exemptions", () => {
  const policy = (expires: string, image = "acme/*") => `apiVersion: pulley.dev/v1alpha1
kind: ImagePullPolicy
metadata: { name: fleet }
spec:
  rules:
  - { name: no-tags, require: { digest: true } }
  exemptions:
  - rules: [no-tags]
    match: { images: ["docker.io/${image}"] }
    owner: shop
    reason: being migrated
    expires: ${expires}
`;
  const uses = [cluster([pod({ name: "a", image: "acme/web:1" })])];

  it.each([
    ["2026-11-01", "exemption-expired", "medium", /expired at 2026-11-01/],
    ["2026-12-05", "exemption-expiring", "medium", /lifts no-tags from 1 workload and expires in 6d/],
    ["2027-06-01", "exemption-used", "low", /lifts no-tags from 1 workload until 2027-06-01/],
  ])("that end at %s are %s", (expires, kind, severity, title) => {
    expect(itemsOf(uses, policy(expires))).toMatchObject([{ kind, severity, title: expect.stringMatching(title) }]);
  });

  it("that nothing needs are unused", () => {
    expect(itemsOf(uses, policy("2027-06-01", "other/*"))).toMatchObject([{ kind: "exemption-unused", workloads: [] }]);
  });
});

describe("identity", () => {
  it("stays as long as it is about the same thing, and is of one item alone", () => {
    const objects = [
      pod({ name: "a", image: pinned, policy: "Always" }),
      pod({ name: "b", image: "acme/web:main" }),
      pod({ name: "c", waiting: ["ErrImagePull", "x: not found"] }),
      node("n1", [[5, "redis:6"]]),
    ];
    const [once, again] = [items(...objects), items(...objects.toReversed())];
    const ids = once.map(({ id }) => id);
    expect(ids).toEqual(again.map(({ id }) => id));
    expect(new Set(ids).size).toBe(4);
    expect(once.map(({ severity }) => severity)).toEqual(["critical", "medium", "low", "low"]);
  });
});
