/** Twenty thousand manifests: how long an audit takes, beside other linters where they are installed, and its memory. */
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { tool } from "../test/programs.ts";
import { cache } from "./support/contest.ts";
import { manifests } from "./support/manifests.ts";
import { type Contestant, interleaved, type Measurement, median } from "./support/measure.ts";
import { printResults } from "./support/table.ts";

const runs = 3;

/**
 * Ten times the files may take this many times the memory: an audit remembers, up to a bound, which images it saw in
 * which namespace, and nothing else of a file that it is done with.
 */
const allowedGrowth = 2;

const { folders, files, containers } = await manifests(cache, 20);
const root = dirname(folders[0] ?? cache);
const few = folders.slice(0, 2);

const auditing = [process.execPath, resolve("dist", "pulley.mjs"), "audit", "-o", "json", "--fail-on", "never"];
const findings = await auditedAll();

const all: Contestant = { name: "pulley audit", command: () => [...auditing, root] };
const tenth: Contestant = { name: "pulley audit, a tenth of the files", command: () => [...auditing, ...few] };
const results = await interleaved([all, ...(await peers()), tenth], runs);
printResults(`Auditing ${files} files with ${containers} containers (${findings} findings)`, results);

console.log("\n|  | files per second |\n|---|--:|");
for (const [name, measured] of results) {
  const audited = name === tenth.name ? (files * few.length) / folders.length : files;
  console.log(`| ${name} | ${(audited / median(measured.map(({ wall }) => wall))).toFixed(0)} |`);
}

const growth = memoryOf(all) / memoryOf(tenth);
console.log(
  `\nMemory for ten times the files: ${Number.isNaN(growth) ? "unknown" : `${growth.toFixed(2)} times as much`}`,
);
if (growth > allowedGrowth) process.exitCode = 1;

/** Each with its checks of images alone. */
async function peers(): Promise<Contestant[]> {
  const found: Contestant[] = [];
  const kubeLinter = installed("kube-linter");
  if (kubeLinter !== undefined) {
    const config = join(cache, "kube-linter.yaml");
    await writeFile(config, "checks:\n  doNotAutoAddDefaults: true\n  include: [latest-tag]\n");
    const command = [kubeLinter, "lint", "--config", config, "--format", "json", root];
    found.push({ name: "kube-linter", command: () => command, status: 1 });
  }
  const polaris = installed("polaris");
  if (polaris !== undefined) {
    const checks = "tagNotSpecified,pullPolicyNotAlways";
    const command = [polaris, "audit", "--checks", checks, "--format", "json", "--audit-path", root];
    found.push({ name: "polaris", command: () => command });
  }
  const kubeScore = installed("kube-score");
  if (kubeScore !== undefined) {
    // It takes files only; their names are handed over as the shell would.
    const script = `find "$1" -name "*.yaml" -exec ${kubeScore} score --output-format ci {} + > /dev/null`;
    found.push({ name: "kube-score", command: () => ["sh", "-c", script, "sh", root], status: 1 });
  }
  return [...found, ...(await readings())];
}

/** What kube-linter and Polaris cannot do without, for machines that do not have them: see the program. */
async function readings(): Promise<Contestant[]> {
  const go = installed("go");
  if (go === undefined) return [];
  const program = join(cache, "decode");
  await promisify(execFile)(go, ["build", "-o", program, "."], { cwd: resolve("bench", "peers", "decode") });
  return [
    { name: "reading as kube-linter", command: () => [program, "kube-linter", root] },
    { name: "reading as Polaris", command: () => [program, "polaris", root] },
  ];
}

function installed(name: string): string | undefined {
  const found = tool(name);
  if (found === undefined) console.log(`${name} is not installed, so it is not measured`);
  return found;
}

/** An audit that leaves files out would be fast. */
async function auditedAll(): Promise<number> {
  const [program = "", ...args] = auditing;
  const { stdout } = await promisify(execFile)(program, [...args, root], { maxBuffer: 1024 ** 3 });
  const report = z.object({ summary: z.object({ containers: z.literal(containers) }), findings: z.array(z.unknown()) });
  return report.parse(JSON.parse(stdout)).findings.length;
}

function memoryOf({ name }: Contestant): number {
  const known = (results.get(name) ?? []).map(({ memory }: Measurement) => memory ?? Number.NaN);
  return median(known);
}
