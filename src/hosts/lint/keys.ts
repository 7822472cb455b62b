/** Keys that containerd does not read, and values for which it ignores the whole file. */

import { suggestion } from "../../policy/index.ts";
import { plural } from "../../support/format.ts";
import { capabilities, type FileProblem, type HostsFile, hostKeys, hostOrder, rootKeys } from "../hosts-file.ts";
import { isTable, type TomlDocument, type TomlTable } from "../toml.ts";
import type { TomlPath } from "../toml-places.ts";
import { findingAt, type HostsFinding } from "./finding.ts";

/** What becomes of a file that containerd refuses. */
export function lost(mirrors: number): string {
  if (mirrors === 0) return "containerd then goes by nothing in this file, and says so only in its log";
  const which = mirrors === 1 ? "its mirror is dropped" : `all ${mirrors} mirrors of it are dropped`;
  return `containerd then goes by nothing in this file: ${which} without a word but in its log`;
}

export function refusals(document: TomlDocument, { hosts, problems }: HostsFile): readonly HostsFinding[] {
  const mirrors = Math.max(0, hosts.length - 1);
  return problems.map((problem) => refusal(document, problem, mirrors));
}

function refusal(document: TomlDocument, { path, on, message, unknown }: FileProblem, mirrors: number): HostsFinding {
  const full = `${message}; ${lost(mirrors)}`;
  if (unknown === undefined) {
    const advice = "Correct the value; until then none of the file holds.";
    return findingAt(document, path, on, { rule: "value-invalid", severity: "error", message: full, advice });
  }
  const meant = suggestion(unknown.word, unknown.known).replace(/^; d/, "D");
  const advice = `${meant === "" ? "" : `${meant} `}There are ${capabilities.join(", ")}.`;
  return findingAt(document, path, on, { rule: "capability-unknown", severity: "error", message: full, advice });
}

/** containerd reads over keys that it does not know. */
export function unreadKeys(document: TomlDocument): readonly HostsFinding[] {
  const { table } = document;
  const hosts = isTable(table["host"]) ? table["host"] : {};
  return [
    ...unreadIn(document, [], table, rootKeys),
    ...Object.entries(hosts).flatMap(([host, of]) =>
      isTable(of) ? [...unreadIn(document, ["host", host], of, hostKeys), ...unasked(document, host)] : [],
    ),
  ];
}

function unreadIn(document: TomlDocument, at: TomlPath, table: TomlTable, known: readonly string[]): HostsFinding[] {
  return Object.entries(table)
    .filter(([key]) => !known.includes(key))
    .map(([key, value]) => {
      const path = [...at, key];
      const nested = isTable(value) || (Array.isArray(value) && value.some(isTable));
      if (nested) return findingAt(document, path, "key", nestedTable(key, at.length > 0));
      const place = at.length === 0 ? "the top of the file" : "a host";
      return findingAt(document, path, "key", {
        rule: "key-unknown",
        severity: "warning",
        message: `${key} is no key of ${place}, and containerd reads over it`,
        advice: adviceFor(key, at.length > 0, known),
      });
    });
}

function nestedTable(key: string, inHost: boolean) {
  const where = inHost ? "within a host, header is the only table" : "host and header are the only tables";
  const advice = inHost
    ? 'Give each host a table of its own: [host."https://…"].'
    : `Leave it out${suggestion(key, ["host", "header"]).replace(/\?$/, "")}.`;
  const message = `${where}; what stands in ${key} is never read`;
  return { rule: "table-nested", severity: "error", message, advice } as const;
}

function adviceFor(key: string, inHost: boolean, known: readonly string[]): string {
  if (inHost && key === "server") return "Write it at the top of the file, above the first table.";
  const meant = suggestion(key.replaceAll("-", "_"), known);
  return meant === "" ? `Leave it out; there are ${known.join(", ")}.` : meant.replace(/^; d/, "D");
}

/** containerd 1.6 (core `getSortedHosts`: "invalid `host` tree"); newer ones take the server alone. */
export function withoutHosts(document: TomlDocument): readonly HostsFinding[] {
  if (isTable(document.table["host"])) return [];
  const server = document.table["server"];
  const [key] = Object.keys(document.table);
  if (key === undefined) return [];
  const table = typeof server === "string" ? `[host.${JSON.stringify(server)}]` : '[host."https://…"]';
  const problem = {
    rule: "no-host-table",
    severity: "warning",
    message: "containerd 1.6 refuses a file without a table of a host, and goes by nothing in it",
    advice: `Add ${table} where such a containerd reads the file.`,
  } as const;
  return [findingAt(document, [key], "key", problem)];
}

/** Only `[host."…"]` makes a host that is asked, and a second one after others is another turn. */
function unasked(document: TomlDocument, host: string): HostsFinding[] {
  const turns = hostOrder(document).filter((name) => name === host).length;
  if (turns === 1) return [];
  if (turns === 0) {
    return [
      findingAt(document, ["host", host], "key", {
        rule: "host-not-asked",
        severity: "error",
        message: `${host} has no table with a heading of its own, and containerd never asks it`,
        advice: `Write it as [host.${JSON.stringify(host)}].`,
      }),
    ];
  }
  const later = document.places().headers.findLast(({ keys }) => keys[0] === "host" && keys[1] === host);
  return [
    findingAt(document, later?.path ?? ["host", host], "key", {
      rule: "host-asked-twice",
      severity: "warning",
      message: `the tables of ${host} are not one after the other, and containerd asks it ${plural(turns, "time")}`,
      advice: "Move its tables together.",
    }),
  ];
}
