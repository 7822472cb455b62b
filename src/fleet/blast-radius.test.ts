import { readFileSync } from "node:fs";
import { describe, expect, expectTypeOf, it } from "vitest";
import { z } from "zod";
import { readPolicy } from "../policy/language/read.ts";
import { type BlastRadius, blastRadius, registryPrefix } from "./blast-radius.ts";
import { blastRadiusJsonSchema, type blastRadiusSchema } from "./blast-radius-schema.ts";
import { cluster, controller, digestOf, node, pod } from "./testing/objects.ts";

const now = Date.parse("2026-11-29T12:00:00Z");

function radius(registry: string, objects: readonly unknown[], rules?: string) {
  const text = `apiVersion: pulley.dev/v1alpha1\nkind: ImagePullPolicy\nmetadata: { name: p }\nspec:\n  rules:\n${rules}\n`;
  const read = rules === undefined ? undefined : readPolicy([{ file: "p.yaml", text }], "eu");
  expect(read?.problems ?? []).toEqual([]);
  return blastRadius([cluster(objects)], registryPrefix(registry), { policy: read?.policy, now });
}

const nodes = [node("n1"), node("n2")];
const app = (policy: string, image = "ghcr.io/acme/app:1") => pod({ name: "a", image, policy, digest: digestOf("a") });

describe("which images are meant", () => {
  it.each([
    ["ghcr.io", "ghcr.io/acme/app:1", true],
    ["ghcr.io/", "ghcr.io/acme/app:1", true],
    ["ghcr.io/acme", "ghcr.io/acme/app:1", true],
    ["ghcr.io/acme/app", "ghcr.io/acme/app:1", true],
    ["ghcr.io/ac", "ghcr.io/acme/app:1", false],
    ["ghcr.io/other", "ghcr.io/acme/app:1", false],
    ["docker.io", "nginx", true],
    ["docker.io", "acme/app", true],
    ["docker.io/library", "acme/app", false],
    ["index.docker.io", "nginx", true],
    ["docker.io/library", "nginx", true],
    ["docker.io/acme", "nginx", false],
    ["reg.example:5000", "reg.example:5000/app", true],
    ["reg.example", "reg.example:5000/app", false],
  ])("%s, %s: %s", (registry, image, isMeant) => {
    expect(radius(registry, [app("Always", image)]).workloads).toHaveLength(isMeant ? 1 : 0);
  });

  it("is told of a registry that is no name", () => {
    for (const wrong of ["", "GHCR.io/A", "a b", "ghcr.io/acme:1"]) expect(() => registryPrefix(wrong)).toThrow();
  });
});

describe("what breaks", () => {
  it("is everything with Always, and IfNotPresent makes it safe where it is pinned", () => {
    const pinned = `ghcr.io/acme/app@${digestOf("a")}`;
    const { workloads, counts } = radius("ghcr.io", [app("Always", pinned), ...nodes]);
    expect(counts).toEqual({ none: 1, copies: 0, safe: 0 });
    expect(workloads).toMatchObject([
      {
        kind: "Pod",
        outcome: "none",
        startsOn: [],
        images: [
          {
            container: "app",
            image: pinned,
            pullPolicy: "Always",
            because: expect.stringMatching(/asked at each start/),
          },
        ],
        advice: [expect.stringMatching(/^write IfNotPresent/)],
      },
    ]);
    expect(radius("ghcr.io", [app("Always"), ...nodes]).workloads[0]?.advice).toEqual([
      expect.stringMatching(/^pin the image/),
    ]);
  });

  it("is what has to start on a node without a copy", () => {
    const { workloads } = radius("ghcr.io", [app("IfNotPresent"), ...nodes]);
    expect(workloads).toMatchObject([
      {
        outcome: "copies",
        nodes: 2,
        startsOn: ["n1"],
        advice: ["pull its images to the other nodes beforehand, or name a mirror"],
      },
    ]);
    const everywhere = [node("n1"), node("n2", [[5, "ghcr.io/acme/app:1"]])];
    expect(radius("ghcr.io", [app("IfNotPresent"), ...everywhere]).workloads).toMatchObject([
      { outcome: "safe", advice: [] },
    ]);
  });

  it("is what runs nowhere now and has no copy: the next run of a CronJob", () => {
    const { workloads } = radius("docker.io", [controller("CronJob", "nightly"), ...nodes]);
    expect(workloads).toMatchObject([
      { kind: "CronJob", outcome: "none", pods: 0, advice: [expect.stringMatching(/to nodes beforehand/)] },
    ]);
  });

  it("is a workload as soon as one of its images is missing", () => {
    const more = {
      containers: [
        { name: "app", image: "ghcr.io/a:1" },
        { name: "b", image: "ghcr.io/b:1" },
        { name: "c", image: "quay.io/c:1" },
      ],
    };
    const both = pod({ name: "a", digest: digestOf("a"), more });
    const { workloads } = radius("ghcr.io", [both, node("n1"), node("n2", [[5, "ghcr.io/b:1"]])]);
    expect(workloads).toMatchObject([{ outcome: "none", images: [{ container: "app" }, { container: "b" }] }]);
  });

  it("is nothing with Never, and nothing of pods that have ended", () => {
    expect(
      radius("ghcr.io", [app("Never"), pod({ name: "b", image: "ghcr.io/b:1", phase: "Succeeded" })]).workloads,
    ).toEqual([]);
  });
});

describe("a policy", () => {
  it("lets copies be used under Always when no registry answers", () => {
    const rule = "  - { name: r, pull: { policy: Always, whenUnreachable: UseCached } }";
    expect(radius("ghcr.io", [app("Always"), ...nodes], rule).workloads).toMatchObject([
      { outcome: "copies", startsOn: ["n1"] },
    ]);
    const aged = "  - { name: r, pull: { policy: Always, whenUnreachable: UseCached, maxStaleness: 24h } }";
    expect(radius("ghcr.io", [app("Always"), ...nodes], aged).workloads).toMatchObject([
      { outcome: "none", advice: [expect.stringMatching(/^pin the image/)] },
    ]);
  });

  it("has mirrors, of which the one that is down is missed only where nobody else is asked", () => {
    const mirror = (origin: string) =>
      `  - { name: r, from: { mirrors: ["https://mirror.acme.io"], origin: ${origin} } }`;
    expect(radius("ghcr.io", [app("Always"), ...nodes], mirror("Fallback")).workloads).toMatchObject([
      { outcome: "safe", images: [{ because: "https://mirror.acme.io is asked, too, and has to have it" }] },
    ]);
    expect(radius("ghcr.io", [app("Always"), ...nodes], mirror("Never")).workloads).toEqual([]);
    expect(radius("mirror.acme.io", [app("Always"), ...nodes], mirror("Fallback")).workloads).toMatchObject([
      { outcome: "safe" },
    ]);
    expect(radius("mirror.acme.io", [app("Always"), ...nodes], mirror("Never")).workloads).toMatchObject([
      { outcome: "none" },
    ]);
  });
});

it("prints what schema/blast-radius.json says", () => {
  const text = readFileSync(new URL("../../schema/blast-radius.json", import.meta.url), "utf8");
  const committed = z.record(z.string(), z.unknown()).parse(JSON.parse(text));
  expect(committed).toEqual(blastRadiusJsonSchema());
  const reader = z.fromJSONSchema(committed);
  const found = radius("ghcr.io", [app("Always"), pod({ name: "b", image: "ghcr.io/acme/b:1" }), ...nodes]);
  expect(found.workloads).toHaveLength(2);
  expect(reader.safeParse(JSON.parse(JSON.stringify(found))).error).toBeUndefined();
  expect(reader.safeParse({ ...found, workloads: [{}] }).success).toBe(false);
  expectTypeOf<BlastRadius>().toExtend<z.input<typeof blastRadiusSchema> | { readonly workloads: unknown }>();
});
