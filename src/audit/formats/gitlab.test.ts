import { expect, test } from "vitest";
import { z } from "zod";
import { gitlab } from "./gitlab.ts";
import { everywhere, hostileTexts, printed, sample } from "./testing/sample.ts";

const report = z.array(
  z.strictObject({
    description: z.string().min(1),
    check_name: z.string(),
    fingerprint: z.string().min(1),
    severity: z.enum(["info", "minor", "major", "critical", "blocker"]),
    location: z.strictObject({
      path: z.string().regex(/^(?!\.\/|\/repo)/),
      lines: z.strictObject({ begin: z.int().min(1), end: z.int().min(1) }),
    }),
  }),
);

test("has what GitLab asks for, whatever the texts are", async () => {
  report.parse(JSON.parse(await printed(gitlab, hostileTexts.map(everywhere))));
  const issues = report.parse(JSON.parse(await printed(gitlab, sample)));
  expect(issues.map(({ severity }) => severity)).toEqual(["minor", "major", "info", "minor"]);
  expect(new Set(issues.map(({ fingerprint }) => fingerprint)).size).toBe(sample.length);
});

test("nothing found is an empty list", async () => {
  expect(await printed(gitlab, [])).toBe("[]\n");
});
