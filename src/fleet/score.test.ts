import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { score, workloadCounts } from "./score.ts";
import { readTeams } from "./teams-file.ts";
import { cluster, pod } from "./testing/objects.ts";

const none = { critical: 0, high: 0, medium: 0, low: 0 };

describe("the score", () => {
  it.each([
    [none, 10, 100],
    [{ ...none, critical: 10 }, 10, 50],
    [{ ...none, high: 20 }, 10, 50],
    [{ ...none, medium: 50 }, 10, 50],
    [{ ...none, low: 200 }, 10, 50],
    [{ ...none, low: 1 }, 1000, 99],
    [none, 0, null],
    [{ ...none, critical: 1 }, 0, null],
  ])("of %j with %i workloads is %j", (open, workloads, expected) => {
    expect(score(open, workloads)).toBe(expected);
  });

  it("is worse with each item more, from 0 to 100, and the same for a fleet that is so many times as large", () => {
    const count = fc.nat(1000);
    const counts = fc.record({ critical: count, high: count, medium: count, low: count });
    const severity = fc.constantFrom("critical", "high", "medium", "low");
    fc.assert(
      fc.property(counts, severity, fc.integer({ min: 1, max: 1000 }), (open, more, workloads) => {
        const now = score(open, workloads) ?? -1;
        expect(now >= 0 && now <= 100).toBe(true);
        expect(score({ ...open, [more]: open[more] + 1 }, workloads)).toBeLessThanOrEqual(now);
        const { critical, high, medium, low } = open;
        expect(score({ critical: 3 * critical, high: 3 * high, medium: 3 * medium, low: 3 * low }, 3 * workloads)).toBe(
          now,
        );
      }),
    );
  });

  it("counts workloads by cluster and team", () => {
    const { teams } = readTeams("teams:\n- { name: shop, namespaces: [shop] }", "t");
    const eu = cluster([
      pod({ name: "a", namespace: "shop" }),
      pod({ name: "b", namespace: "shop" }),
      pod({ name: "c", namespace: "data" }),
    ]);
    expect(workloadCounts([eu, cluster([], "us")], teams)).toEqual([
      { cluster: "eu", team: "shop", workloads: 2 },
      { cluster: "eu", team: null, workloads: 1 },
    ]);
  });
});
