// The reference pages, written from the program itself so that they cannot say anything else than it does.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { auditRulesPage } from "./audit-rules-page.mjs";
import { metricsPage } from "./metrics-page.mjs";
import { capture, root } from "./run.mjs";
import { StepError } from "./say.mjs";

/** The texts of the generated pages, by their paths. */
export async function pages() {
  return {
    "docs/commands.md": await commandsPage(),
    "docs/errors.md": await errorsPage(),
    "docs/audit-rules.md": await auditRulesPage(await load("src/audit/index.ts"), origin),
    "docs/metrics.md": metricsPage(
      await load("src/daemon/metrics/catalogue.ts"),
      await load("src/fleet/serve/catalogue.ts"),
      origin,
    ),
    "schema/blast-radius.json": schemaText((await load("src/fleet/blast-radius-schema.ts")).blastRadiusJsonSchema()),
    "schema/fleet-history.json": schemaText((await load("src/fleet/history/history-schema.ts")).historyJsonSchema()),
    "schema/fleet-simulation.json": schemaText((await load("src/fleet/simulation-schema.ts")).simulationJsonSchema()),
    "schema/fleet-trend.json": schemaText((await load("src/fleet/history/trend-schema.ts")).trendJsonSchema()),
    "schema/fleet.json": schemaText((await load("src/fleet/report-schema.ts")).fleetJsonSchema()),
    "schema/imagepullpolicy.json": schemaText((await load("src/policy/language/json-schema.ts")).policyJsonSchema()),
    "schema/outdated.json": schemaText((await load("src/versions/report-schema.ts")).outdatedJsonSchema()),
  };
}

/** @param {Record<string, unknown>} schema */
function schemaText(schema) {
  return `${JSON.stringify(schema, null, 2)}\n`;
}

async function commandsPage() {
  const overview = await help([]);
  const names = [...overview.matchAll(/^ {2}([a-z]+) .*$/gm)]
    .map(([, name = ""]) => name)
    .filter((name) => name !== "help");
  const sections = await Promise.all(names.map(async (name) => `## pulley ${name}\n\n${fenced(await help([name]))}`));
  return `# The commands\n\n${origin}\n\n${fenced(overview)}\n\n${sections.join("\n\n")}\n`;
}

/** @param {string[]} command */
async function help(command) {
  const program = [...command, "--help"];
  const env = { ...process.env, NO_COLOR: "1", COLUMNS: "100" };
  const { status, stdout, output } = await capture(process.execPath, ["dist/pulley.mjs", ...program], { env });
  if (status !== 0) throw new StepError(`pulley ${program.join(" ")} ended with status ${status}:\n${output}`);
  return stdout.trimEnd();
}

async function errorsPage() {
  const { errorTable } = await load("src/support/errors.ts");
  const rows = Object.entries(errorTable).map(([code, { exit, advice }]) => `| \`${code}\` | ${exit} | ${advice} |`);
  const meaning =
    "The exit status says whose turn it is: **1** the answer is no, **2** the call or an input file is wrong, **3** something that the answer depends on could not be reached, or an internal error.";
  return `# The errors\n\n${origin}\n\n${meaning}\n\n| code | exit | what to do |\n|---|---|---|\n${rows.join("\n")}\n`;
}

const origin = "<!-- Written by `npm run docs`; change the program, not this page. -->";

/** @param {string} text */
function fenced(text) {
  return `\`\`\`text\n${text}\n\`\`\``;
}

/** What a TypeScript module exports. @param {string} path */
async function load(path) {
  const { build } = await import("rolldown");
  const folder = join(root, ".cache", `docs-${process.pid}`);
  const file = join(folder, `${path.replaceAll("/", "-")}.mjs`);
  try {
    await build({ input: path, cwd: root, platform: "node", output: { file, codeSplitting: false } });
    return await import(pathToFileURL(file).href);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
