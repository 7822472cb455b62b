import { readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { stringify } from "yaml";
import { unifiedDiff } from "../audit/index.ts";
import { certificatesIn, convert, hostsToml, type ImportedRule, readRegistriesConf, readToml } from "../hosts/index.ts";
import { createFile } from "../support/atomic-file.ts";
import { errnoOf, errorText, hasErrno, PulleyError } from "../support/errors.ts";
import { plural } from "../support/format.ts";
import { readConfigFile } from "../support/input-file.ts";
import type { Io } from "./io.ts";
import type { OutputOptions } from "./options.ts";
import { print } from "./output.ts";
import { printLine } from "./printing.ts";
import { printProblems } from "./problems.ts";

export interface ImportOptions extends OutputOptions {
  readonly into: string;
  readonly dryRun?: true;
  readonly certDir: readonly string[];
}

interface HostsFile {
  readonly path: string;
  readonly text: string;
  /** The current content. */
  readonly before: string | undefined;
}

/** Writes no file if one of them exists with another content. */
export async function importRegistriesConf(
  paths: readonly string[],
  { into, dryRun, certDir, output }: ImportOptions,
  io: Io,
): Promise<number> {
  const files = paths.flatMap(filesOf);
  const converted = convert(readRegistriesConf(files.map(readToml)));
  const planned = converted.files.map((file): HostsFile => {
    const path = join(into, file.folder, "hosts.toml");
    return { path, text: hostsToml(file, files, (host) => certificatesOf(host, certDir)), before: textOf(path) };
  });
  const changed = planned.filter(({ text, before }) => text !== before);
  if (dryRun === undefined) write(changed);
  const policy = converted.rules.length === 0 ? null : policyOf(converted.rules);
  const value = {
    apiVersion: "pulley.dev/v1alpha1",
    files: planned.map(({ path, text, before }) => ({ path, text, changed: text !== before })),
    policy,
    leftOut: converted.leftOut,
  };
  if (output === "text") printNotes(changed, value.leftOut, dryRun === true, io);
  await print(output, value, () => lines(changed, policy, dryRun === true), io);
  return 0;
}

function printNotes(
  changed: readonly HostsFile[],
  leftOut: Parameters<typeof printProblems>[0]["problems"],
  dryRun: boolean,
  io: Io,
): void {
  for (const { path } of dryRun ? [] : changed) printLine("stderr", path, io);
  const warnings = leftOut.map(({ source, message }) => ({ source, message: `left out: ${message}` }));
  printProblems({ problems: [], warnings }, io);
}

/** Standard output gets the diff and the policy, for further use. */
function lines(changed: readonly HostsFile[], policy: object | null, dryRun: boolean): readonly string[] {
  const diffs = dryRun ? changed.map(diff) : [];
  const yaml = policy === null ? [] : [stringify(policy, { lineWidth: 0 }).trimEnd()];
  return [...diffs, ...yaml].flatMap((text) => text.split("\n"));
}

function diff({ path, text, before = "" }: HostsFile): string {
  return unifiedDiff(path, before, [{ file: path, start: 0, end: before.length, text }]).trimEnd();
}

function write(changed: readonly HostsFile[]): void {
  const taken = changed.filter(({ before }) => before !== undefined).map(({ path }) => path);
  if (taken.length > 0) {
    const what = plural(taken.length, "file");
    throw new PulleyError("OUTPUT_UNWRITABLE", `${what} would be overwritten: ${taken.join(", ")}`, {
      advice:
        "Nothing was written. See the differences with --dry-run, then move the files away or choose another --into.",
    });
  }
  for (const { path, text } of changed) createFile(path, text);
}

function policyOf(rules: readonly ImportedRule[]): object {
  const [apiVersion, kind] = ["pulley.dev/v1alpha1", "ImagePullPolicy"];
  return { apiVersion, kind, metadata: { name: "registries-conf" }, spec: { rules } };
}

/** A file and then those of the folder beside it, as containers-image reads them; a folder is read alone. */
function filesOf(path: string): readonly string[] {
  return isFolder(path) ? dropIns(path) : [path, ...(isFolder(`${path}.d`) ? dropIns(`${path}.d`) : [])];
}

function dropIns(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith(".conf"))
      .sort()
      .map((name) => join(folder, name));
  } catch (cause) {
    throw new PulleyError("INPUT_UNREADABLE", `cannot read ${folder}: ${errnoOf(cause) ?? errorText(cause)}`, {
      cause,
    });
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function certificatesOf(host: string, folders: readonly string[]) {
  const found = folders.map((folder) => certificatesIn(resolve(folder, host)));
  return { authorities: found.flatMap(({ authorities }) => authorities), own: found.flatMap(({ own }) => own) };
}

function textOf(path: string): string | undefined {
  try {
    return readConfigFile(path).toString("utf8");
  } catch (cause) {
    if (hasErrno(cause, "ENOENT", "ENOTDIR")) return undefined;
    if (cause instanceof PulleyError) throw cause;
    throw new PulleyError("INPUT_UNREADABLE", `cannot read ${path}: ${errnoOf(cause) ?? errorText(cause)}`, { cause });
  }
}
