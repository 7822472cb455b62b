/** What a host is asked, and how: settings that do not do what they look like. */
import { statSync } from "node:fs";
import { headerProblem } from "../host-settings.ts";
import type { HostsFile, HostTable } from "../hosts-file.ts";
import { isTable, type TomlDocument } from "../toml.ts";
import type { TomlPath } from "../toml-places.ts";
import { findingAt, type HostsFinding, type HostsProblem } from "./finding.ts";

/** A table, and what it is called. */
interface Looked {
  readonly document: TomlDocument;
  readonly table: HostTable;
  readonly isUpstream: boolean;
}

export function tableFindings(document: TomlDocument, { hosts }: HostsFile): readonly HostsFinding[] {
  const seen = new Set<string>();
  const own = hosts.flatMap((table, at) => {
    if (seen.has(JSON.stringify(table.path))) return [];
    seen.add(JSON.stringify(table.path));
    const looked = { document, table, isUpstream: at === hosts.length - 1 };
    return [
      ...addressFindings(looked),
      ...capabilityFindings(looked),
      ...tlsFindings(looked),
      ...headerFindings(looked),
      ...otherFindings(looked),
    ];
  });
  return [...own, ...upstreamFindings(document, hosts)];
}

function say({ document, table, isUpstream }: Looked, key: string | undefined, problem: HostsProblem): HostsFinding {
  const path: TomlPath = key === undefined ? (isUpstream ? ["server"] : table.path) : [...table.path, key];
  return findingAt(document, path, key === undefined && !isUpstream ? "key" : "value", problem);
}

function addressFindings(looked: Looked): HostsFinding[] {
  const { written, url, overridePath } = looked.table;
  if (written === "") return [];
  const one = (rule: string, severity: HostsProblem["severity"], message: string, advice: string) => [
    say(looked, undefined, { rule, severity, message, advice }),
  ];
  const shown = written.replace(/^([a-z]+:\/\/)?[^/]*@/i, "$1…@");
  if (/^(?:[a-z]+:\/\/)?[^/?#]*@/i.test(written)) {
    return one(
      "address-with-login",
      "error",
      `${shown} has a login, which containerd drops`,
      "Leave it out: logins come from pull secrets and the node's credential files.",
    );
  }
  if (/^(?!https?:\/\/)[a-z][a-z0-9+.-]*:\/\//i.test(written)) {
    return one(
      "address-invalid",
      "error",
      `${shown} is reached by neither http nor https`,
      "Write https:// before it.",
    );
  }
  if (url === undefined) {
    if (!written.startsWith("http")) return [];
    return one(
      "address-invalid",
      "error",
      `${shown} is taken for an address without a host, because it begins like a scheme`,
      `Write https://${/^https?:/.test(written) ? "…" : written}.`,
    );
  }
  if (/[?#]/.test(written)) {
    return one("address-with-query", "warning", `${shown} has a query, which is dropped`, "Leave it out.");
  }
  if (overridePath && url.root === "") {
    return one(
      "override-path-without-path",
      "warning",
      `override_path without a path: ${url.host} is asked without /v2, which no registry answers`,
      "Write the path where its API begins, or leave override_path out.",
    );
  }
  if (!overridePath && /^\/v2\/.+\/v2$/.test(url.root)) {
    return one(
      "path-within-api",
      "warning",
      `another /v2 comes behind the path: ${url.host}${url.root}/ is asked`,
      "Set override_path = true if the path is all there is to be.",
    );
  }
  return [];
}

function capabilityFindings(looked: Looked): HostsFinding[] {
  const { table, isUpstream, document } = looked;
  const given = isUpstream ? document.table["capabilities"] : tableOf(document, table.written)?.["capabilities"];
  if (!Array.isArray(given) || given.length === 0) return [];
  const can = (capability: HostTable["capabilities"][number]) => table.capabilities.includes(capability);
  const found: HostsFinding[] = [];
  const note = (rule: string, severity: HostsProblem["severity"], message: string, advice: string) =>
    found.push(say(looked, "capabilities", { rule, severity, message, advice }));
  const name = isUpstream ? "the server" : "this mirror";
  if (isUpstream && table.written === "") {
    const why = "capabilities of the upstream are not heard where there is no server";
    note("capabilities-without-server", "warning", why, 'Write server = "https://…" above them, or leave them out.');
    return found;
  }
  if (can("resolve") && !can("pull")) {
    note(
      "capability-useless",
      "warning",
      `${name} may say what a tag stands for, but is asked only if it may be pulled from`,
      'Add "pull".',
    );
  } else if (can("pull") && !can("resolve") && table.capabilities.length === given.length) {
    const why = `${name} is never asked what a tag stands for, only for content by its digest`;
    note("tags-not-asked", "note", why, 'Add "resolve" if it may be believed about tags.');
  } else if (!can("pull") && table.capabilities.length === given.length) {
    note(
      "capability-useless",
      "warning",
      `${name} is never asked for anything when an image is pulled`,
      'Add "pull" and "resolve", or leave it out.',
    );
  }
  if (given.some((value) => typeof value === "string" && value.toLowerCase() === "referrers")) {
    note(
      "capability-new",
      "warning",
      'containerd before 2.2 does not know the capability "referrers", and goes by nothing in this file',
      "Leave it out where older ones read the file.",
    );
  }
  return found;
}

function tlsFindings(looked: Looked): HostsFinding[] {
  const { table } = looked;
  const { url, tls, settings } = table;
  const found: HostsFinding[] = [];
  if (settings.skipVerify) {
    const message = "whoever answers in the host's place is believed: tags, logins and headers are theirs";
    const advice = "Name the host's certificate authority with ca instead.";
    found.push(say(looked, "skip_verify", { rule: "skip-verify", severity: "warning", message, advice }));
  }
  const isPlain = url?.scheme === "http";
  const port = /:([0-9]+)$/.exec(url?.host ?? "")?.[1];
  if (isPlain && tls) {
    const message =
      port === "80"
        ? "settings of TLS have no effect with http and port 80"
        : `with settings of TLS, http://${url.host} is asked by https first, and by http only if that is not spoken; by containerd 1.6 by http alone`;
    const advice = "Write https:// if it speaks TLS, and leave the settings of TLS out if it does not.";
    found.push(say(looked, undefined, { rule: "http-with-tls", severity: "warning", message, advice }));
  }
  return found;
}

function headerFindings(looked: Looked): HostsFinding[] {
  const { table, document } = looked;
  const found: HostsFinding[] = [];
  for (const [name, value] of Object.entries(table.settings.headers)) {
    const path = [...table.path, "header"];
    const written = Object.keys(headersOf(looked)).find((key) => key.toLowerCase() === name) ?? name;
    const problem = headerProblem(name, value);
    if (problem !== undefined) {
      const message = `${JSON.stringify(written)} ${problem}, and every request to the host fails`;
      const advice = "Correct the header, or leave it out.";
      found.push(
        findingAt(document, [...path, written], "key", { rule: "header-invalid", severity: "error", message, advice }),
      );
    } else if (/authorization|cookie|token|key|secret/i.test(name) && isReadableByAll(document.file)) {
      const message = `${written} looks like a secret, and everybody on the machine may read this file`;
      const advice = `Run chmod 600 ${document.file}.`;
      found.push(
        findingAt(document, [...path, written], "key", {
          rule: "secret-readable",
          severity: "warning",
          message,
          advice,
        }),
      );
    }
  }
  return found;
}

function otherFindings(looked: Looked): HostsFinding[] {
  const own = looked.isUpstream ? looked.document.table : tableOf(looked.document, looked.table.written);
  if (own?.["proxy"] === undefined) return [];
  const message = "Pulley does not know proxies of single hosts, and goes by HTTPS_PROXY; containerd since 2.3 does";
  const advice = "Set HTTPS_PROXY and NO_PROXY for Pulley.";
  return [say(looked, "proxy", { rule: "proxy-not-used", severity: "note", message, advice })];
}

function upstreamFindings(document: TomlDocument, hosts: readonly HostTable[]): HostsFinding[] {
  const upstream = hosts.at(-1);
  const mirrors = hosts.slice(0, -1);
  if (upstream === undefined) return [];
  const server = (problem: HostsProblem) => findingAt(document, ["server"], "value", problem);
  const last = mirrors.at(-1);
  if (upstream.written === "" && last !== undefined) {
    const message = "there is no server, so the registry in the image's name is asked when the mirrors have failed";
    const advice = `Write it down; to keep the registry out, name a mirror: server = ${JSON.stringify(last.written)}.`;
    return [findingAt(document, last.path, "key", { rule: "upstream-implied", severity: "note", message, advice })];
  }
  const found: HostsFinding[] = [];
  if (upstream.url?.host === "docker.io") {
    const message = "docker.io is the name of images; the registry behind it is another host";
    const advice = 'Write server = "https://registry-1.docker.io".';
    found.push(server({ rule: "server-docker-io", severity: "warning", message, advice }));
  }
  const same = mirrors.find(
    ({ url }) => url !== undefined && url.host === upstream.url?.host && url.root === upstream.url.root,
  );
  if (same !== undefined) {
    const message = `${upstream.url?.host} is a mirror and the server, too: what it does not have is asked for twice`;
    found.push(
      server({ rule: "server-is-mirror", severity: "note", message, advice: "Leave the mirror's table out." }),
    );
  }
  const canSayTags = hosts.some(
    ({ capabilities, written }) =>
      written === "" || (capabilities.includes("pull") && capabilities.includes("resolve")),
  );
  if (!canSayTags) {
    const message = "no host may say what a tag stands for: every pull by tag fails";
    const advice = 'Give one of them the capabilities "pull" and "resolve".';
    found.push(server({ rule: "no-host-for-tags", severity: "error", message, advice }));
  }
  return found;
}

function tableOf({ table }: TomlDocument, host: string) {
  const hosts = table["host"];
  const found = isTable(hosts) ? hosts[host] : undefined;
  return isTable(found) ? found : undefined;
}

function headersOf({ document, table, isUpstream }: Looked): Readonly<Record<string, unknown>> {
  const header = (isUpstream ? document.table : tableOf(document, table.written))?.["header"];
  return isTable(header) ? header : {};
}

function isReadableByAll(file: string): boolean {
  return ((statSync(file, { throwIfNoEntry: false })?.mode ?? 0) & 0o004) !== 0;
}
