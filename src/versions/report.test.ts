import { readFileSync } from "node:fs";
import { describe, expect, expectTypeOf, it } from "vitest";
import { z } from "zod";
import type { OutdatedImage, OutdatedReport } from "./report.ts";
import { outdatedJsonSchema, type outdatedSchema } from "./report-schema.ts";

const committed: unknown = JSON.parse(readFileSync(new URL("../../schema/outdated.json", import.meta.url), "utf8"));
const reader = z.fromJSONSchema(z.record(z.string(), z.unknown()).parse(committed));

const digests = { old: `sha256:${"a".repeat(64)}`, fresh: `sha256:${"b".repeat(64)}` };

const outdated: OutdatedImage = {
  image: { given: "postgres:16.3-alpine", name: "docker.io/library/postgres", tag: "16.3-alpine", digest: null },
  status: "outdated",
  current: "16.3-alpine",
  patch: "16.3-alpine",
  minor: "16.10-alpine",
  latest: "17.6-alpine",
  distance: "major",
  lag: null,
  because: "17.6-alpine is a major version newer",
  workloads: [
    {
      kind: "StatefulSet",
      namespace: "shop",
      name: "db",
      container: "postgres",
      cluster: null,
      source: { file: "db.yaml", line: 14, column: 18 },
    },
  ],
  error: null,
  gone: null,
  created: "2024-05-09T19:23:44.123Z",
  endOfLife: "2028-11-09",
  elsewhere: null,
  places: [],
  platforms: ["linux/amd64"],
};

const bare: OutdatedImage = {
  image: { given: "registry.example.com/app@sha256:…", name: null, tag: null, digest: null },
  status: "unknown",
  current: null,
  patch: null,
  minor: null,
  latest: null,
  distance: "unknown",
  lag: null,
  because: "the image is no reference",
  workloads: [],
  error: { code: "REFERENCE_INVALID", message: "invalid reference format", advice: "Write the image as …" },
  gone: null,
  created: null,
  endOfLife: null,
  elsewhere: null,
  places: [],
  platforms: [],
};

const moved: OutdatedImage = {
  ...bare,
  image: { given: "app:main", name: "docker.io/library/app", tag: "main", digest: digests.old },
  status: "moved",
  lag: { tag: "main", runs: digests.old, now: digests.fresh },
  workloads: [{ kind: "Pod", namespace: "", name: "app", container: "app", cluster: null, source: null }],
  error: null,
  created: "2026-11-01T10:00:00+01:00",
};

const missing: OutdatedImage = { ...outdated, status: "missing", gone: "tag" };

function report(...images: readonly unknown[]): unknown {
  return { apiVersion: "pulley.dev/v1alpha1", images };
}

describe("the schema of pulley outdated -o json", () => {
  it("is the one that is in the repository", () => {
    expect(committed).toEqual(outdatedJsonSchema());
  });

  it("has the fields of the types, and no others", () => {
    expectTypeOf<z.output<typeof outdatedSchema>>().toExtend<OutdatedReport>();
    expectTypeOf<OutdatedReport["images"][number]>().toExtend<ReadonlyDeep<Entry>>();
    expectTypeOf<keyof Entry>().toEqualTypeOf<keyof OutdatedImage>();
  });

  it("has all fields in one order, and wants them all", () => {
    const fields = z
      .object({ properties: z.object({ images: z.object({ items: z.object({ required: z.array(z.string()) }) }) }) })
      .parse(committed).properties.images.items.required;
    expect(fields).toEqual(Object.keys(outdated));
  });

  it("accepts every kind of answer", () => {
    expect(reader.safeParse(report(outdated, bare, moved, missing))).toMatchObject({ success: true });
    expect(reader.safeParse(report())).toMatchObject({ success: true });
  });

  it("accepts fields that a later version adds", () => {
    expect(reader.safeParse(report({ ...outdated, advisories: [] }))).toMatchObject({ success: true });
  });

  it.each(Object.keys(outdated))("refuses an image without %s", (field) => {
    const rest = Object.fromEntries(Object.entries(outdated).filter(([key]) => key !== field));
    expect(reader.safeParse(report(rest))).toMatchObject({ success: false });
  });

  it.each<readonly [string, unknown]>([
    ["status", "stale"],
    ["distance", null],
    ["current", 16],
    ["gone", "image"],
    ["created", "9 May 2024"],
    ["endOfLife", "2028-11-09T00:00:00Z"],
    ["platforms", null],
    ["lag", { tag: "main", runs: digests.old }],
    ["image", { given: "app" }],
    ["workloads", [{ kind: "Pod", namespace: null, name: "app", container: "app", cluster: null, source: null }]],
    [
      "workloads",
      [{ kind: "Pod", namespace: "", name: "app", container: "app", cluster: null, source: { file: "a", line: 0 } }],
    ],
    ["error", { code: "REGISTRY_NOT_FOUND", message: "gone" }],
  ])("refuses an image with %s %j", (field, value) => {
    expect(reader.safeParse(report({ ...outdated, [field]: value }))).toMatchObject({ success: false });
  });
});

type Entry = z.output<typeof outdatedSchema>["images"][number];
type ReadonlyDeep<Value> = { readonly [Key in keyof Value]: ReadonlyDeep<Value[Key]> };
