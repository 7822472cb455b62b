import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { historyJsonSchema } from "../fleet/history/history-schema.ts";
import { trendJsonSchema } from "../fleet/history/trend-schema.ts";
import { simulationJsonSchema } from "../fleet/simulation-schema.ts";
import { controller, digestOf, listText, node, pod } from "../fleet/testing/objects.ts";
import { temporaryFolder } from "../support/testing.ts";
import { callPulley } from "./testing/call.ts";

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const policy = `apiVersion: pulley.dev/v1alpha1
kind: ImagePullPolicy
metadata: { name: p }
spec:
  rules:
  - { name: no-hub, match: { images: ["docker.io/**"] }, admit: Deny }
  - { name: trial, mode: Warn, match: { images: ["quay.io/**"] }, admit: Deny }
  - { name: ask, match: { images: ["ghcr.io/**"] }, pull: { policy: Always } }
`;
const teams = "teams:\n- { name: shop, contact: '#shop', namespaces: [shop] }\n";
const moving = (name: string, namespace: string) => pod({ name, namespace, image: `ghcr.io/acme/${name}:main` });
const both = [
  moving("web", "shop"),
  moving("etl", "data"),
  pod({ name: "hub", digest: digestOf("a") }),
  pod({ name: "tried", image: "quay.io/acme/tried:1", digest: digestOf("b") }),
  controller("CronJob", "nightly", { image: "ghcr.io/acme/nightly:1" }),
  node("n1"),
];
const from = (objects: readonly unknown[]) => [
  "--from",
  file("eu.json", listText(objects)),
  "--teams",
  file("teams.yaml", teams),
];

async function printed(words: readonly string[], status = 0): Promise<unknown> {
  const called = await callPulley([...words, "-o", "json"]);
  expect(called).toMatchObject({ stderr: "", status });
  return JSON.parse(called.stdout);
}

async function recorded(command: string, ...words: readonly string[]): Promise<unknown> {
  const history = ["--history", join(folder, "history.db")];
  const agoOf = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();
  await printed(["fleet", "report", ...history, "--at", agoOf(49), ...from(both)]);
  await printed(["fleet", "report", ...history, "--at", agoOf(1), ...from(both.slice(1))]);
  return await printed(["fleet", command, ...history, ...words]);
}

/** The document once for each object in it, each time with one more key there. */
function* withUnknownKeys(value: unknown): Generator {
  if (Array.isArray(value)) {
    for (const [at, each] of value.entries()) for (const other of withUnknownKeys(each)) yield value.with(at, other);
  } else if (typeof value === "object" && value !== null) {
    yield { ...value, unknown: 1 };
    for (const [key, each] of Object.entries(value))
      for (const other of withUnknownKeys(each)) yield { ...value, [key]: other };
  }
}

describe("the schemas of what is printed as JSON", () => {
  it.each([
    {
      name: "fleet-simulation",
      schema: simulationJsonSchema(),
      document: () => printed(["simulate", "--policy", file("policy.yaml", policy), ...from(both)], 1),
      least: { total: { effects: { refused: 1, warned: 1 } }, teams: [{ name: "shop" }, { name: null }] },
    },
    {
      name: "fleet-history",
      schema: historyJsonSchema(),
      document: () => recorded("history"),
      least: { kind: "FleetHistory", items: [{ fixedAt: null }, { fixedAt: expect.any(String), teams: ["shop"] }] },
    },
    {
      name: "fleet-trend",
      schema: trendJsonSchema(),
      document: () => recorded("trend", "--by", "day", "--teams"),
      least: { kind: "FleetTrend", series: [{ team: "shop" }, { team: null }] },
    },
  ])("$name is what is printed, and has no other key", async ({ name, schema, document, least }) => {
    const text = readFileSync(new URL(`../../schema/${name}.json`, import.meta.url), "utf8");
    const committed = z.record(z.string(), z.unknown()).parse(JSON.parse(text));
    expect(committed).toEqual(schema);
    const reader = z.fromJSONSchema(committed);
    const real = await document();
    expect(real).toMatchObject(least);
    expect(reader.safeParse(real).error).toBeUndefined();
    const others = [...withUnknownKeys(real)];
    expect(others.length).toBeGreaterThan(3);
    expect(others.filter((other) => reader.safeParse(other).success)).toEqual([]);
    expect(reader.safeParse({ ...z.looseObject({}).parse(real), kind: "Other" }).success).toBe(false);
  });
});
