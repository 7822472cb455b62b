/** What a `hosts.toml` says (containerd core/remotes/docker/config/hosts.go, `parseHostsFile`). */

import { isAbsolute, join, posix } from "node:path";
import { parseGoDuration } from "../support/go.ts";
import type { HostSettings, OwnCertificate } from "./host-settings.ts";
import { isTable, type TomlDocument, type TomlTable } from "./toml.ts";
import type { TomlPath } from "./toml-places.ts";

export interface HostsFile {
  /** `[host."…"]` in the order in which they are asked, then what stands at the top of the file: the upstream. */
  readonly hosts: readonly HostTable[];
  /** Each is a reason for containerd to go by nothing that the file says. */
  readonly problems: readonly FileProblem[];
}

export interface FileProblem {
  readonly path: TomlPath;
  readonly on: "key" | "value";
  readonly message: string;
  /** A word that is not known, and those that are. */
  readonly unknown?: { readonly word: string; readonly known: readonly string[] };
}

export interface HostTable {
  /** Where it stands: `["host", "https://mirror.acme.io"]`, or `[]` for the upstream. */
  readonly path: TomlPath;
  /** As written, `mirror.acme.io`; empty for an upstream without `server`. */
  readonly written: string;
  /** `undefined` without `server`, and for what is no address of a registry. */
  readonly url: HostUrl | undefined;
  readonly capabilities: readonly Capability[];
  readonly settings: HostSettings;
  /** Whether anything is said about TLS, even that certificates are to be verified. */
  readonly tls: boolean;
  readonly overridePath: boolean;
}

export interface HostUrl {
  readonly scheme: "http" | "https";
  /** Host and port as written. */
  readonly host: string;
  /** Where the registry's API begins: `/v2`, `/hub/v2`; empty for the host itself. */
  readonly root: string;
}

export const capabilities = ["pull", "resolve", "push", "referrers"] as const;
export type Capability = (typeof capabilities)[number];

/** The keys of a host's table, and of the top of the file. */
export const hostKeys = [
  ...(["capabilities", "ca", "client", "skip_verify", "header", "override_path", "dial_timeout", "proxy"] as const),
] as const;
export const rootKeys = ["server", "host", ...hostKeys] as const;

/** @param folder what relative paths start from */
export function readHostsFile(document: TomlDocument, folder: string): HostsFile {
  const problems: FileProblem[] = [];
  const { table } = document;
  const tables = table["host"];
  if (tables !== undefined && !isTable(tables))
    problems.push({ path: ["host"], on: "value", message: "host is not a table" });
  const read = (path: TomlPath, written: string, of: TomlTable) => readTable({ path, written, of, folder, problems });
  const hosts = hostOrder(document).flatMap((written) => {
    const path = ["host", written];
    const of = isTable(tables) ? tables[written] : undefined;
    if (isTable(of)) return [read(path, written, of)];
    problems.push({ path, on: "value", message: `host.${JSON.stringify(written)} is not a table` });
    return [];
  });
  const server = table["server"];
  if (server !== undefined && typeof server !== "string") {
    problems.push({ path: ["server"], on: "value", message: "server is not a text" });
  }
  return { hosts: [...hosts, read([], typeof server === "string" ? server : "", table)], problems };
}

/**
 * The hosts that have a table of their own, in the order of the file. One whose `header` comes after another host is
 * there twice, and one that is written in another way than as `[host."…"]` is not there: so it is in containerd.
 */
export function hostOrder({ table, places }: TomlDocument): readonly string[] {
  if (table["host"] === undefined) return [];
  const order: string[] = [];
  for (const { kind, keys } of places().headers) {
    const [first, host] = keys;
    if (kind === "table" && first === "host" && host !== undefined && host !== order.at(-1)) order.push(host);
  }
  return order;
}

interface TableReader {
  readonly path: TomlPath;
  readonly written: string;
  readonly of: TomlTable;
  readonly folder: string;
  readonly problems: FileProblem[];
}

function readTable(reading: TableReader): HostTable {
  const { path, written, of, problems } = reading;
  if (!isReadable(written)) {
    const at = path.length === 0 ? ["server"] : path;
    problems.push({ path: at, on: "key", message: `${JSON.stringify(written)} is no address` });
  }
  const skip = expectType(reading, "skip_verify", "boolean");
  const overridePath = expectType(reading, "override_path", "boolean") === true;
  const authorities = readAuthorities(reading);
  const own = readOwn(reading);
  return {
    path,
    written,
    url: written === "" ? undefined : readUrl(written, overridePath),
    capabilities: readCapabilities(reading),
    settings: {
      authorities: authorities ?? [],
      own: own ?? [],
      skipVerify: skip === true,
      headers: readHeaders(reading),
      dialTimeout: readTimeout(reading),
    },
    tls: of["ca"] !== undefined || (own !== undefined && own.length > 0) || skip !== undefined,
    overridePath,
  };
}

/** Whether the host is one that Go's `url.Parse` accepts; none at all is. */
function isReadable(written: string): boolean {
  const [, host = ""] = /^(?:http[a-z]*:\/\/)?([^/?#]*)/i.exec(written) ?? [];
  const bare = host.slice(host.lastIndexOf("@") + 1);
  return bare === "" || URL.canParse(`https://${bare}`);
}

/**
 * Without a scheme it is https, and `/v2` goes behind the path that does not end so, unless the path is not to be
 * touched.
 */
export function readUrl(written: string, overridePath: boolean): HostUrl | undefined {
  const text = written.startsWith("http") ? written : `https://${written}`;
  const [, scheme, authority = "", path = ""] = /^(https?):\/\/([^/?#]*)([^?#]*)/i.exec(text) ?? [];
  const host = authority.slice(authority.lastIndexOf("@") + 1);
  const lower = scheme?.toLowerCase();
  if ((lower !== "http" && lower !== "https") || !URL.canParse(`${lower}://${host}`) || host === "") return undefined;
  if (!/^[A-Za-z0-9._~%+\-/:@!$&'()*,;=]*$/.test(path)) return undefined;
  const clean = path === "" ? "" : posix.normalize(path).replace(/\/+$/, "");
  const root = overridePath || clean.endsWith("/v2") ? clean : `${clean}/v2`;
  return { scheme: lower, host, root };
}

function readCapabilities({ path, of, problems }: TableReader): readonly Capability[] {
  const given = of["capabilities"];
  if (given === undefined) return capabilities;
  const at = [...path, "capabilities"];
  if (!Array.isArray(given)) {
    problems.push({ path: at, on: "value", message: "capabilities is not a list" });
    return [];
  }
  const found = given.flatMap((value: unknown, position) => {
    if (typeof value !== "string") {
      problems.push({ path: [...at, position], on: "value", message: "a capability is not a text" });
      return [];
    }
    const known = capabilities.find((capability) => capability === value.toLowerCase());
    if (known !== undefined) return [known];
    const message = `unknown capability ${JSON.stringify(value)}`;
    const unknown = { word: value, known: capabilities };
    problems.push({ path: [...at, position], on: "value", message, unknown });
    return [];
  });
  return given.length === 0 ? capabilities : found;
}

function readAuthorities({ path, of, folder, problems }: TableReader): readonly string[] | undefined {
  const given = of["ca"];
  if (given === undefined) return undefined;
  const texts = textsIn(given);
  if (texts !== undefined) return texts.map((text) => absolute(text, folder));
  problems.push({ path: [...path, "ca"], on: "value", message: "ca is neither a path nor a list of paths" });
  return [];
}

/** A path, a list of paths, or a list of pairs; an empty second path says that the first file has both. */
function readOwn({ path, of, folder, problems }: TableReader): readonly OwnCertificate[] | undefined {
  const given = of["client"];
  if (given === undefined) return undefined;
  const refuse = (at: TomlPath, message: string) => {
    problems.push({ path: at, on: "value", message });
    return [];
  };
  const at = [...path, "client"];
  const one = (certificate: string, key: string) => {
    const first = absolute(certificate, folder);
    return { certificate: first, key: key === "" ? first : absolute(key, folder) };
  };
  if (typeof given === "string") return [one(given, "")];
  if (!Array.isArray(given)) return refuse(at, "client is neither a path nor a list");
  return given.flatMap((value: unknown, position) => {
    if (typeof value === "string") return [one(value, "")];
    const pair = Array.isArray(value) ? textsIn(value) : undefined;
    if (pair?.length !== 2) return refuse([...at, position], "a client is neither a path nor a pair of paths");
    return [one(pair[0] ?? "", pair[1] ?? "")];
  });
}

function readHeaders({ path, of, problems }: TableReader): Readonly<Record<string, string>> {
  const given = of["header"];
  if (given === undefined) return {};
  const at = [...path, "header"];
  if (!isTable(given)) {
    problems.push({ path: at, on: "value", message: "header is not a table" });
    return {};
  }
  const headers = new Map<string, string>();
  for (const [name, value] of Object.entries(given)) {
    const texts = textsIn(value);
    if (texts === undefined) {
      problems.push({ path: [...at, name], on: "value", message: "a header is neither a text nor a list of texts" });
      continue;
    }
    headers.set(name.toLowerCase(), texts.join(", "));
  }
  return Object.fromEntries(headers);
}

function readTimeout(reading: TableReader): number | undefined {
  const text = expectType(reading, "dial_timeout", "string");
  if (typeof text !== "string" || text === "") return undefined;
  const duration = parseGoDuration(text);
  if ("milliseconds" in duration) return duration.milliseconds > 0 ? duration.milliseconds : undefined;
  const message = `dial_timeout ${JSON.stringify(text)} is no duration, such as 500ms or 3s`;
  reading.problems.push({ path: [...reading.path, "dial_timeout"], on: "value", message });
  return undefined;
}

function expectType({ path, of, problems }: TableReader, key: string, type: "boolean" | "string"): unknown {
  const value = of[key];
  if (value === undefined || typeof value === type) return value;
  const message = `${key} is not ${type === "boolean" ? "true or false" : "a text"}`;
  problems.push({ path: [...path, key], on: "value", message });
  return undefined;
}

function textsIn(value: unknown): readonly string[] | undefined {
  if (typeof value === "string") return [value];
  if (!Array.isArray(value)) return undefined;
  const texts = value.filter((part): part is string => typeof part === "string");
  return texts.length === value.length ? texts : undefined;
}

function absolute(path: string, folder: string): string {
  return isAbsolute(path) ? path : join(folder, path);
}
