import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { hostileTexts } from "../../audit/formats/testing/sample.ts";
import { contrast, structureOf, themesOf } from "../../support/html/testing.ts";
import { type ItemKind, itemOf, type Severity } from "../items/item.ts";
import type { FleetReport, ReportedItem } from "../report.ts";
import { fleetHtml } from "./html.ts";
import { fleetStyle } from "./html-style.ts";

const now = Date.parse("2026-11-29T12:00:00Z");

interface ItemWords {
  readonly kind?: ItemKind;
  readonly severity?: Severity;
  readonly text?: string;
  readonly number?: number;
  readonly teams?: readonly string[];
}

function item({ kind = "cannot-pull", severity = "high", text = "x", number = 0, teams = [text] }: ItemWords) {
  const workload = { cluster: text, kind: text, namespace: text, name: text };
  const words = { severity, title: text, advice: text };
  const details = Array.from({ length: 30 }, () => text);
  const found = itemOf(kind, [`${number}`], words, {
    clusters: [text],
    workloads: [workload, workload],
    since: "2026-11-29T09:00:00Z",
    bytes: 4e6,
    details,
    command: text,
    image: text,
  });
  return { ...found, teams, firstSeen: null };
}

function report(items: readonly ReportedItem[], text = "x"): FleetReport {
  const count = (severity: Severity) => items.filter((each) => each.severity === severity).length;
  const counts = { critical: count("critical"), high: count("high"), medium: count("medium"), low: count("low") };
  return {
    apiVersion: "pulley.dev/v1alpha1",
    kind: "FleetReport",
    clusters: [text, "us"].map((name) => ({ name, pods: 1, nodes: 1, workloads: 1, images: 1, complete: false })),
    kinds: [],
    items,
    fixed: null,
    counts,
    teams: [
      { name: text, contact: text, ...counts, workloads: 1, score: 50 },
      { name: null, contact: null, ...counts, workloads: 0, score: null },
    ],
    registries: [],
    notes: [text],
  };
}

const pageOf = (found: FleetReport) => [...fleetHtml(found, { version: "1.2.3", now })].join("");

describe("the page of a report", () => {
  it.each(hostileTexts.filter((text) => text !== ""))("gets no markup from %j", (text) => {
    expect(structureOf(pageOf(report([item({ text })], text)))).toEqual(structureOf(pageOf(report([item({})]))));
  });

  it("asks for nothing, and runs nothing but its own script", () => {
    const page = pageOf(report([item({})]));
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1] ?? "";
    const [, script = ""] = /<script>([^]*?)<\/script>/.exec(page) ?? [];
    const hash = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
    expect(policy).toBe(
      `default-src 'none'; style-src ${hash(fleetStyle)}; script-src ${hash(script)}; base-uri 'none'; form-action 'none'`,
    );
    expect(page).not.toMatch(/\s(?:src|srcset|style|on[a-z]+)=|url\(|@import|<link|<img|<iframe/);
  });

  it("says of each item what it is, where, since when and whose, under its id", () => {
    const { id } = item({});
    const page = pageOf(report([item({ text: "web <1>" })], "web <1>"));
    const article = /<article[^]*?<\/article>/.exec(page)?.[0];
    expect(article).toContain(
      `id="${id}" data-severity="high" data-kind="cannot-pull" data-cluster="0" data-team="0">`,
    );
    expect(article).toContain("<span>in web &lt;1&gt;</span> <span>for 3h</span> <span>team web &lt;1&gt;</span>");
    expect(article).toContain("<li>and 10 more, which -o json lists</li>");
    expect(article).toContain("<summary>2 workloads</summary>");
    expect(article).toContain("<code>web &lt;1&gt;</code>");
    expect(pageOf(report([item({ teams: [] })]))).toContain('data-team="none"');
  });

  it("says since when an item is known, and what is no longer there", () => {
    const firstSeen = "2026-11-26T12:00:00Z";
    const known = { ...item({ number: 1 }), firstSeen };
    const fresh = { ...item({ number: 2 }), firstSeen: "2026-11-29T12:00:00Z" };
    const { id, kind, severity, clusters, teams } = item({});
    const fixed = [{ id, kind, severity, clusters, teams, title: "<gone>", firstSeen }];
    const page = pageOf({ ...report([known, fresh]), fixed });
    expect(page).toContain("<span>first seen 3d ago</span>");
    expect(page).toContain("<span>new</span>");
    expect(page).toMatch(/No longer there <span class="count">1<\/span><\/h2>\n<ul>\n<li>&lt;gone&gt;; after 3d<\/li>/);
    expect(pageOf({ ...report([known]), fixed: [] })).not.toContain("No longer there");
  });

  it("folds groups of more than ten, and leads to every item and section that it names", () => {
    const many = Array.from({ length: 11 }, (_, number) => item({ kind: "unused-image", severity: "low", number }));
    const page = pageOf(report([item({}), ...many]));
    expect([...page.matchAll(/<details class="group"( open)?>/g)].map(([, open]) => open)).toEqual([
      " open",
      undefined,
    ]);
    const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const targets = [...page.matchAll(/href="#([^"]*)"/g)].map(([, target = ""]) => decodeURIComponent(target));
    expect(targets).toHaveLength(14);
    for (const target of targets) expect(ids).toContain(target);
  });

  it("is of bounded size, and says what it leaves out", () => {
    const many = Array.from({ length: 2100 }, (_, number) => item({ number }));
    const page = pageOf(report(many));
    expect(page.match(/<article/g)).toHaveLength(2000);
    expect(page).toContain("100 more, none of them worse: -o json and -o csv list all.");
    const long = pageOf(report([item({ text: "long ".repeat(100_000) })]));
    expect(/<article[^]*?<\/article>/.exec(long)?.[0].length).toBeLessThan(30_000);
  });

  it("has headings without a gap, and says that there is nothing to do", () => {
    const levels = (page: string) => [...page.matchAll(/<h([1-6])>/g)].map(([, level]) => Number(level));
    expect(levels(pageOf({ ...report([item({})]), notes: [] }))).toEqual([1, 2, 2, 3, 4]);
    const empty = pageOf({ ...report([]), notes: [] });
    expect(empty).toContain("2 clusters, 2 pods, 2 nodes: nothing to do");
    expect(empty).not.toContain("<form");
  });

  it("has colours that stand out from a card, 4.5 to 1: light, dark and on paper", () => {
    const themes = themesOf(fleetStyle);
    expect(themes).toHaveLength(3);
    for (const theme of themes) {
      for (const ink of ["ink", "quiet", "error", "warning", "note", "link"])
        expect(contrast(theme.get(ink) ?? "", theme.get("card") ?? ""), ink).toBeGreaterThanOrEqual(4.5);
    }
  });
});
