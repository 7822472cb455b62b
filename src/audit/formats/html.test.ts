import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { contrast, structureOf, themesOf } from "../../support/html/testing.ts";
import type { Finding } from "../types.ts";
import { html } from "./html.ts";
import { everywhere, hostileTexts, printed, rules, sample } from "./testing/sample.ts";

test.each(hostileTexts.filter((text) => text !== ""))("%j adds no markup", async (text) => {
  const lineOf = (file: string) => `image: ${file} more`;
  const plain = await printed(html, [everywhere("plain")], { lineOf });
  expect(structureOf(await printed(html, [everywhere(text)], { lineOf }))).toEqual(structureOf(plain));
});

test("asks for nothing, and runs nothing but its own script", async () => {
  const page = await printed(html, sample);
  const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1] ?? "";
  const [, script = ""] = /<script>([^]*?)<\/script>/.exec(page) ?? [];
  const [, style = ""] = /<style>([^]*?)<\/style>/.exec(page) ?? [];
  const hash = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
  expect(policy).toBe(
    `default-src 'none'; style-src ${hash(style)}; script-src ${hash(script)}; base-uri 'none'; form-action 'none'`,
  );
  expect(page).not.toMatch(/\s(?:src|srcset|style|on[a-z]+)=|url\(|@import|<link|<img|<iframe/);
});

test("only pages of the web are linked", async () => {
  const bad = rules.map((rule) => ({ ...rule, link: "javascript:alert(1)" }));
  expect(await printed(html, sample, { rules: bad })).not.toContain("javascript:");
  expect(await printed(html, sample)).toContain('<a href="https://pulley.dev/docs/audit-rules#tag-moving">');
});

test("headings go down without a gap, and every table names its columns and rows", async () => {
  const page = await printed(html, sample);
  const levels = [...page.slice(page.indexOf("</template>")).matchAll(/<h([1-6])>/g)].map(([, level]) => Number(level));
  expect(new Set(levels)).toEqual(new Set([1, 2, 3]));
  expect(levels.filter((level) => level === 1)).toHaveLength(1);
  for (const [table] of page.matchAll(/<table>[^]*?<\/table>/g)) {
    expect(table).toContain("<caption>");
    expect(table.match(/<th scope="col">/g)).toHaveLength(4);
    expect(table.match(/<th scope="row">/g)?.length).toBe((table.match(/<tr>/g)?.length ?? 0) - 1);
  }
});

test("counts by rule, file and namespace, the severest first", async () => {
  const page = await printed(html, sample);
  const rows = [...page.matchAll(/<th scope="row">(.*?)<\/th>(.*?)<\/tr>/g)].map(([, head = "", cells = ""]) => [
    head.replace(/<[^>]*>/g, ""),
    ...[...cells.matchAll(/>(\d+)</g)].map(([, count]) => Number(count)),
  ]);
  expect(rows).toEqual([
    ["reference-invalid The image is not a reference", 1, 0, 0],
    ["tag-moving The image&#39;s tag moves", 0, 2, 0],
    ["template-not-rendered A template that has not been rendered", 0, 0, 1],
    ["deploy/web.yaml", 1, 1, 0],
    ["Standard input", 0, 1, 0],
    ["charts/shop &amp; co/Chart #1.yaml", 0, 0, 1],
    ["prod", 1, 1, 0],
    ["none", 0, 1, 0],
  ]);
});

test("a table's tail is summed up, and every link of the page leads somewhere", async () => {
  const [finding] = sample;
  if (finding === undefined) throw new Error("the sample is empty");
  const findings: Finding[] = Array.from({ length: 15 }, (_, index) => ({
    ...finding,
    region: { ...finding.region, file: `${index % 13}.yaml` },
  }));
  const page = await printed(html, findings);
  expect(page).toContain('<i>3 more</i></th><td class="zero">0</td><td class="warning">3</td>');
  const ids = [...page.matchAll(/ id="(file-\d+)"/g)].map(([, id]) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const [, target] of page.matchAll(/href="#([^"]*)"/g)) expect(ids).toContain(target);
});

test("texts stand out from what is behind them, 4.5 to 1: light, dark and on paper", async () => {
  const page = await printed(html, []);
  const themes = themesOf(page);
  expect(themes).toHaveLength(3);
  for (const colours of themes) {
    const ratio = (front: string, back: string) => contrast(colours.get(front) ?? "", colours.get(back) ?? "");
    for (const ink of ["ink", "quiet", "link"]) {
      for (const back of ["page", "card", "code"])
        expect(ratio(ink, back), `${ink} on ${back}`).toBeGreaterThanOrEqual(4.5);
    }
    for (const ink of ["error", "warning", "note", "fix"]) expect(ratio(ink, "card"), ink).toBeGreaterThanOrEqual(4.5);
    expect(ratio("ink", "mark")).toBeGreaterThanOrEqual(4.5);
  }
});
