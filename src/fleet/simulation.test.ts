import { describe, expect, it } from "vitest";
import { kubernetesOnly } from "../policy/index.ts";
import { readPolicy } from "../policy/language/read.ts";
import { painter, widthOf } from "../support/terminal.ts";
import { fleetSimulationLines } from "./formats/simulation.ts";
import { simulateFleet } from "./simulation.ts";
import { readTeams } from "./teams-file.ts";
import { cluster, controller, digestOf, node, pod } from "./testing/objects.ts";

function policyOf(rules: string) {
  const text = `apiVersion: pulley.dev/v1alpha1\nkind: ImagePullPolicy\nmetadata: { name: p }\nspec:\n  rules:\n${rules}\n`;
  const { policy, problems } = readPolicy([{ file: "p.yaml", text }], "eu");
  expect(problems).toEqual([]);
  return policy;
}

interface Call {
  readonly rules: string;
  readonly against?: string;
  readonly teams?: string;
  readonly others?: readonly unknown[];
}

function simulated(objects: readonly unknown[], { rules, against, teams, others }: Call) {
  const clusters = [cluster(objects), ...(others === undefined ? [] : [cluster(others, "us")])];
  return simulateFleet(clusters, {
    policy: policyOf(rules),
    against: against === undefined ? kubernetesOnly : policyOf(against),
    teams: teams === undefined ? [] : readTeams(teams, "teams.yaml").teams,
    incomplete: new Set(),
    now: Date.parse("2026-11-29T12:00:00Z"),
  });
}

const always = "  - { name: always, pull: { policy: Always } }";
const copies = "  - { name: copies, pull: { policy: IfNotPresent } }";
const deny = "  - { name: no-hub, match: { images: ['docker.io/**'] }, admit: Deny }";

const running = (name: string, more: Partial<Parameters<typeof pod>[0]> = {}) =>
  pod({ name, digest: digestOf("a"), image: "ghcr.io/acme/app:1", ...more });

const effectsOf = (found: ReturnType<typeof simulated>) =>
  found.changes.map(({ effect, workload, starts }) => [effect, workload.name, starts]);

describe("a policy tried on what runs", () => {
  it("is refused, asks at each start, or asks no more: each container once, with how many pods it has", () => {
    const pods = ["x", "y"].map((name) => running(name, { owner: ["StatefulSet", "web"] }));
    expect(effectsOf(simulated(pods, { rules: always }))).toEqual([["asks", "web", 2]]);
    expect(effectsOf(simulated([running("a", { policy: "Always" })], { rules: copies }))).toEqual([
      ["asksNoMore", "a", 1],
    ]);
    const hub = running("hub", { image: "nginx:1.25" });
    expect(effectsOf(simulated([hub, ...pods], { rules: deny }))).toEqual([["refused", "hub", 1]]);
    expect(effectsOf(simulated(pods, { rules: deny }))).toEqual([]);
  });

  it("compares with the policy that holds now, and can allow what that refuses", () => {
    const objects = [running("a", { image: "nginx:1.25" })];
    expect(effectsOf(simulated(objects, { rules: copies, against: deny }))).toEqual([["allowed", "a", 1]]);
    expect(effectsOf(simulated(objects, { rules: deny, against: deny }))).toEqual([]);
    const trial = "  - { name: no-hub, mode: Warn, match: { images: ['docker.io/**'] }, admit: Deny }";
    const warned = simulated(objects, { rules: trial });
    expect(effectsOf(warned)).toEqual([["warned", "a", 1]]);
    expect(warned.total).toMatchObject({ changed: 0, after: { warned: 1 } });
  });

  it("counts requests and pulls by where copies are", () => {
    const image = "ghcr.io/acme/app:1";
    const waiting = pod({ name: "b", image, node: "n2", waiting: ["ImagePullBackOff", ""] });
    const objects = [running("a"), waiting, node("n1"), node("n2")];
    const { total } = simulated(objects, { rules: always });
    expect(total).toMatchObject({ starts: 2, workloads: 2, changed: 2 });
    expect(total.before).toMatchObject({ asked: 1, pulls: 1 });
    expect(total.after).toMatchObject({ asked: 2, pulls: 1 });
  });

  it("judges a workload without pods by its template, once", () => {
    const objects = [controller("CronJob", "nightly", { image: "nginx:1.25" })];
    expect(effectsOf(simulated(objects, { rules: deny }))).toEqual([["refused", "nightly", 1]]);
  });

  it("holds rules to their clusters, and sums by cluster and by team", () => {
    const rules = "  - { name: eu-only, match: { clusters: [us] }, admit: Deny }";
    const teams = "teams:\n- { name: web, contact: '#web', namespaces: [prod] }\n";
    const found = simulated([running("a")], { rules, teams, others: [running("a"), running("b", { namespace: "x" })] });
    expect(found.clusters).toMatchObject([
      { name: "eu", complete: true, effects: { refused: 0 } },
      { name: "us", effects: { refused: 2 }, after: { refused: 2 }, workloads: 2 },
    ]);
    expect(found.teams).toMatchObject([
      { name: "web", contact: "#web", workloads: 2, effects: { refused: 1 } },
      { name: null, contact: null, workloads: 1, effects: { refused: 1 } },
    ]);
    expect(found.changes.map(({ cluster: name, team }) => [name, team])).toEqual([
      ["us", "web"],
      ["us", null],
    ]);
  });
});

describe("its text", () => {
  const view = { paint: painter(false), width: 80 };

  it("fits 80 columns, and ends with what is the least", () => {
    const long = `registry.example.com/${"deep/".repeat(12)}app:1`;
    const objects = [running("a"), running("b", { image: long }), running("hub", { image: "nginx:1.25" })];
    const lines = fleetSimulationLines(simulated(objects, { rules: `${deny}\n${always}` }), view);
    expect(lines[0]).toBe("If each container started once more: 3 of 3 starts would be decided otherwise.");
    expect(lines.filter((line) => widthOf(line) > 80)).toEqual([expect.stringContaining(long)]);
    expect(lines.filter((line) => /^\S.*(refused|start)$/.test(line))).toEqual([
      "Would be refused",
      "Would ask a registry at each start",
    ]);
    expect(lines).toContain("  Pod prod/hub in eu");
    expect(lines).toContain("    app, nginx:1.25, 1 start: IfNotPresent, Use → ImageDenied");
  });

  it("shows twenty changes of a kind, and nothing where nothing changes", () => {
    const objects = Array.from({ length: 23 }, (_, at) => running(`p${at}`));
    const lines = fleetSimulationLines(simulated(objects, { rules: always }), view);
    expect(lines.at(-1)).toBe("  and 3 more like these; -o json has all");
    const none = fleetSimulationLines(simulated(objects, { rules: deny }), view);
    expect(none[0]).toContain("0 of 23 starts");
    expect(none.at(-1)).toMatch(/^eu +23 +0 +0 +0 +0$/);
  });
});
