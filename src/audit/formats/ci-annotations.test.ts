import { expect, test } from "vitest";
import { z } from "zod";
import { printable } from "../../support/terminal.ts";
import { github, gitlab } from "./ci-annotations.ts";
import { everywhere, hostileTexts, printed, sample } from "./testing/sample.ts";

/** A command as the runner takes it apart: at the first `::` behind the properties, those at commas and equals signs. */
function parsed(line: string) {
  const [, command = "", properties = "", data = ""] = /^::([a-z]+) ([^]*?)::([^]*)$/.exec(line) ?? [];
  const entries = properties.split(",").map((property) => {
    const at = property.indexOf("=");
    return [property.slice(0, at), decoded(property.slice(at + 1))];
  });
  return { command, properties: Object.fromEntries(entries), text: decoded(data) };
}

function decoded(text: string): string {
  return text
    .replaceAll("%2C", ",")
    .replaceAll("%3A", ":")
    .replaceAll("%0A", "\n")
    .replaceAll("%0D", "\r")
    .replaceAll("%25", "%");
}

test.each(hostileTexts)(
  "%j comes through in one line: a path as it is, what people read made visible",
  async (text) => {
    const lines = (await printed(github, [everywhere(text)])).split("\n");
    expect(lines).toHaveLength(3);
    const { command, properties, text: message } = parsed(lines[0] ?? "");
    expect(command).toBe("warning");
    expect(properties.file).toBe(text);
    expect(properties.title).toBe(printable(text));
    expect(message.endsWith(`: ${printable(text)}.\n${printable(text)}`)).toBe(true);
  },
);

test("columns are left out where a finding spans lines", async () => {
  const [finding] = sample;
  if (finding === undefined) throw new Error("the sample is empty");
  const region = { ...finding.region, endLine: 12 };
  const { properties } = parsed((await printed(github, [{ ...finding, region }])).split("\n")[0] ?? "");
  expect(properties).toMatchObject({ line: "10", endLine: "12" });
  expect(properties).not.toHaveProperty("col");
});

test("standard input is no file of the repository", async () => {
  expect(await printed(github, sample.slice(3))).toMatch(/^::warning title=[^,]*::/);
});

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

test("GitLab's report has what GitLab asks for, whatever the texts are", async () => {
  report.parse(JSON.parse(await printed(gitlab, hostileTexts.map(everywhere))));
  const issues = report.parse(JSON.parse(await printed(gitlab, sample)));
  expect(issues.map(({ severity }) => severity)).toEqual(["minor", "major", "info", "minor"]);
  expect(new Set(issues.map(({ fingerprint }) => fingerprint)).size).toBe(sample.length);
});

test("nothing found is to GitLab an empty list", async () => {
  expect(await printed(gitlab, [])).toBe("[]\n");
});
