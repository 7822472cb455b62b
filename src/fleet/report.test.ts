import { readFileSync } from "node:fs";
import { describe, expect, expectTypeOf, it } from "vitest";
import { z } from "zod";
import { type FleetReport, fleetReport } from "./report.ts";
import { fleetJsonSchema, type fleetSchema } from "./report-schema.ts";
import { readTeams } from "./teams-file.ts";
import { cluster, digestOf, node, pod } from "./testing/objects.ts";

const committed: unknown = JSON.parse(readFileSync(new URL("../../schema/fleet.json", import.meta.url), "utf8"));
const now = Date.parse("2026-11-29T12:00:00Z");

function report() {
  const { teams } = readTeams(
    "teams:\n- { name: shop, namespaces: [shop] }\n- { name: data, namespaces: [data] }",
    "t",
  );
  const eu = cluster([
    pod({ name: "web", namespace: "shop", image: "acme/web:main", digest: digestOf("a") }),
    pod({ name: "etl", namespace: "data", image: "acme/web:main", digest: digestOf("b") }),
    pod({
      name: "lost",
      namespace: "other",
      waiting: ["ErrImagePull", "no space left on device"],
      since: "2026-11-29T11:00:00Z",
    }),
    node(
      "n1",
      Array.from({ length: 50 }, (_, at) => [1, `redis:${at}`] as const),
    ),
  ]);
  return fleetReport([eu, cluster([], "us")], { policy: undefined, teams, incomplete: new Set(["us"]), now });
}

describe("the report", () => {
  it("counts items by team, each for every team that it is of, and what is nobody's last", () => {
    const { teams, counts, clusters } = report();
    expect(teams).toEqual([
      { name: "shop", contact: null, critical: 0, high: 0, medium: 2, low: 0, workloads: 1, score: 71 },
      { name: "data", contact: null, critical: 0, high: 0, medium: 2, low: 0, workloads: 1, score: 71 },
      { name: null, contact: null, critical: 1, high: 0, medium: 0, low: 50, workloads: 1, score: 22 },
    ]);
    expect(counts).toEqual({ critical: 1, high: 0, medium: 3, low: 50 });
    expect(clusters).toEqual([
      { name: "eu", pods: 3, nodes: 1, workloads: 3, images: 2, complete: true },
      { name: "us", pods: 0, nodes: 0, workloads: 0, images: 0, complete: false },
    ]);
  });

  it("names the context in each command of kubectl, where the cluster has one", () => {
    const failing = (name: string) =>
      cluster([pod({ name: "web", waiting: ["ErrImagePull", "no space left on device"] })], name);
    const contexts = new Map([["eu", "--kubeconfig 'my config' --context eu"]]);
    const options = { policy: undefined, teams: [], incomplete: new Set<string>(), contexts, now };
    const { items } = fleetReport([failing("eu"), failing("us")], options);
    expect(items.map(({ clusters, command }) => [clusters[0], command])).toEqual([
      ["eu", "kubectl --kubeconfig 'my config' --context eu -n prod describe pod/web"],
      ["us", "kubectl -n prod describe pod/web"],
    ]);
  });

  it("notes that a kubelet lists no more than 50 images, and what is missing", () => {
    const { notes } = report();
    expect(notes).toEqual([
      expect.stringMatching(/^eu: 1 of 1 nodes list 50 images/),
      expect.stringMatching(/^us: there is no node/),
      expect.stringMatching(/^us: there is no pod/),
    ]);
  });

  it("is what schema/fleet.json says", () => {
    expect(committed).toEqual(fleetJsonSchema());
    const reader = z.fromJSONSchema(z.record(z.string(), z.unknown()).parse(committed));
    const printed: unknown = JSON.parse(JSON.stringify(report()));
    expect(reader.safeParse(printed).error).toBeUndefined();
    expect(reader.safeParse({ ...report(), items: [{}] }).success).toBe(false);
    expectTypeOf<FleetReport>().toExtend<z.input<typeof fleetSchema> | { readonly items: unknown }>();
  });
});
