import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { answerPage, refuse, startStandIn } from "../cluster/testing/api-server.ts";
import { startObjectServer } from "../cluster/testing/object-server.ts";
import { listedKinds } from "../fleet/index.ts";
import { digestOf, listText, node, pod } from "../fleet/testing/objects.ts";
import { widthOf } from "../support/terminal.ts";
import { temporaryFolder } from "../support/testing.ts";
import { callPulley } from "./testing/call.ts";

const at = ["--at", "2026-11-29T12:00:00Z"];
const red = "\u001b[31mred\u001b[0m\u202e";

const failing = pod({
  name: "web-1",
  image: "ghcr.io/acme/web:2",
  waiting: ["ErrImagePull", `${red} no space left on device`],
  since: "2026-11-29T09:00:00Z",
});
const moving = pod({ name: "a", image: "acme/web:main", digest: digestOf("a") });

function file(name: string, text: string): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, text);
  return path;
}

function kubeconfigText(servers: Readonly<Record<string, string>>): string {
  return JSON.stringify({
    contexts: Object.keys(servers).map((name) => ({ name, context: { cluster: name } })),
    clusters: Object.entries(servers).map(([name, server]) => ({ name, cluster: { server } })),
  });
}

const report = (...words: readonly string[]) => callPulley(["fleet", "report", ...at, ...words]);

describe("pulley fleet report", () => {
  it("prints what is worst first and the sums last, in lines of 80 columns, with nothing that moves a cursor", async () => {
    const { stdout, status } = await report("--from", file("eu.json", listText([moving, failing, node("n1")])));
    expect(status).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    expect(lines.slice(0, 6)).toEqual([
      "Critical",
      "  Pod prod/web-1 cannot pull ghcr.io/acme/web:2: the node's disk is full",
      "    in eu, for 3h",
      "    pod web-1, on n1; no pod of the workload has this container running",
      expect.stringMatching(/^ {4}\S.*red.* no space left on device$/),
      expect.stringMatching(/^ {4}Free space on the node/),
    ]);
    expect(lines.at(-1)).toBe("1 cluster, 2 pods, 1 node: 1 critical, 1 medium");
    expect(lines.filter((line) => widthOf(line) > 80)).toEqual([]);
    expect(stdout).not.toMatch(/[\u001b\u202e]/);
  });

  it("names clusters as it is told, or as the file is called, and reads standard input", async () => {
    const words = [
      "fleet",
      "report",
      ...at,
      "-o",
      "json",
      "--from",
      "prod=-",
      "--from",
      file("us.json", listText([moving])),
    ];
    const { stdout } = await callPulley(words, {}, Readable.from([listText([moving])]));
    const { clusters, items } = JSON.parse(stdout);
    expect(clusters).toMatchObject([{ name: "prod" }, { name: "us" }]);
    expect(items).toMatchObject([{ kind: "always-missing", clusters: ["prod"] }, { clusters: ["us"] }]);
  });

  it("reports what could be read of a damaged file, says where it ends, and exits with 2", async () => {
    const text = listText([moving, failing]);
    const path = file("eu.json", text.slice(0, text.indexOf("ghcr.io")));
    const { stdout, stderr, status } = await report("--from", path, "--from", "none=/no/such/file", "--fail-on", "low");
    expect(status).toBe(2);
    expect(stderr).toMatch(
      /eu\.json:\d+:\d+: error: the file ends here, in the middle of an object; before it, 1 object/,
    );
    expect(stderr).toContain("/no/such/file:1:1: error: cannot be read: no such file");
    expect(stdout).toContain("Pod prod/a has the moving tag main");
    expect(stdout).toMatch(/^eu +1 +0 +1 +1 +not all was read$/m);
  });

  it("reads clusters by their contexts: one that cannot be read is told of, and the status is 3", async () => {
    const server = await startStandIn((_request, response, url) => {
      const { pathname } = url;
      if (pathname === "/api/v1/nodes") refuse(response, 403, { message: "nodes is forbidden" });
      else if (pathname === "/api/v1/pods") answerPage(response, [moving, failing], url);
      else answerPage(response, [], url);
    });
    const gone = await startStandIn(() => undefined);
    await gone.stop();
    const path = file("kubeconfig", kubeconfigText({ eu: server.url, us: gone.url }));
    const all = await report("--kubeconfig", path, "--all-contexts", "--from", file("asia.json", listText([moving])));
    expect(all.status).toBe(3);
    expect(all.stdout).toContain("Pod prod/web-1 cannot pull ghcr.io/acme/web:2");
    expect(all.stdout).toMatch(/^eu +2 +0 .*not all was read$/m);
    expect(all.stdout).toMatch(/^us +0 +0 .*not all was read$/m);
    expect(all.stderr).toContain('context "eu": GET');
    expect(all.stderr).toMatch(/context "us": GET .*connection refused/);
    const prod = await report("--kubeconfig", path, "--context", "eu", "-n", "prod");
    expect(server.asked.slice(-8).every((asked) => asked.includes("/namespaces/prod/"))).toBe(true);
    expect(prod.status).toBe(0);
    await server.stop();
  });

  it("reads clusters side by side, and reports them in the order of the options", async () => {
    let wasAsked: () => void = () => undefined;
    const usAsked = new Promise<void>((resolve) => {
      wasAsked = resolve;
    });
    const eu = await startStandIn((_request, response, url) => {
      void usAsked.then(() => answerPage(response, [], url));
    });
    const us = await startStandIn((_request, response, url) => {
      wasAsked();
      answerPage(response, url.pathname === "/api/v1/pods" ? [moving] : [], url);
    });
    const path = file("kubeconfig", kubeconfigText({ eu: eu.url, us: us.url }));
    const { stdout, stderr } = await report("--kubeconfig", path, "--context", "eu", "--context", "us", "-o", "json");
    expect(stderr).not.toContain("error:");
    expect(JSON.parse(stdout).clusters).toMatchObject([
      { name: "eu", pods: 0 },
      { name: "us", pods: 1 },
    ]);
    await Promise.all([eu.stop(), us.stop()]);
  });

  it("exits with 1 if there is an item of the severity or a higher one", async () => {
    const path = file("eu.json", listText([moving]));
    expect((await report("--from", path, "--fail-on", "medium")).status).toBe(1);
    expect((await report("--from", path, "--fail-on", "low")).status).toBe(1);
    expect((await report("--from", path, "--fail-on", "high")).status).toBe(0);
  });

  it("groups items by team, and refuses a file of teams with a mistake", async () => {
    const from = ["--from", file("eu.json", listText([moving, failing]))];
    const teams = file("teams.yaml", "teams:\n- { name: web, contact: '#web', namespaces: [prod] }\n");
    const { stdout } = await report(...from, "--teams", teams);
    expect(stdout).toMatch(/^Team web, #web: 1 critical, 1 medium$/m);
    expect(stdout).toMatch(/^web +#web +1 +0 +1 +0 +2 +63$/m);
    const wrong = await report(...from, "--teams", file("teams.yaml", "teams: 5"));
    expect(wrong).toMatchObject({ status: 2, stdout: "" });
    expect(wrong.stderr).toMatch(/teams\.yaml:1:8: error: teams: /);
  });

  it("shows ten of a kind, and all with --all", async () => {
    const many = Array.from({ length: 12 }, (_, number) => pod({ name: `p${number}`, image: "acme/web:main" }));
    const path = file("eu.json", listText(many));
    const shown = async (...words: readonly string[]) =>
      (await report("--from", path, ...words)).stdout.match(/has the moving tag/g)?.length;
    expect(await shown()).toBe(10);
    expect(await shown("--all")).toBe(12);
    expect((await report("--from", path)).stdout).toContain("and 2 more like these");
  });

  it("prints cells that no spreadsheet takes for formulas, and tables for pull requests", async () => {
    const strange = pod({ name: "=a|b", image: "acme/web:main" });
    const path = file(
      "eu.json",
      listText([strange, { ...moving, metadata: { ...moving.metadata, namespace: "=1,2" } }]),
    );
    const { stdout: csv } = await report("--from", path, "-o", "csv");
    expect(csv.split("\n")).toHaveLength(4);
    expect(csv).not.toMatch(/(^|,)"?[=+@]/m);
    const { stdout: markdown } = await report("--from", path, "-o", "markdown");
    expect(markdown.split("\n").slice(0, 4)).toEqual([
      "**1 cluster, 2 pods, 0 nodes: 2 medium**",
      "",
      "| severity | what | clusters | what to do |",
      "|---|---|---|---|",
    ]);
    expect(markdown).toContain("Pod prod/=a\\|b has");
  });

  it("prints one page that has every item", async () => {
    const { stdout } = await report("--from", file("eu.json", listText([moving, failing])), "-o", "html");
    expect(stdout).toMatch(/^<!doctype html>\n/);
    expect([...stdout.matchAll(/<article class="([a-z]+)" id="([a-z-]+):/g)].map((found) => found.slice(1))).toEqual([
      ["critical", "cannot-pull"],
      ["medium", "always-missing"],
    ]);
    expect(stdout).not.toMatch(/[\u001b\u202e]/);
  });

  it("prints policy reports for kubectl apply, of one cluster", async () => {
    const { parseAllDocuments } = await import("yaml");
    const eu = ["--from", file("eu.json", listText([moving, failing, node("n1", [[1, "redis:1"]])]))];
    const { stdout } = await report(...eu, "-o", "wgpolicyk8s");
    const documents = parseAllDocuments(stdout).map((document) => document.toJS());
    expect(documents).toMatchObject([
      { kind: "PolicyReport", metadata: { namespace: "prod" }, summary: { fail: 2 } },
      { kind: "ClusterPolicyReport", summary: { warn: 1 } },
    ]);
    expect((await report(...eu, "-o", "openreports")).stdout).toMatch(
      /^apiVersion: openreports\.io\/v1alpha1\nkind: Report$/m,
    );
    const two = await report(...eu, "--from", file("us.json", listText([])), "-o", "wgpolicyk8s");
    expect(two).toMatchObject({ status: 2, stdout: "" });
    expect(two.stderr).toContain("is for one cluster");
  });

  it.each([
    [["--from", "x.json", "--policy-reports", "auto"], /writes into clusters, and there is none/],
    [[], /there is no cluster to look at/],
    [["--from", "a=x.json", "--from", "a=y.json"], /two clusters have the name a/],
    [["--from", "-", "--fail-on", "worst"], /Allowed choices are critical, high, medium, low/],
  ])("refuses %j", async (words, message) => {
    const { status, stderr } = await report(...words);
    expect(status).toBe(2);
    expect(stderr).toMatch(message);
  });
});

describe("pulley fleet blast-radius", () => {
  it("prints what could not start, what would make it safe, and the sums, in lines of 80 columns", async () => {
    const objects = [
      pod({ name: "b", image: "ghcr.io/acme/web:1", policy: "Always", digest: digestOf("a") }),
      pod({ name: "a", image: "ghcr.io/acme/app:1", digest: digestOf("a") }),
      node("n1"),
      node("n2"),
    ];
    const path = file("eu.json", listText(objects));
    const { stdout, status } = await callPulley(["fleet", "blast-radius", "ghcr.io", "--from", path]);
    expect(status).toBe(0);
    expect(stdout.split("\n")).toEqual([
      "Cannot start a container, not even where they run",
      "  Pod prod/b in eu, 1 pod",
      "    app, ghcr.io/acme/web:1, Always: the registry is asked at each start, and a",
      "    copy is not enough",
      expect.stringMatching(/^ {4}To be safe: pin the image/),
      expect.stringMatching(/^ {4}\S/),
      "",
      "Start only on nodes that have a copy",
      "  Pod prod/a in eu, 1 pod; on 1 of 2 nodes: n1",
      "    app, ghcr.io/acme/app:1, IfNotPresent: a copy on the node is used unasked",
      expect.stringMatching(/^ {4}To be safe: pull its images to the other nodes/),
      "",
      "If ghcr.io is down: 2 workloads: 1 cannot start, 1 only where copies are, 0 safe",
      "",
    ]);
    const { stdout: json } = await callPulley(["fleet", "blast-radius", "quay.io", "-o", "json", "--from", path]);
    expect(JSON.parse(json)).toMatchObject({ kind: "BlastRadius", registry: "quay.io", workloads: [] });
    expect((await callPulley(["fleet", "blast-radius", "a b", "--from", path])).status).toBe(2);
    const lines = async (format: string) =>
      (await callPulley(["fleet", "blast-radius", "ghcr.io", "--from", path, "-o", format])).stdout.split("\n");
    expect(await lines("csv")).toEqual([
      "cluster,kind,namespace,name,outcome,pods,nodes,startsOn,images,advice",
      expect.stringMatching(/^eu,Pod,prod,b,none,1,2,,app: ghcr\.io\/acme\/web:1 \(Always\),"?pin the image/),
      expect.stringMatching(/^eu,Pod,prod,a,copies,1,2,n1,/),
      "",
    ]);
    expect((await lines("markdown")).slice(0, 5)).toEqual([
      "**If ghcr.io is down: 2 workloads: 1 cannot start, 1 only where copies are, 0 safe**",
      "",
      "| workload | cluster | could start on | to be safe |",
      "|---|---|---|---|",
      expect.stringMatching(/^\| Pod prod\/b \| eu \| nowhere \| pin the image/),
    ]);
  });
});

describe("pulley fleet rbac", () => {
  it("prints a role that may list what a report reads, and nothing else", async () => {
    const { parse } = await import("yaml");
    const { stdout } = await callPulley(["fleet", "rbac"]);
    const { kind, rules } = parse(stdout);
    expect(kind).toBe("ClusterRole");
    expect(rules.flatMap((rule: { verbs: string[] }) => rule.verbs)).toEqual(["list", "list", "list"]);
    expect(rules.flatMap((rule: { resources: string[] }) => rule.resources).join()).toBe(
      "nodes,replicationcontrollers,pods,deployments,statefulsets,daemonsets,replicasets,cronjobs,jobs",
    );
    const served = parse((await callPulley(["fleet", "rbac", "--serve"])).stdout);
    expect(served.rules).toEqual(rules.map((rule: object) => ({ ...rule, verbs: ["list", "watch"] })));
    const writing = parse((await callPulley(["fleet", "rbac", "--policy-reports"])).stdout);
    expect(writing.rules.slice(3)).toEqual([
      { apiGroups: ["wgpolicyk8s.io"], resources: ["policyreports", "clusterpolicyreports"], verbs: expect.anything() },
      { apiGroups: ["openreports.io"], resources: ["reports", "clusterreports"], verbs: expect.anything() },
    ]);
    const { stdout: more } = await callPulley(["fleet", "rbac", "--secrets"]);
    expect(parse(more).rules).toEqual([
      ...rules,
      { apiGroups: [""], resources: ["secrets", "serviceaccounts"], verbs: ["get"] },
    ]);
  });
});

describe("pulley fleet serve", () => {
  it.each([
    [[], /there is no cluster to look at/],
    [["--context", "eu", "--interval", "5s"], /it is less than 10s/],
    [["--context", "eu", "--interval", "often"], /use a duration such as 90s, 10m or 1h30m/],
  ])("refuses %j", async (words, message) => {
    const { status, stderr } = await callPulley(["fleet", "serve", ...words]);
    expect(status).toBe(2);
    expect(stderr).toMatch(message);
  });

  it("serves until SIGTERM, and ends with 0", async () => {
    const server = await startObjectServer({ kinds: listedKinds });
    const path = file("kubeconfig", kubeconfigText({ eu: server.context.server.href }));
    const called = callPulley(["fleet", "serve", "--kubeconfig", path, "--context", "eu", "--metrics", "127.0.0.1:0"]);
    await expect.poll(() => server.asked.length).toBeGreaterThan(5);
    process.emit("SIGTERM");
    const { status, stderr } = await called;
    expect(status).toBe(0);
    expect(stderr).toMatch(/metrics and the report are served {2}address=127\.0\.0\.1:\d+$/m);
    await server.stop();
  });
});
