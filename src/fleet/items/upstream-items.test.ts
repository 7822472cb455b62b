import { describe, expect, it } from "vitest";
import { type Digest, parseDigest } from "../../image/index.ts";
import { fleetReport } from "../report.ts";
import { cluster, controller, digestOf, node, pod } from "../testing/objects.ts";
import type { Cluster } from "../types.ts";
import type { AskedRegistry, FleetUpstream, UpstreamImage } from "../upstream/answers.ts";

const now = Date.parse("2026-11-29T12:00:00Z");
const digest = (letter: string) => parseDigest(digestOf(letter));

interface Answer {
  /** What the tag has now, and which of those that run belong to it. */
  readonly now?: string;
  readonly current?: readonly string[];
  /** Digests that the registry does not have. */
  readonly lost?: readonly string[];
  readonly gone?: UpstreamImage["gone"];
  readonly versions?: Partial<UpstreamImage["answer"]>;
  readonly unasked?: true;
}

function imageOf({ now: tag, current = [], lost = [], gone = null, versions = {}, unasked }: Answer): UpstreamImage {
  const digests = (letters: readonly string[]): ReadonlySet<Digest> => new Set(letters.map(digest));
  return {
    gone,
    copies: unasked
      ? undefined
      : { now: tag === undefined ? undefined : digest(tag), current: digests(current), gone: digests(lost) },
    answer: {
      image: { given: "", name: null, tag: null, digest: null },
      status: "unknown",
      current: null,
      patch: null,
      minor: null,
      latest: null,
      distance: "unknown",
      lag: null,
      because: "",
      error: null,
      gone,
      elsewhere: null,
      created: null,
      endOfLife: null,
      platforms: [],
      workloads: [],
      places: [],
      ...versions,
    },
  };
}

function reportOf(
  clusters: readonly Cluster[],
  answers: Readonly<Record<string, Answer>>,
  registries: readonly AskedRegistry[] = [],
) {
  const images = new Map(Object.entries(answers).map(([image, answer]) => [image, imageOf(answer)]));
  const upstream: FleetUpstream = { images, registries };
  return fleetReport(clusters, { policy: undefined, teams: [], upstream, incomplete: new Set(), now });
}

const nginx = "docker.io/library/nginx:1.25";
const web = (name: string, letter: string, more: object = {}) =>
  pod({ name, digest: digestOf(letter), owner: ["ReplicaSet", "web-5f"], hash: "5f", ...more });

describe("a tag that has moved", () => {
  const items = (answer: Answer, ...objects: readonly unknown[]) =>
    reportOf([cluster(objects)], { [nginx]: answer }).items;

  it("is told once, with who runs the older copy and where, and is gone when all run what the tag has", () => {
    const old = [web("a", "a"), web("b", "a", { node: "n2" })];
    expect(items({ now: "b" }, ...old)).toMatchObject([
      {
        kind: "tag-moved",
        severity: "medium",
        title: "nginx:1.25 has moved: 2 containers run an older copy",
        clusters: ["eu"],
        workloads: [{ cluster: "eu", kind: "Deployment", namespace: "prod", name: "web" }],
        details: [
          `the tag has ${digestOf("b")} now`,
          `${digestOf("a")}, older than the tag: 2 containers of Deployment prod/web, on eu/n1, eu/n2`,
          "IfNotPresent: Deployment prod/web",
        ],
        command: "pulley explain --check nginx:1.25",
      },
    ]);
    expect(items({ now: "b", current: ["b"] }, web("a", "b"), web("b", "b"))).toEqual([]);
  });

  it("is none where the digest is that of a platform of what the tag has, or where nobody has told", () => {
    expect(items({ now: "b", current: ["a"] }, web("a", "a"))).toEqual([]);
    expect(items({ unasked: true }, web("a", "a"))).toEqual([]);
    const pinned = pod({ name: "p", image: `nginx:1.25@${digestOf("a")}`, digest: digestOf("a") });
    expect(items({ now: "b" }, pinned)).toEqual([]);
  });

  it.each([
    ["Always", /a restart is enough/],
    ["IfNotPresent", /a restart is not enough/],
    ["Never", /load the image on the nodes again/],
  ])("is mended by what %s makes of a restart", (policy, advice) => {
    const [found] = items({ now: "b", lost: ["a"] }, web("a", "a", { policy }));
    expect(found?.advice).toMatch(advice);
    expect(found?.details[1]).toContain("on eu/n1; the registry does not have it any more");
  });

  it("is told with the digests where several run: one item, and of the worse severity", () => {
    const mixed = items({ now: "b", current: ["b"] }, web("a", "a"), web("b", "b"));
    expect(mixed).toMatchObject([
      {
        kind: "mixed-digests",
        severity: "high",
        details: [
          expect.stringContaining(`${digestOf("a")}, older than the tag: 1 container`),
          expect.stringContaining(`${digestOf("b")}, which the tag has now: 1 container`),
        ],
      },
    ]);
    const [nowhere] = items({ now: "c" }, web("a", "a"), web("b", "b"));
    expect(nowhere).toMatchObject({ kind: "mixed-digests" });
    expect(nowhere?.details.at(-1)).toBe(`the tag has another one now: ${digestOf("c")}`);
  });

  it("says whether the digests of two architectures are platforms of one image", () => {
    const nodes = [node("n1"), node("n2", [], "arm64")];
    const both = [web("a", "a"), web("b", "b", { node: "n2" }), ...nodes];
    expect(items({ unasked: true }, ...both)).toMatchObject([{ kind: "mixed-digests", severity: "low" }]);
    expect(items({ now: "c", current: ["a", "b"] }, ...both)).toEqual([]);
    expect(items({ now: "c" }, ...both)).toMatchObject([{ kind: "tag-moved", severity: "medium" }]);
    expect(items({ now: "c", current: ["a"] }, ...both)).toMatchObject([{ kind: "mixed-digests", severity: "high" }]);
  });

  it("has the same id in both cases of an older copy, whatever the digests are", () => {
    const [one, other] = [items({ now: "b" }, web("a", "a")), items({ now: "d" }, web("x", "c"))];
    expect(one[0]?.id).toBe(other[0]?.id);
  });
});

describe("a last copy", () => {
  const lost = (gone: UpstreamImage["gone"], more: Answer = {}): Answer => ({ gone, lost: ["a"], ...more });
  const items = (answer: Answer, objects: readonly unknown[], image = nginx) =>
    reportOf([cluster(objects)], { [image]: answer }).items.filter(({ kind }) => kind === "last-copy");

  it.each([
    ["tag", "docker.io has no such tag any more"],
    ["repository", "docker.io has no such repository any more"],
    ["registry", "docker.io has no address any more"],
  ] as const)("is told where the %s is gone", (gone, words) => {
    const found = items(lost(gone), [web("a", "a"), node("n1"), node("n2")]);
    expect(found).toMatchObject([
      {
        severity: "critical",
        title: `nginx:1.25 is gone: ${words}`,
        details: ["the last copy is on eu/n1", "used by Deployment prod/web in eu"],
      },
    ]);
    expect(found[0]?.advice).toContain("ctr -n k8s.io images export image.tar docker.io/library/nginx:1.25,");
    expect(found[0]?.advice.includes("report from one that does")).toBe(gone === "registry");
  });

  it("is told of a digest that is gone, by the nodes' lists as well", () => {
    const image = `nginx@${digestOf("a")}`;
    const objects = [
      pod({ name: "p", image, digest: digestOf("a") }),
      node("n1"),
      node("n2", [[5, `docker.io/library/nginx@${digestOf("a")}`]]),
    ];
    expect(items(lost("digest"), objects, `docker.io/library/${image}`)).toMatchObject([
      {
        severity: "high",
        title: `${image} is gone: docker.io does not have this digest any more`,
        details: ["2 nodes have a copy: eu/n1, eu/n2", "used by Pod prod/p in eu"],
      },
    ]);
  });

  it("is critical where a workload is to have more pods than there are nodes with a copy", () => {
    const copies = [node("n1", [[5, nginx]]), node("n2", [[5, nginx]])];
    const replicas = (count: number) => ({
      ...controller("StatefulSet", "db"),
      spec: { ...controller("StatefulSet", "db").spec, replicas: count },
    });
    const own = pod({ name: "db-0", digest: digestOf("a"), owner: ["StatefulSet", "db"] });
    expect(items(lost("tag"), [...copies, own, replicas(2)])).toMatchObject([{ severity: "high" }]);
    expect(items(lost("tag"), [...copies, own, replicas(3)])).toMatchObject([
      {
        severity: "critical",
        details: [
          expect.anything(),
          "StatefulSet prod/db in eu is to have 3 pods, and 2 nodes there have a copy",
          expect.anything(),
        ],
      },
    ]);
  });

  it("is not lost where the registry has what runs, by its digest", () => {
    const found = items(lost("tag", { lost: [] }), [web("a", "a"), node("n1")]);
    expect(found).toMatchObject([{ severity: "high", advice: expect.stringContaining("Give it its tag again") }]);
    expect(found[0]?.details[1]).toBe(`the registry still has what runs, as ${digestOf("a")}`);
  });

  it("is told of templates without a pod, and left to the pods that cannot pull where no node has it", () => {
    expect(items(lost("tag"), [controller("CronJob", "n")])).toMatchObject([
      { severity: "high", details: ["no node is known to have a copy", "used by CronJob prod/n in eu"] },
    ]);
    const waiting = pod({ name: "w", waiting: ["ErrImagePull", "not found"] });
    expect(items(lost("tag"), [waiting])).toEqual([]);
    expect(items({}, [web("a", "a")])).toEqual([]);
  });
});

describe("a newer version", () => {
  const objects = [web("a", "a"), pod({ name: "other", digest: digestOf("a") })];
  const items = (versions: Answer["versions"], more: Answer = {}) =>
    reportOf([cluster(objects)], { [nginx]: { now: "a", current: ["a"], versions: { ...versions }, ...more } }).items;

  it("is told once for an image, medium where patch releases are missed, and gone when there is none", () => {
    expect(items({ current: "1.25", patch: "1.25.4", minor: "1.31", latest: "2.0" })).toMatchObject([
      {
        kind: "outdated",
        severity: "medium",
        title: "nginx:1.25 has newer patch releases, up to 1.25.4",
        workloads: [{ name: "other" }, { name: "web" }],
        details: ["newest minor version: 1.31", "newest of all: 2.0"],
      },
    ]);
    expect(items({ current: "1.25", patch: "1.25", minor: "1.31", latest: "1.31" })).toMatchObject([
      { kind: "outdated", severity: "low", title: "nginx:1.25 has a newer minor version, 1.31", details: [] },
    ]);
    expect(items({ current: "1.25", patch: "1.25", minor: "1.25", latest: "2.0" })).toEqual([]);
    expect(items({})).toEqual([]);
  });

  it("is not told of what is gone, which is told already", () => {
    const gone = items({ current: "1.25", patch: "1.26", minor: "1.26", latest: "1.26" }, { gone: "tag", lost: ["a"] });
    expect(gone).toMatchObject([{ kind: "last-copy" }]);
  });
});

describe("registries that could not be asked", () => {
  it("are a note each, however many images they have", () => {
    const failure = { code: "REGISTRY_UNREACHABLE", message: "connection refused" };
    const registries = [
      { name: "docker.io", images: 3, unanswered: 0, failure: null },
      { name: "ghcr.io", images: 12, unanswered: 3, failure },
      { name: "quay.io", images: 2, unanswered: 2, failure },
      { name: "r.io", images: 1, unanswered: 1, failure },
    ];
    const found = reportOf([cluster([web("a", "a"), node("n1")])], {}, registries);
    expect(found.notes).toEqual([
      "ghcr.io: 3 of its 12 images could not be checked: connection refused",
      "quay.io: none of its 2 images could be checked: connection refused",
      "r.io: its image could not be checked: connection refused",
    ]);
    expect(found.registries).toEqual(registries);
  });
});
