import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { digestOf, listText, pod } from "../fleet/testing/objects.ts";
import { temporaryFolder } from "../support/testing.ts";
import { callPulley } from "./testing/call.ts";
import { kubeconfigOf } from "./testing/clusters.ts";

function file(name: string, text: string): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, text);
  return path;
}

const hub = pod({ name: "web", image: "nginx:1.25", digest: digestOf("a") });
const own = pod({ name: "api", namespace: "shop", image: "ghcr.io/acme/api:1", digest: digestOf("b") });

const policy = () =>
  file(
    "policy.yaml",
    `apiVersion: pulley.dev/v1alpha1
kind: ImagePullPolicy
metadata: { name: p }
spec:
  rules:
  - { name: no-hub, match: { images: ["docker.io/**"], clusters: [eu] }, admit: Deny }
`,
  );

const simulate = (...words: readonly string[]) => callPulley(["simulate", "--policy", policy(), ...words]);

describe("pulley simulate for clusters", () => {
  it("tries a policy on what runs, and exits with 1 if something would be refused", async () => {
    const path = await kubeconfigOf({ eu: { "/api/v1/pods": [hub, own] }, us: { "/api/v1/pods": [hub] } });
    const both = [
      "--kubeconfig",
      path,
      "--context",
      "us",
      "--context",
      "eu",
      "--from",
      file("asia.json", listText([own])),
    ];
    const { stdout, stderr, status } = await simulate(...both);
    expect(stderr).toBe("");
    expect(stdout).toContain("1 of 4 starts would be decided otherwise");
    expect(stdout.match(/^(us|eu|asia) .*$/gm)).toEqual([
      expect.stringMatching(/^us +1 +0 /),
      expect.stringMatching(/^eu +2 +1 /),
      expect.stringMatching(/^asia +1 +0 /),
    ]);
    expect(stdout).toContain("  Pod prod/web in eu\n");
    expect(status).toBe(1);
    expect((await simulate("--kubeconfig", path, "--context", "us")).status).toBe(0);
  });

  it("counts by team, as JSON too", async () => {
    const teams = file("teams.yaml", "teams:\n- { name: shop, namespaces: [shop] }\n");
    const from = ["--from", file("eu.json", listText([hub, own])), "--teams", teams];
    expect((await simulate(...from)).stdout).toMatch(/^shop +1 +0 [^]*^nobody's +1 +1 /m);
    const { stdout } = await simulate(...from, "-o", "json");
    expect(JSON.parse(stdout)).toMatchObject({
      kind: "FleetSimulation",
      teams: [
        { name: "shop", effects: { refused: 0 } },
        { name: null, effects: { refused: 1 } },
      ],
      changes: [{ effect: "refused", cluster: "eu", workload: { name: "web" }, after: { reason: "ImageDenied" } }],
    });
  });

  it("exits with 3 where a cluster cannot be read, and tells what would change in the others", async () => {
    const path = await kubeconfigOf({ gone: "gone", eu: { "/api/v1/pods": [hub] } });
    const { stdout, stderr, status } = await simulate("--kubeconfig", path, "--all-contexts");
    expect(stderr).toContain('error: context "gone"');
    expect(stdout).toMatch(/^gone \(not all was read\) +0/m);
    expect(stdout).toContain("Pod prod/web in eu");
    expect(status).toBe(3);
  });

  it("is of clusters, or of something else", async () => {
    const from = ["--from", file("eu.json", listText([hub]))];
    for (const [words, message] of [
      [[...from, "deploy/"], "clusters and manifests cannot be used together"],
      [[...from, "--record", "x"], "clusters and recorded decisions cannot be used together"],
      [["--teams", "t.yaml", "deploy/"], "--teams is given without a cluster"],
      [["--from", file("none.json", listText([]))], "there is no workload to try the policy on"],
    ] as const) {
      const { stderr, status } = await simulate(...words);
      expect(stderr).toContain(message);
      expect(status).toBe(2);
    }
  });
});
