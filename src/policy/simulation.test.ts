import { describe, expect, it } from "vitest";
import { readImageName } from "../image/index.ts";
import type { ImageRequest, PullPolicy } from "../workload/index.ts";
import { decide } from "./decide.ts";
import { readPolicy } from "./language/read.ts";
import { addCost, createReplay, noCost, type PastRequest, verdictOf } from "./simulation.ts";
import { kubernetesOnly, type LocalFacts, type Policy } from "./types.ts";

const minute = 60_000;
const size = 1000;
const image = { labels: {}, size, platforms: ["linux/amd64"] };

function policyOf(rule: string): Policy {
  const text = `apiVersion: pulley.dev/v1alpha1\nkind: ImagePullPolicy\nmetadata: { name: new }\nspec: { rules: [${rule}] }\n`;
  const { policy, problems } = readPolicy([{ file: "new.yaml", text }]);
  expect(problems).toEqual([]);
  return policy;
}

function past(time: number, pullPolicy: PullPolicy, facts: LocalFacts, fetched = 0): PastRequest {
  const request: ImageRequest = {
    image: readImageName("registry.acme.io/app:main"),
    pullPolicy,
    container: { name: "app", kind: "container" },
    workload: { apiVersion: "v1", kind: "Pod", namespace: "default", name: "web", labels: {}, annotations: {} },
  };
  return {
    request,
    facts,
    time,
    verdict: verdictOf(decide(request, kubernetesOnly, facts, time)),
    isRecorded: true,
    fetched,
  };
}

describe("a replay", () => {
  it("plays through what checkEvery would have saved, and not more", () => {
    const replay = createReplay(policyOf("{ name: calm, pull: { policy: Always, checkEvery: 10m } }"));
    const hour = Array.from({ length: 60 }, (_, at) =>
      replay(past(at * minute, "Always", { presence: "unknown", image }, at === 0 ? size : 0)),
    );
    const sum = (of: "costBefore" | "costAfter") => hour.map((each) => each[of]).reduce(addCost, noCost);
    expect(sum("costBefore")).toEqual({ asked: 60, pulls: 1, bytes: size, refused: 0, warned: 0 });
    expect(sum("costAfter")).toEqual({ asked: 6, pulls: 1, bytes: size, refused: 0, warned: 0 });
    expect(hour.filter(({ changed }) => changed)).toHaveLength(54);
  });

  it("tells what would be refused, and by which rule", () => {
    const replay = createReplay(policyOf("{ name: none, admit: Deny }"));
    const { changed, after, decision, costAfter } = replay(
      past(0, "IfNotPresent", { presence: "absent", image }, size),
    );
    expect({ changed, after }).toEqual({
      changed: true,
      after: { action: "Refuse", reason: "ImageDenied", pullPolicy: "IfNotPresent", warnings: 0 },
    });
    expect(decision.trace).toContainEqual(expect.objectContaining({ subject: "admit", rule: "new/none" }));
    expect(costAfter).toEqual({ asked: 0, pulls: 0, bytes: 0, refused: 1, warned: 0 });
  });

  it("tells new warnings from decisions that change", () => {
    const replay = createReplay(policyOf("{ name: none, mode: Warn, admit: Deny }"));
    const once = replay(past(0, "IfNotPresent", { presence: "absent", image }, size));
    expect(once).toMatchObject({ changed: false, newlyWarned: true, costAfter: { pulls: 1, refused: 0, warned: 1 } });
    const again = replay({ ...once.past, verdict: once.after });
    expect(again).toMatchObject({ changed: false, newlyWarned: false });
  });

  it("changes nothing under the policy that decided", () => {
    const replay = createReplay(kubernetesOnly);
    const present = { presence: "present", digest: undefined, confirmedAt: undefined, access: "granted" } as const;
    for (const facts of [{ presence: "absent" } as const, present]) {
      for (const pullPolicy of ["Always", "IfNotPresent", "Never"] as const) {
        const { changed, costBefore, costAfter } = replay(past(0, pullPolicy, facts));
        expect({ changed, costAfter }).toEqual({ changed: false, costAfter: costBefore });
      }
    }
  });
});
