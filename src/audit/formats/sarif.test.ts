import { expect, test } from "vitest";
import type { Finding } from "../types.ts";
import { sarif } from "./sarif.ts";
import { rules as everyRule, everywhere, hostileTexts, printed, sample } from "./testing/sample.ts";
import { sarifShape } from "./testing/sarif-shape.ts";

const [first] = sample;
if (first === undefined) throw new Error("the sample is empty");
const finding: Finding = first;

async function report(findings: readonly Finding[], changes?: Parameters<typeof printed>[2]) {
  const [run] = sarifShape.parse(JSON.parse(await printed(sarif, findings, changes))).runs;
  if (run === undefined) throw new Error("no run");
  return run;
}

test("is valid", async () => {
  const { results, invocations } = await report(sample);
  expect(results.map(({ level }) => level)).toEqual(["warning", "error", "note", "warning"]);
  expect(results.map(({ ruleIndex }) => ruleIndex)).toEqual([1, 0, 2, 1]);
  expect(invocations).toEqual([{ executionSuccessful: true }]);
});

test.each(hostileTexts.filter((text) => text !== ""))("%j is valid", async (text) => {
  const { results } = await report([everywhere(text)]);
  expect(results[0]?.ruleId).toBe(text);
  expect(results[0]).not.toHaveProperty("ruleIndex");
});

test("no text of a manifest becomes a link", async () => {
  const { results } = await report([{ ...finding, message: "[a](https://evil.example) \\", advice: "b" }]);
  expect(results[0]?.message.text).toBe("\\[a\\](https://evil.example) \\\\. b");
});

test("paths: below the root relative, beside it absolute, standard input by its name", async () => {
  const uri = async (file: string) => {
    const { results } = await report([{ ...finding, region: { ...finding.region, file } }]);
    return results[0]?.locations[0]?.physicalLocation.artifactLocation;
  };
  const uriBaseId = "%SRCROOT%";
  expect(await uri("./deploy/web.yaml")).toEqual({ uri: "deploy/web.yaml", uriBaseId });
  expect(await uri("/repo/deploy/é 100%.yaml")).toEqual({ uri: "deploy/%C3%A9%20100%25.yaml", uriBaseId });
  expect(await uri("a:b?c#d[e]'f*")).toEqual({ uri: "a%3Ab%3Fc%23d%5Be%5D%27f%2A", uriBaseId });
  expect(await uri("/elsewhere/web.yaml")).toEqual({ uri: "file:///elsewhere/web.yaml" });
  expect(await uri("-")).toEqual({ uri: "stdin" });
});

test("only pages of the web are linked", async () => {
  const linked = await printed(sarif, sample);
  expect(linked).toContain('"helpUri":"https://');
  const rules = everyRule.map((rule) => ({ ...rule, link: `audit-rules.md#${rule.id}` }));
  const bare = await printed(sarif, sample, { rules });
  sarifShape.parse(JSON.parse(bare));
  expect(bare).not.toMatch(/helpUri|More about|audit-rules/);
});

test("offsets do not count a byte order mark", async () => {
  const { results } = await report([finding], { lineOf: () => "\ufeffapiVersion: v1" });
  const start = finding.region.start - 1;
  expect(results[0]?.locations[0]?.physicalLocation.region).toMatchObject({ charOffset: start, charLength: 12 });
  expect(results[0]?.fixes?.[0]?.artifactChanges[0]?.replacements[0]?.deletedRegion.charOffset).toBe(start);
});

test("a fix has one change a file", async () => {
  const edits = ["a.yaml", "b.yaml", "a.yaml"].map((file, at) => ({ file, start: at, end: at + 1, text: "" }));
  const { results } = await report([{ ...finding, fix: { description: "d", edits, changes: [] } }]);
  const changes = results[0]?.fixes?.[0]?.artifactChanges ?? [];
  expect(changes.map((change) => [change.artifactLocation.uri, change.replacements.length])).toEqual([
    ["a.yaml", 2],
    ["b.yaml", 1],
  ]);
});

test("says so where GitHub shows only a part", async () => {
  const { results, invocations } = await report(Array.from({ length: 5001 }, () => finding));
  expect(results).toHaveLength(5001);
  expect(invocations[0]?.toolExecutionNotifications?.[0]?.message.text).toMatch(/^5001 findings.*5000/);
});

test("the shape refuses what the standard does", async () => {
  const log: unknown = JSON.parse(await printed(sarif, sample));
  const broken = JSON.stringify(log).replace('"startLine":10', '"startLine":0');
  expect(sarifShape.safeParse(JSON.parse(broken)).success).toBe(false);
  const additional = JSON.stringify(log).replace('"level":"warning"', '"level":"warning","line":1');
  expect(sarifShape.safeParse(JSON.parse(additional)).success).toBe(false);
});
