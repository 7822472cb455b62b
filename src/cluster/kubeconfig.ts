/**
 * Kubeconfig files, read and merged as kubectl does: of entries with one name, and of current contexts, the first holds
 * (client-go tools/clientcmd/loader.go).
 */
import { delimiter, dirname, isAbsolute, join, resolve } from "node:path";
import { load, YAMLException } from "js-yaml";
import { errnoOf, errorText, hasErrno, isPulleyError, PulleyError } from "../support/errors.ts";
import { printable } from "../support/format.ts";
import { readConfigFile } from "../support/input-file.ts";
import { isRecord, type JsonRecord, recordAt, recordsAt, textAt } from "../support/json-record.ts";

/** Where kubeconfig files are looked for. */
export interface KubeconfigPlace {
  /** `--kubeconfig`: the only file then. */
  readonly file?: string | undefined;
  /** `KUBECONFIG`, as it is: files separated by colons (on Windows semicolons). */
  readonly variable?: string | undefined;
  readonly home: string;
}

export interface Kubeconfig {
  /** The files that were there. */
  readonly files: readonly string[];
  readonly contexts: ReadonlyMap<string, JsonRecord>;
  readonly clusters: ReadonlyMap<string, JsonRecord>;
  readonly users: ReadonlyMap<string, JsonRecord>;
  readonly currentContext: string | undefined;
}

/** Bytes: contexts of hundreds of clusters, with their certificates. */
const longestFile = 16 * 1024 * 1024;

/**
 * A file of `KUBECONFIG` that does not exist is left out, as kubectl does; one that is named by `file` has to exist.
 * @throws PulleyError `INPUT_UNREADABLE`, `INPUT_INVALID`
 */
export function readKubeconfig(place: KubeconfigPlace): Kubeconfig {
  const found = pathsOf(place).flatMap((path) => {
    const content = readFile(path, place.file === undefined);
    return content === undefined ? [] : [{ path, content }];
  });
  const merged = (list: "contexts" | "clusters" | "users", member: string) =>
    firstByName(found.flatMap(({ path, content }) => entriesOf(content, { list, member, path })));
  return {
    files: found.map(({ path }) => path),
    contexts: merged("contexts", "context"),
    clusters: merged("clusters", "cluster"),
    users: merged("users", "user"),
    currentContext: found
      .map(({ content }) => textAt(content, "current-context"))
      .find((current) => current !== undefined),
  };
}

function pathsOf({ file, variable = "", home }: KubeconfigPlace): readonly string[] {
  if (file !== undefined) return [file];
  const named = variable.split(delimiter).filter((path) => path !== "");
  return named.length > 0 ? [...new Set(named)] : [join(home, ".kube", "config")];
}

function readFile(path: string, mayBeMissing: boolean): JsonRecord | undefined {
  let text: string;
  try {
    text = readConfigFile(path, longestFile).toString("utf8");
  } catch (error) {
    if (mayBeMissing && hasErrno(error, "ENOENT", "ENOTDIR")) return undefined;
    if (isPulleyError(error)) throw error;
    const why = hasErrno(error, "ENOENT") ? "no such file or directory" : (errnoOf(error) ?? errorText(error));
    throw new PulleyError("INPUT_UNREADABLE", `cannot read the kubeconfig ${path}: ${why}`, { cause: error });
  }
  if (text.trim() === "") return {};
  const document = parse(text, path);
  if (document === null) return {};
  if (!isRecord(document)) throw invalid(path, "it is no object");
  const kind = textAt(document, "kind") ?? "Config";
  if (kind !== "Config") throw invalid(path, `its kind is ${printable(kind)}, and not Config`);
  return document;
}

/** The parser's own message quotes lines of the file, which has secrets in it. */
function parse(text: string, path: string): unknown {
  try {
    return load(text, { filename: path });
  } catch (error) {
    if (!(error instanceof YAMLException)) throw invalid(path, "it is no YAML");
    const line = error.mark === undefined ? "" : `line ${error.mark.line + 1}: `;
    throw invalid(path, `${line}${printable(error.reason)}`);
  }
}

function invalid(path: string, why: string): PulleyError {
  return new PulleyError("INPUT_INVALID", `the kubeconfig ${path} is invalid: ${why}`, {
    advice: "Correct the file; kubectl config view shows how kubectl reads it.",
  });
}

type NamedEntry = readonly [name: string, fields: JsonRecord];

/** Names of files are relative to the file that names them. */
function entriesOf(
  content: JsonRecord,
  { list, member, path }: { list: string; member: string; path: string },
): readonly NamedEntry[] {
  const folder = dirname(resolve(path));
  return recordsAt(content, list).map((entry, at): NamedEntry => {
    const name = textAt(entry, "name");
    if (name === undefined) throw invalid(path, `${list}[${at}].name is missing`);
    return [name, withAbsolutePaths(recordAt(entry, member), folder)];
  });
}

const pathFields = ["certificate-authority", "client-certificate", "client-key", "tokenFile"];

function withAbsolutePaths(fields: JsonRecord, folder: string): JsonRecord {
  const paths = pathFields.flatMap((name) => {
    const path = textAt(fields, name);
    return path === undefined ? [] : [[name, resolve(folder, path)]];
  });
  const { exec } = fields;
  const command = textAt(exec, "command");
  const isRelative = command !== undefined && !isAbsolute(command) && /[/\\]/.test(command);
  const program = isRelative && isRecord(exec) ? [["exec", { ...exec, command: resolve(folder, command) }]] : [];
  return { ...fields, ...Object.fromEntries([...paths, ...program]) };
}

function firstByName(entries: readonly NamedEntry[]): ReadonlyMap<string, JsonRecord> {
  const found = new Map<string, JsonRecord>();
  for (const [name, fields] of entries) if (!found.has(name)) found.set(name, fields);
  return found;
}
