import { describe, expect, it } from "vitest";
import { document, now, pinned, type RequestChanges, requestFor } from "./cases/case.ts";
import { readPolicy } from "./language/read.ts";
import { kubernetesOnly, type Policy } from "./types.ts";
import { versionsFor } from "./versions.ts";

function read(...texts: readonly string[]): Policy {
  return readAs(undefined, ...texts);
}

function readAs(cluster: string | undefined, ...texts: readonly string[]): Policy {
  const { policy, problems } = readPolicy(
    texts.map((text, at) => ({ file: `${at}.yaml`, text })),
    cluster,
  );
  expect(problems).toEqual([]);
  return policy;
}

function versions(...entries: readonly object[]): string {
  return document("p", { versions: entries });
}

const nothing = { allow: null, suffix: null, endOfLife: null };
const failing = 'workload.labels["none"] == "x"';

describe("where nothing speaks", () => {
  it.each([
    ["no policy", kubernetesOnly, requestFor("nginx:1")],
    ["rules alone", read(document("p", { rules: [{ name: "r", admit: "Deny" }] })), requestFor("nginx:1")],
    [
      "an entry for another image",
      read(versions({ match: { images: ["quay.io"] }, allow: "patch" })),
      requestFor("a:1"),
    ],
    ["what is no image", read(versions({ allow: "patch", ignore: ["*"], moving: ["*"] })), requestFor("a b")],
  ])("everything of the same suffix is offered: %s", (_, policy, request) => {
    const limits = versionsFor(request, policy, now);
    expect(limits).toMatchObject({ allow: "major", suffix: "Exact", endOfLife: undefined, failures: [] });
    expect(limits.decidedBy).toEqual(nothing);
    expect([limits.ignored("2"), limits.moving("edge")]).toEqual([undefined, undefined]);
  });
});

type Line = readonly [match: object, image: string, changes: RequestChanges, matches: boolean];

const labels = { matchLabels: { app: "web" } };

const matchLines: readonly Line[] = [
  [{ images: ["docker.io/library/postgres"] }, "postgres:16", {}, true],
  [{ images: ["docker.io/library/postgres"] }, "index.docker.io/library/postgres:16", {}, true],
  [{ images: ["docker.io/library/postgres"] }, "quay.io/library/postgres:16", {}, false],
  [{ images: ["docker.io/library/postgres"] }, "bitnami/postgres:16", {}, false],
  [{ images: ["docker.io/library/*", "!docker.io/library/postgres"] }, "postgres:16", {}, false],
  [{ images: ["docker.io/library/*", "!docker.io/library/postgres"] }, "redis:7", {}, true],
  [{ images: ["!docker.io/**"] }, "redis:7", {}, false],
  [{ images: ["!docker.io/**"] }, "quay.io/a/b:7", {}, true],
  [{ images: ["gcr.io"] }, "gcr.io.example.com/a:1", {}, false],
  [{ tags: ["16*"] }, "postgres:16.3-alpine", {}, true],
  [{ tags: ["16*"] }, "postgres:17", {}, false],
  [{ tags: ["16*", "!*-alpine"] }, "postgres:16.3-alpine", {}, false],
  [{ tags: ["!16*"] }, "postgres:17", {}, true],
  [{ tags: ["latest"] }, "postgres", {}, true],
  [{ tags: ["!16*"] }, `postgres${pinned}`, {}, false],
  [{ tags: ["16*"] }, `postgres:16${pinned}`, {}, true],
  [{ pinned: true }, `postgres:16${pinned}`, {}, true],
  [{ pinned: true }, "postgres:16", {}, false],
  [{ namespaces: ["prod-*", "!prod-sandbox"] }, "a:1", { namespace: "prod-sandbox" }, false],
  [{ namespaces: ["prod-*", "!prod-sandbox"] }, "a:1", { namespace: "prod-eu" }, true],
  [{ labels }, "a:1", { labels: { app: "web" } }, true],
  [{ labels }, "a:1", { labels: { app: "api" } }, false],
  [{ containers: ["db*"] }, "a:1", { container: "db-1" }, true],
  [{ containers: ["!db*"] }, "a:1", { container: "db-1" }, false],
  [{ clusters: ["eu-*"] }, "a:1", { cluster: "eu-1" }, true],
  [{ clusters: ["eu-*"] }, "a:1", { cluster: "us-1" }, false],
  [{ clusters: ["eu-*"] }, "a:1", {}, false],
  [{ clusters: ["!eu-*"] }, "a:1", {}, false],
  [{ expression: 'image.tag.startsWith("16")' }, "postgres:16.3", {}, true],
  [{ expression: 'image.tag.startsWith("16")' }, "postgres:17", {}, false],
  [{ expression: 'workload.kind == "Pod" && cluster == "eu-1"' }, "a:1", { cluster: "eu-1" }, true],
  [{ images: ["docker.io"], tags: ["16"], namespaces: ["other"] }, "postgres:16", {}, false],
];

describe("an entry is about the images that a rule with that match would be about", () => {
  it.each(matchLines)("%j with %s, %j: %s", (match, image, changes, matches) => {
    const policy = read(
      versions({
        name: "e",
        match,
        allow: "minor",
        suffix: "Newer",
        endOfLife: "2027-11-11",
        ignore: ["2"],
        moving: ["m"],
      }),
    );
    const limits = versionsFor(requestFor(image, changes), policy, now);
    const by = matches ? "p/e" : null;
    expect(limits).toMatchObject({
      allow: matches ? "minor" : "major",
      suffix: matches ? "Newer" : "Exact",
      decidedBy: { allow: by, suffix: by, endOfLife: by },
    });
    expect(limits.endOfLife).toEqual(matches ? { date: "2027-11-11", passed: false } : undefined);
    expect(limits.ignored("2")).toEqual(matches ? { rule: "p/e", pattern: "2" } : undefined);
    expect(limits.moving("m")).toEqual(matches ? { rule: "p/e", pattern: "m" } : undefined);
  });

  it("in the cluster that the policy is read for, unless the request names its own", () => {
    const text = versions({ match: { clusters: ["eu-*"] }, allow: "patch" });
    expect(versionsFor(requestFor("a:1"), readAs("eu-1", text), now).allow).toBe("patch");
    expect(versionsFor(requestFor("a:1", { cluster: "us-1" }), readAs("eu-1", text), now).allow).toBe("major");
  });

  it("and of a document whose selector matches", () => {
    const policy = read(document("p", { selector: { namespaces: ["prod-*"] }, versions: [{ allow: "patch" }] }));
    expect(versionsFor(requestFor("a:1", { namespace: "prod-1" }), policy, now).allow).toBe("patch");
    expect(versionsFor(requestFor("a:1"), policy, now).allow).toBe("major");
  });
});

describe("the order", () => {
  it("has the first that speaks decide, on each key by itself", () => {
    const policy = read(
      versions(
        { name: "other", match: { images: ["quay.io"] }, allow: "patch", suffix: "Newer" },
        { name: "first", match: { tags: ["16*"] }, endOfLife: "2028-11-09" },
        { name: "second", allow: "minor", endOfLife: "2030-01-01" },
        { name: "third", match: { pinned: false }, allow: "patch", suffix: "Newer" },
      ),
    );
    const limits = versionsFor(requestFor("postgres:16.3"), policy, now);
    expect(limits).toMatchObject({ allow: "minor", suffix: "Newer", endOfLife: { date: "2028-11-09" } });
    expect(limits.decidedBy).toEqual({ allow: "p/second", suffix: "p/third", endOfLife: "p/first" });
    expect(versionsFor(requestFor("postgres:17"), policy, now).endOfLife?.date).toBe("2030-01-01");
  });

  it("is that of the documents by the names of their files, and within a file from top to bottom", () => {
    const one = document("one", { versions: [{ allow: "patch" }] });
    const two = document("two", { versions: [{ allow: "minor" }] });
    const decided = (...files: readonly (readonly [string, string])[]) => {
      const { policy } = readPolicy(files.map(([file, text]) => ({ file, text })));
      return versionsFor(requestFor("a:1"), policy, now).decidedBy.allow;
    };
    expect(decided(["b.yaml", one], ["a.yaml", two])).toBe("two/versions[0]");
    expect(decided(["a.yaml", one], ["b.yaml", two])).toBe("one/versions[0]");
    expect(decided(["a.yaml", `${two}\n---\n${one}`])).toBe("two/versions[0]");
  });

  it("adds up what is ignored, and what moves", () => {
    const policy = read(
      document("p", { versions: [{ ignore: ["17.*", "*-rc*"] }, { match: { images: ["quay.io"] }, ignore: ["*"] }] }),
      document("q", {
        versions: [{ name: "more", ignore: ["18.*", "!18.1"], moving: ["edge"] }, { moving: ["nightly*"] }],
      }),
    );
    const { ignored, moving } = versionsFor(requestFor("postgres:16"), policy, now);
    expect(["17.1", "18.0-rc1", "18.2", "18.1", "16.4", "17"].map(ignored)).toEqual([
      { rule: "p/versions[0]", pattern: "17.*" },
      { rule: "p/versions[0]", pattern: "*-rc*" },
      { rule: "q/more", pattern: "18.*" },
      undefined,
      undefined,
      undefined,
    ]);
    expect(["edge", "nightly-2026", "nightl"].map(moving)).toEqual([
      { rule: "q/more", pattern: "edge" },
      { rule: "q/versions[1]", pattern: "nightly*" },
      undefined,
    ]);
  });

  it("ignores everything but what a list excludes, where it only excludes", () => {
    const { ignored } = versionsFor(requestFor("a:1"), read(versions({ ignore: ["!1.*", "!2.*"] })), now);
    expect(ignored("1.5")).toBeUndefined();
    expect(ignored("3.0")).toEqual({ rule: "p/versions[0]", pattern: "!1.*, !2.*" });
  });

  it("is not that of rules: no exemption lifts an entry", () => {
    const match = { pinned: false };
    const exemption = { rules: ["a"], match, owner: "o", reason: "r", expires: "2099-01-01" };
    const rules = [{ name: "a", match, admit: "Deny" }];
    const policy = read(document("p", { rules, exemptions: [exemption], versions: [{ name: "a", allow: "patch" }] }));
    expect(versionsFor(requestFor("x:1"), policy, now).allow).toBe("patch");
  });
});

describe("the end of life", () => {
  it.each([
    ["2027-11-10T12:00:00Z", false],
    ["2027-11-11T23:59:59.999Z", false],
    ["2027-11-12T00:00:00Z", true],
  ])("of 2027-11-11 at %s: passed %s", (time, passed) => {
    const policy = read(versions({ endOfLife: "2027-11-11" }));
    const { endOfLife } = versionsFor(requestFor("postgres:15"), policy, Date.parse(time));
    expect(endOfLife).toEqual({ date: "2027-11-11", passed });
  });
});

describe("an expression that fails", () => {
  const failed = (entry: object) =>
    versionsFor(requestFor("a:1"), read(versions({ match: { expression: failing }, ...entry })), now);

  it("withholds what the entry would withhold", () => {
    expect(failed({ allow: "minor" }).allow).toBe("minor");
    expect(failed({ ignore: ["2"] }).ignored("2")).toMatchObject({ pattern: "2" });
    expect(failed({ moving: ["2"] }).moving("2")).toMatchObject({ pattern: "2" });
    const [sentence = ""] = failed({ allow: "patch" }).failures;
    expect(sentence).toMatch(/^the expression of p\/versions\[0\] failed \(.+\)$/);
  });

  it("allows nothing that another entry does not, and ends no life", () => {
    const policy = read(
      versions(
        { match: { expression: failing }, allow: "major", suffix: "Newer", endOfLife: "2020-01-01" },
        { name: "next", allow: "minor", suffix: "Exact" },
      ),
    );
    const limits = versionsFor(requestFor("a:1"), policy, now);
    expect(limits).toMatchObject({ allow: "minor", suffix: "Exact", endOfLife: undefined });
    expect(limits.decidedBy).toEqual({ allow: "p/next", suffix: "p/next", endOfLife: null });
    expect(failed({ suffix: "Newer" }).suffix).toBe("Exact");
  });
});
