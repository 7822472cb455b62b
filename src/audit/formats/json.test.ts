import { expect, test } from "vitest";
import { json } from "./json.ts";
import { everywhere, printed, sample } from "./testing/sample.ts";

test("has the version of its shape, all findings and the sums", async () => {
  const report: unknown = JSON.parse(await printed(json, sample));
  expect(report).toMatchObject({
    apiVersion: "pulley.dev/v1alpha1",
    kind: "AuditReport",
    findings: sample.map(({ ruleId, fingerprint }) => ({ ruleId, fingerprint })),
    summary: { errors: 1, warnings: 2, notes: 1, fixable: 1, suppressed: 1, files: 14, workloads: 60, containers: 120 },
  });
});

test("texts come through as they are", async () => {
  const text = ']]>\u0000\u2028\ud800"\\';
  const report: unknown = JSON.parse(await printed(json, [everywhere(text)]));
  expect(report).toMatchObject({
    findings: [{ message: text, source: { file: text }, workload: { name: text }, fix: { edits: [{ text }] } }],
  });
});

test("a finding is one line, and labels of pods stay out", async () => {
  const lines = (await printed(json, sample)).split("\n").filter((line) => line.includes('"ruleId"'));
  expect(lines).toHaveLength(sample.length);
  expect(lines.join()).not.toContain("labels");
});
