/** What is wrong with the folders that containerd's `config_path` names, and the `hosts.toml` files in them. */
import { type Dirent, existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, errorText, isPulleyError, PulleyError } from "../../support/errors.ts";
import { readHostsFile } from "../hosts-file.ts";
import { parseToml, readTomlText, type TomlDocument } from "../toml.ts";
import { certificateFindings } from "./certificates.ts";
import type { HostsFinding } from "./finding.ts";
import { folderFindings, type RootFolder, registryOf } from "./folders.ts";
import { lost, refusals, unreadKeys, withoutHosts } from "./keys.ts";
import { tableFindings } from "./tables.ts";

export interface HostsReport {
  /** In the order of the files, and in each of its lines. */
  readonly findings: readonly HostsFinding[];
  /** The `hosts.toml` files that were read, with their texts. */
  readonly files: ReadonlyMap<string, string>;
  /** Whether one of them is not TOML at all, or cannot be read. */
  readonly unreadable: boolean;
}

/**
 * @param paths folders as in `config_path`, in their order, or single `hosts.toml` files
 * @param now milliseconds since the epoch, for certificates
 * @throws PulleyError `INPUT_UNREADABLE` if a path is neither
 */
export function checkHosts(paths: readonly string[], now: number): HostsReport {
  const roots = paths.filter(isFolder);
  const folders = roots.flatMap((root) =>
    subfolders(root).map((name): RootFolder => ({ root, name, registry: registryOf(name) })),
  );
  const single = paths.filter((path) => !roots.includes(path));
  const findings: HostsFinding[] = [];
  const files = new Map<string, string>();
  let unreadable = false;
  const aboutFolders = folderFindings(roots, folders);
  const check = (file: string, folder: string) => {
    const found = checkFile(file, folder, now);
    findings.push(...found.findings);
    if (found.text !== undefined) files.set(file, found.text);
    unreadable ||= found.unreadable;
  };
  for (const { root, name } of folders) {
    const folder = join(root, name);
    findings.push(...aboutFolders.filter(({ file }) => file === folder));
    if (existsSync(join(folder, "hosts.toml"))) check(join(folder, "hosts.toml"), folder);
  }
  for (const file of single) check(file, join(file, ".."));
  return { findings, files, unreadable };
}

interface Checked {
  readonly findings: readonly HostsFinding[];
  readonly text?: string;
  readonly unreadable: boolean;
}

function checkFile(file: string, folder: string, now: number): Checked {
  let text: string;
  try {
    text = readTomlText(file);
  } catch (error) {
    const problem = { message: errorText(error), advice: "Make it a text file that containerd may read." };
    return { findings: [{ rule: "file-unreadable", severity: "error", file, ...problem }], unreadable: true };
  }
  let document: TomlDocument;
  try {
    document = parseToml(text, file);
  } catch (error) {
    return { findings: [notToml(file, text, error)], text, unreadable: true };
  }
  const read = readHostsFile(document, folder);
  const findings = [
    ...refusals(document, read),
    ...unreadKeys(document),
    ...(read.problems.length === 0 ? withoutHosts(document) : []),
    ...tableFindings(document, read),
    ...read.hosts.flatMap((table) => certificateFindings(document, table, now)),
  ];
  return { findings: distinct(findings).sort(byPlace), text, unreadable: false };
}

function notToml(file: string, text: string, error: unknown): HostsFinding {
  if (!isPulleyError(error)) throw error;
  const [, line, column, said] = /:([0-9]+):([0-9]+): (.*)$/s.exec(error.message) ?? [];
  const mirrors = new Set(text.match(/^[ \t]*\[host\.("[^"\n]*"|'[^'\n]*'|[^\].\n]+)/gm)).size;
  const start = { line: Number(line ?? 1), column: Number(column ?? 1) };
  const end = { line: start.line, column: start.column + 1 };
  return {
    rule: "not-toml",
    severity: "error",
    file,
    region: { start, end },
    message: `${said ?? error.message}; ${lost(mirrors)}`,
    advice: "Correct the file at this place.",
  };
}

function byPlace(one: HostsFinding, other: HostsFinding): number {
  const line = (one.region?.start.line ?? 0) - (other.region?.start.line ?? 0);
  return line === 0 ? (one.region?.start.column ?? 0) - (other.region?.start.column ?? 0) : line;
}

/** A host that is asked twice has its findings once. */
function distinct(findings: readonly HostsFinding[]): HostsFinding[] {
  return [...new Map(findings.map((finding) => [JSON.stringify(finding), finding])).values()];
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (cause) {
    throw new PulleyError("INPUT_UNREADABLE", `cannot read ${path}: ${errnoOf(cause) ?? errorText(cause)}`, { cause });
  }
}

function subfolders(root: string): readonly string[] {
  const isOne = (entry: Dirent) =>
    entry.isDirectory() || (entry.isSymbolicLink() && isFolderNow(join(root, entry.name)));
  try {
    return readdirSync(root, { withFileTypes: true })
      .filter((entry) => !entry.name.startsWith(".") && isOne(entry))
      .map(({ name }) => name)
      .sort();
  } catch (cause) {
    throw new PulleyError("INPUT_UNREADABLE", `cannot read ${root}: ${errnoOf(cause) ?? errorText(cause)}`, { cause });
  }
}

function isFolderNow(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
