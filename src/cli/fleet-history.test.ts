import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { listText, node, pod } from "../fleet/testing/objects.ts";
import { widthOf } from "../support/terminal.ts";
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

const moving = (name: string, namespace = "shop") => pod({ name, namespace, image: `acme/${name}:main` });
const history = () => ["--history", join(folder, "history.db")];
const dump = (...objects: readonly unknown[]) => ["--from", file("eu.json", listText([...objects, node("n1")]))];
const report = (at: string, ...words: readonly string[]) =>
  callPulley(["fleet", "report", ...history(), "--at", at, ...words]);
const agoOf = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();

describe("a report with a history", () => {
  it("says since when each item is known, and what was fixed since the last run", async () => {
    const first = await report("2026-11-20T10:00:00Z", ...dump(moving("web"), moving("api")));
    expect(first).toMatchObject({ status: 0, stderr: "" });
    expect(first.stdout).toMatch(/^ {4}in eu; new$/m);
    expect(first.stdout).not.toContain("Fixed since");
    const { stdout } = await report("2026-11-23T10:00:00Z", ...dump(moving("web")));
    expect(stdout).toMatch(/^ {4}in eu; first seen 3d ago$/m);
    expect(stdout).toContain(
      "\nFixed since the last run\n  Pod shop/api has the moving tag main with IfNotPresent; after 3d\n",
    );
  });

  it("has both in JSON, and null where there is no history", async () => {
    await report("2026-11-20T10:00:00Z", ...dump(moving("web"), moving("api")));
    const { stdout } = await report("2026-11-23T10:00:00Z", ...dump(moving("web")), "-o", "json");
    const firstSeen = "2026-11-20T10:00:00.000Z";
    expect(JSON.parse(stdout)).toMatchObject({
      items: [{ firstSeen }],
      fixed: [{ kind: "always-missing", severity: "medium", clusters: ["eu"], firstSeen }],
    });
    const without = await callPulley(["fleet", "report", ...dump(moving("web")), "-o", "json"]);
    expect(JSON.parse(without.stdout)).toMatchObject({ items: [{ firstSeen: null }], fixed: null });
  });

  it("records in the user's folder for state, if it is only told to record", async () => {
    const environment = { XDG_STATE_HOME: join(folder, "state") };
    const words = ["fleet", "report", "--record", ...dump(moving("web"))];
    expect((await callPulley(words, environment)).status).toBe(0);
    expect(statSync(join(folder, "state", "pulley", "history.db")).mode & 0o777).toBe(0o600);
    expect((await callPulley(["fleet", "history"], environment)).stdout).toContain("Pod shop/web");
  });

  it("is printed where it cannot be recorded, and the status says so", async () => {
    const words = ["fleet", "report", ...dump(moving("web")), "--history", folder];
    const { stdout, stderr, status } = await callPulley(words);
    expect(stdout).toContain("Pod shop/web has the moving tag main");
    expect(stderr).toContain(`cannot write ${folder}`);
    expect(status).toBe(2);
  });

  it("records nothing that has not happened yet", async () => {
    const { status, stderr } = await report("2099-01-01T00:00:00Z", ...dump(moving("web")));
    expect(status).toBe(2);
    expect(stderr).toContain("what will be found later cannot be recorded");
  });

  it("takes no password from the command line, and does not repeat it", async () => {
    const words = ["fleet", "report", ...dump(moving("web")), "--history", "postgres://me:sesame@127.0.0.1:1/x"];
    const { status, stderr } = await callPulley(words);
    expect(status).toBe(2);
    expect(stderr).toContain("every user of this machine can see a command line");
    expect(stderr).not.toContain("sesame");
  });
});

describe("pulley fleet history", () => {
  beforeEach(async () => {
    const teams = ["--teams", file("teams.yaml", "teams:\n- { name: shop, namespaces: [shop] }\n")];
    await report(agoOf(100), ...teams, ...dump(moving("web"), moving("api"), moving("etl", "data")));
    await report(agoOf(3), ...teams, ...dump(moving("web"), moving("etl", "data")));
  });
  const shown = (...words: readonly string[]) => callPulley(["fleet", "history", ...history(), ...words]);

  it("prints what is open and what was fixed, in lines of 80 columns", async () => {
    const { stdout } = await shown();
    expect(stdout.split("\n")).toEqual([
      "SEVERITY  FIRST  LAST  FIXED       TEAM  WHAT",
      "medium    4d4h   3h    -                 Pod data/etl has the moving tag main",
      "                                         with IfNotPresent, in eu",
      "medium    4d4h   3h    -           shop  Pod shop/web has the moving tag main",
      "                                         with IfNotPresent, in eu",
      "medium    4d4h   4d4h  after 4d1h  shop  Pod shop/api has the moving tag main",
      "                                         with IfNotPresent, in eu",
      "",
      "3 items: 2 open, 1 fixed",
      "",
    ]);
    expect(stdout.split("\n").filter((line) => widthOf(line) > 80)).toEqual([]);
  });

  it.each([
    [["--open"], "etl web"],
    [["--fixed"], "api"],
    [["--since", "36h"], "api"],
    [["--team", "shop"], "web api"],
    [["--team", "shop", "--open"], "web"],
    [["--kind", "cannot-pull"], ""],
    [["--cluster", "us"], ""],
  ])("finds with %j: %s", async (words, names) => {
    const { stdout } = await shown(...words, "-o", "json");
    const { items, kind } = JSON.parse(stdout);
    expect(kind).toBe("FleetHistory");
    expect(items.map((item: { workloads: { name: string }[] }) => item.workloads[0]?.name).join(" ")).toBe(names);
  });

  it("prints cells for spreadsheets", async () => {
    const lines = (await shown("-o", "csv")).stdout.trimEnd().split("\n");
    expect(lines[0]).toBe("id,kind,severity,title,image,clusters,teams,firstSeen,lastSeen,fixedAt,openings");
    expect(lines).toHaveLength(4);
  });

  it("says where there is no history, and makes none", async () => {
    const path = join(folder, "none.db");
    const { status, stderr } = await callPulley(["fleet", "history", "--history", path]);
    expect(status).toBe(2);
    expect(stderr).toContain(`there is no history at ${path}`);
    expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
  });

  it.each([[["--since", "7"]], [["--open", "--fixed"]], [["--kind", "none"]]])("refuses %j", async (words) => {
    expect((await shown(...words)).status).toBe(2);
  });
});

describe("pulley fleet trend", () => {
  beforeEach(async () => {
    await report(agoOf(49), ...dump(moving("web"), moving("api")));
    await report(agoOf(1), ...dump(moving("web")));
  });
  const trend = (...words: readonly string[]) => callPulley(["fleet", "trend", ...history(), ...words]);

  it("prints a table of periods with bars, in lines of 80 columns", async () => {
    const lines = (await trend("--by", "day", "--since", "1w")).stdout.trimEnd().split("\n");
    expect(lines[0]).toMatch(/^DAY {9}OPEN +CRIT +HIGH +MED +LOW +NEW +FIXED +FIXED IN +SCORE$/);
    expect(lines[1]).toMatch(/^\d{4}-\d\d-\d\d +2 +0 +0 +2 +0 +2 +0 +- +83 +#{10,14}$/);
    expect(lines.slice(2).join("\n")).toMatch(/ 1 +0 +0 +1 +0 +0 +1 +2d +83 +#{5,7}(\n|$)/);
    expect(lines.filter((line) => widthOf(line) > 80)).toEqual([]);
  });

  it("prints the same as JSON and as cells", async () => {
    const { stdout } = await trend("--by", "month", "-o", "json");
    const { kind, by, series } = JSON.parse(stdout);
    expect({ kind, by }).toEqual({ kind: "FleetTrend", by: "month" });
    expect(series[0].periods.at(-1)).toMatchObject({ open: { medium: 1 }, score: 83 });
    const csv = (await trend("--by", "month", "--teams", "-o", "csv")).stdout.trimEnd().split("\n");
    expect(csv[0]).toBe("team,from,critical,high,medium,low,opened,fixed,meanSecondsToFix,score");
    expect(csv.at(-1)).toMatch(/^,\d{4}-\d\d-01,0,0,1,0,/);
  });
});
