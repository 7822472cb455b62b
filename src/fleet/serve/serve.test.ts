import { once } from "node:events";
import { get } from "node:http";
import { text } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import { openCluster } from "../../cluster/api.ts";
import { startObjectServer } from "../../cluster/testing/object-server.ts";
import { type LogFields, logTo } from "../../support/log.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { readExposition } from "../../support/monitoring/testing/exposition.ts";
import { listedKinds } from "../live.ts";
import { type FleetReport, fleetReport } from "../report.ts";
import { readTeams } from "../teams-file.ts";
import { node, pod } from "../testing/objects.ts";
import { fleetCatalogue } from "./catalogue.ts";
import { createFleetMetrics } from "./metrics.ts";
import { type ServeOptions, serveFleet } from "./serve.ts";

const start = Date.parse("2026-11-29T12:00:00Z");
const interval = 600_000;
const moving = pod({ name: "moving", image: "acme/web:main" });
const waiting = pod({ name: "waiting", image: "acme/web:2", waiting: ["ErrImagePull", "no space left on device"] });

type TestPod = ReturnType<typeof pod>;
const podKind = { apiVersion: "v1", kind: "Pod", plural: "pods" };
const nodeKind = { apiVersion: "v1", kind: "Node", plural: "nodes", isClusterWide: true };
const kinds = [nodeKind, podKind, ...listedKinds.filter(({ kind }) => kind !== "Pod" && kind !== "Node")];

/** A cluster of which a test may change what is in it, whether it answers, and whether it may be watched. */
async function standIn(name: string, pods: readonly TestPod[]) {
  const state = { answers: true, watches: true };
  const refuses = ({ searchParams }: URL) => {
    if (!state.answers) return 500;
    return searchParams.has("watch") && !state.watches ? 403 : undefined;
  };
  const server = await startObjectServer({ kinds, name, refuses });
  const put = (object: TestPod) => server.put(podKind, object);
  for (const each of pods) put(each);
  server.put(nodeKind, node("n1"));
  // Waits between attempts are not waited for; what limits a login is never due.
  const clock = {
    now: () => start,
    sleep: (milliseconds: number) => (milliseconds > 100_000 ? new Promise<void>(() => undefined) : Promise.resolve()),
  };
  const api = openCluster(server.context, { environment: {}, userAgent: "pulley/test", clock });
  onTestFinished(async () => {
    api.close();
    await server.stop();
  });
  const asked = (what: "limit" | "watch") => server.asked.filter((each) => each.includes(`${what}=`)).length;
  return { api, state, server, put, remove: ({ metadata }: TestPod) => server.remove(podKind, metadata), asked };
}

/** All are watched: what is lost of them from now on is noticed. */
async function isWatched({ asked }: Awaited<ReturnType<typeof standIn>>): Promise<void> {
  await expect.poll(() => asked("watch"), { interval: 5 }).toBe(listedKinds.length);
}

async function serving(options: Partial<ServeOptions> & Pick<ServeOptions, "apis">) {
  const clock = manualClock(start);
  const ending = new AbortController();
  const lines: (LogFields & { readonly level: string; readonly message: string })[] = [];
  const log = logTo((level, message, fields) => lines.push({ level, message, ...fields }));
  const { teams } = readTeams("teams:\n- { name: shop, namespaces: [prod] }", "teams.yaml");
  let listening: (address: string) => void = () => undefined;
  const address = new Promise<string>((resolve) => {
    listening = resolve;
  });
  const ended = serveFleet({
    namespaces: undefined,
    interval,
    takers: [],
    report: ({ clusters, incomplete, now }) => fleetReport(clusters, { policy: undefined, teams, incomplete, now }),
    address: "127.0.0.1:0",
    hosts: [],
    version: "1.2.3",
    clock,
    log,
    signal: ending.signal,
    onListening: listening,
    ...options,
  });
  const end = async () => {
    ending.abort(new Error("SIGTERM"));
    await ended;
  };
  onTestFinished(end);
  const origin = `http://${await address}`;
  let passes = 0;
  const reports = () => lines.filter(({ message }) => message === "a report was made").length;
  const passed = async () => {
    passes += 1;
    await expect.poll(reports, { interval: 5 }).toBe(passes);
    await expect.poll(() => clock.sleepers, { interval: 5 }).toBeGreaterThan(0);
  };
  const pass = async () => {
    await clock.advance(interval);
    await passed();
  };
  return {
    end,
    lines,
    clock,
    passed,
    pass,
    /** A change is on its way for a moment; the reports after that have it. */
    passUntil: async (look: () => Promise<number | undefined>, wanted: number) => {
      await expect
        .poll(async () => {
          await pass();
          return look();
        })
        .toBe(wanted);
    },
    fetch: (path: string, headers: Record<string, string> = {}) => fetch(`${origin}${path}`, { headers }),
    metric: async (name: string, labels: Readonly<Record<string, string>> = {}) => {
      const samples = readExposition(await (await fetch(`${origin}/metrics`)).text()).get(name)?.samples ?? [];
      return samples.find((sample) => Object.entries(labels).every(([key, value]) => sample.labels[key] === value))
        ?.value;
    },
    origin,
  };
}

describe("pulley fleet serve", () => {
  it("serves what is in all clusters, and what is solved is 0", async () => {
    const [eu, us] = [await standIn("eu", [moving, waiting]), await standIn("us", [moving])];
    const served = await serving({ apis: [eu.api, us.api] });
    await served.passed();
    const critical = { cluster: "eu", kind: "cannot-pull", severity: "critical", team: "shop" };
    expect(await served.metric("pulley_fleet_items", critical)).toBe(1);
    expect(await served.metric("pulley_fleet_items", { cluster: "us", kind: "always-missing" })).toBe(1);
    expect(await served.metric("pulley_fleet_pods", { cluster: "eu" })).toBe(2);
    expect(await served.metric("pulley_fleet_cluster_complete", { cluster: "us" })).toBe(1);
    expect(await served.metric("pulley_fleet_report_timestamp_seconds")).toBe(start / 1000);
    await isWatched(eu);
    eu.remove(waiting);
    eu.put(pod({ name: "new", image: "acme/web:main" }));
    us.remove(moving);
    await served.passUntil(() => served.metric("pulley_fleet_items", critical), 0);
    await served.passUntil(() => served.metric("pulley_fleet_pods", { cluster: "us" }), 0);
    expect(await served.metric("pulley_fleet_pods", { cluster: "eu" })).toBe(2);
    const { items } = JSON.parse(await (await served.fetch("/report")).text());
    expect(JSON.stringify(items)).toContain('"new"');
    expect([eu.asked("limit"), us.asked("limit")]).toEqual([listedKinds.length, listedKinds.length]);
  });

  it("goes on where a watch broke off, without another list", async () => {
    const eu = await standIn("eu", [moving]);
    const served = await serving({ apis: [eu.api] });
    await served.passed();
    await isWatched(eu);
    eu.server.cut();
    eu.put(waiting);
    // Each of them waits for a moment before it goes on; the next report is not due for long.
    await expect.poll(() => served.clock.sleepers, { interval: 5 }).toBe(1 + listedKinds.length);
    await served.clock.advance(2_000);
    await expect.poll(() => eu.asked("watch"), { interval: 5 }).toBe(2 * listedKinds.length);
    await served.passUntil(() => served.metric("pulley_fleet_pods", { cluster: "eu" }), 2);
    expect(await served.metric("pulley_fleet_cluster_complete", { cluster: "eu" })).toBe(1);
    expect(eu.asked("limit")).toBe(listedKinds.length);
  });

  it("lists a cluster that it may not watch for each report, and says so once", async () => {
    const eu = await standIn("eu", [moving]);
    eu.state.watches = false;
    const served = await serving({ apis: [eu.api] });
    await served.passed();
    await isWatched(eu);
    for (const pods of [2, 3]) {
      eu.put(pod({ name: `new-${pods}`, image: "acme/web:2" }));
      await served.pass();
      expect(await served.metric("pulley_fleet_pods", { cluster: "eu" })).toBe(pods);
      expect(await served.metric("pulley_fleet_cluster_complete", { cluster: "eu" })).toBe(1);
      expect(eu.asked("limit")).toBe(pods * listedKinds.length);
      await expect.poll(() => eu.asked("watch"), { interval: 5 }).toBe(pods * listedKinds.length);
    }
    const warnings = served.lines.filter(({ level }) => level === "warn");
    expect(warnings).toEqual([
      expect.objectContaining({ cluster: "eu", message: expect.stringContaining("may not be watched") }),
    ]);
    eu.state.watches = true;
    await served.pass();
    await expect.poll(() => eu.asked("watch"), { interval: 5 }).toBe(4 * listedKinds.length);
    await served.pass();
    expect(eu.asked("limit")).toBe(4 * listedKinds.length);
  });

  it("goes on without a cluster that is down, with what is known of it, and says so", async () => {
    const [eu, us] = [await standIn("eu", [waiting]), await standIn("us", [])];
    const served = await serving({ apis: [eu.api, us.api] });
    await served.passed();
    await isWatched(eu);
    eu.state.answers = false;
    eu.server.cut();
    us.put(waiting);
    await expect.poll(() => served.clock.sleepers, { interval: 5 }).toBe(1 + listedKinds.length);
    await served.pass();
    expect(await served.metric("pulley_fleet_items", { cluster: "eu", kind: "cannot-pull" })).toBe(1);
    expect(await served.metric("pulley_fleet_cluster_complete", { cluster: "eu" })).toBe(0);
    expect(await served.metric("pulley_fleet_cluster_last_success_timestamp_seconds", { cluster: "eu" })).toBe(
      start / 1000,
    );
    await served.passUntil(() => served.metric("pulley_fleet_items", { cluster: "us", kind: "cannot-pull" }), 1);
    const at = served.clock.now() / 1000;
    expect(await served.metric("pulley_fleet_cluster_last_success_timestamp_seconds", { cluster: "us" })).toBe(at);
    const { clusters, notes } = JSON.parse(await (await served.fetch("/report")).text());
    expect(clusters).toMatchObject([
      { name: "eu", complete: false },
      { name: "us", complete: true },
    ]);
    expect(notes[0]).toBe("eu: all of it was read last at 2026-11-29T12:00:00.000Z");
    expect(served.lines).toContainEqual(
      expect.objectContaining({
        level: "warn",
        cluster: "eu",
        error: expect.stringContaining("500 Internal Server Error"),
      }),
    );
    eu.state.answers = true;
    await served.pass();
    expect(await served.metric("pulley_fleet_cluster_complete", { cluster: "eu" })).toBe(1);
  });

  it("is ready with the first report, and serves it to browsers and to programs", async () => {
    let go: () => void = () => undefined;
    const gone = new Promise<void>((resolve) => {
      go = resolve;
    });
    const eu = await standIn("eu", [waiting, moving]);
    const api = {
      ...eu.api,
      get: async (request: Parameters<typeof eu.api.get>[0]) => {
        await gone;
        return eu.api.get(request);
      },
    };
    const served = await serving({ apis: [api] });
    expect((await served.fetch("/readyz")).status).toBe(503);
    expect((await served.fetch("/report")).status).toBe(503);
    expect((await served.fetch("/healthz")).status).toBe(200);
    go();
    await served.passed();
    expect((await served.fetch("/readyz")).status).toBe(200);
    const json = await served.fetch("/report", { accept: "*/*" });
    expect(json.headers.get("content-type")).toBe("application/json");
    expect(await json.json()).toMatchObject({ kind: "FleetReport", items: [{ kind: "cannot-pull" }, {}] });
    const html = await served.fetch("/report", { accept: "text/html,application/xhtml+xml;q=0.9" });
    expect(html.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(await html.text()).toMatch(/^<!doctype html>[^]*cannot pull acme\/web:2/);
    expect((await served.fetch("/report.html")).headers.get("content-type")).toMatch(/html/);
    expect(await (await served.fetch("/")).text()).toBe(
      "only /metrics, /report, /report.json, /report.html, /healthz and /readyz are served here\n",
    );
  });

  it("answers no web page that has its own name mean this machine", async () => {
    const served = await serving({ apis: [(await standIn("eu", [])).api], hosts: ["fleet.acme.io"] });
    const status = async (host: string) => {
      const [response] = await once(get(`${served.origin}/report`, { headers: { host } }), "response");
      await text(response);
      return response.statusCode;
    };
    expect(await status("evil.example")).toBe(421);
    expect(await status("fleet.acme.io")).not.toBe(421);
  });

  it("hands each report on, whatever another taker says", async () => {
    const taken: number[] = [];
    const takers = [
      { name: "broken", take: () => Promise.reject(new Error("no space")) },
      {
        name: "history",
        take: async (report: FleetReport) => {
          taken.push(1);
          return { ...report, notes: ["joined"] };
        },
      },
    ];
    const served = await serving({ apis: [(await standIn("eu", [])).api], takers });
    await served.passed();
    await served.pass();
    expect(taken).toHaveLength(2);
    expect(JSON.parse(await (await served.fetch("/report")).text()).notes).toEqual(["joined"]);
    expect(await served.metric("pulley_fleet_reports_handed_on_total", { to: "broken", result: "failure" })).toBe(2);
    expect(await served.metric("pulley_fleet_reports_handed_on_total", { to: "history", result: "success" })).toBe(2);
    expect(served.lines).toContainEqual(expect.objectContaining({ level: "error", to: "broken", error: "no space" }));
  });

  it("ends with the signal, in the middle of a reading", async () => {
    const eu = await standIn("eu", []);
    const api = {
      ...eu.api,
      get: ({ signal }: Parameters<typeof eu.api.get>[0]) =>
        new Promise<never>((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason))),
    };
    const served = await serving({ apis: [api] });
    await served.end();
    await expect(served.fetch("/healthz")).rejects.toThrow();
  });
});

describe("the metrics of a fleet", () => {
  it("are told in the exposition format, and have few labels whatever the teams are called", async () => {
    const metrics = createFleetMetrics("1.2.3", ["eu"]);
    const teams = Array.from({ length: 300 }, (_, at) => `team ${at}\n"`);
    const report = fleetReport([], { policy: undefined, teams: [], incomplete: new Set(), now: start });
    const [item] = [{ id: "x:1", clusters: ["eu"], teams }];
    metrics.reportMade(
      {
        ...report,
        items: [
          {
            kind: "cannot-pull",
            severity: "high",
            title: "",
            workloads: [],
            image: null,
            cause: null,
            since: null,
            firstSeen: null,
            bytes: null,
            details: [],
            advice: "",
            command: null,
            ...item,
          },
        ],
      },
      start,
    );
    metrics.handedOn("history", "success");
    metrics.inputReloaded({ input: "teams", result: "failure" });
    metrics.passEnded(1500);
    metrics.clusterRead({ cluster: "eu", complete: true, endedAt: start, milliseconds: 20 });
    const families = readExposition(await metrics.text());
    for (const { name, type, help } of Object.values(fleetCatalogue))
      expect(families.get(name), name).toMatchObject({ type, help });
    const { samples = [] } = families.get("pulley_fleet_items") ?? {};
    expect(samples).toHaveLength(201);
    expect(samples.find(({ labels }) => labels["team"] === "other")?.value).toBe(100);
  });
});
