/** What a policy says without any effect. */
import type { Problem } from "../../workload/index.ts";
import type { Subject } from "../types.ts";
import { matchesIn } from "./matches.ts";
import type { Pattern, PolicyDocument, Rule, VersionRule } from "./types.ts";

/** On these the first rule that matches everything ends the reading. */
const decidedByFirst = ["admit", "pull", "when", "from"] as const satisfies readonly Subject[];
const versionsDecidedByFirst = ["allow", "suffix", "endOfLife"] as const satisfies readonly (keyof VersionRule)[];

export function warningsOf(documents: readonly PolicyDocument[]): readonly Problem[] {
  return [
    ...documents.flatMap(strangePatterns),
    ...documents.flatMap(({ rules, versions }) => [...rules, ...versions].flatMap(costlyExpression)),
    ...documents.flatMap(({ rules }) => rules.flatMap(idleFields)),
    ...unreached(documents, decidedByFirst, rulesOf),
    ...unreached(documents, versionsDecidedByFirst, ({ versions }) => versions.map((rule) => ({ rule, mayEnd: true }))),
  ];
}

function strangePatterns(document: PolicyDocument): Problem[] {
  return matchesIn(document).flatMap(({ id, source, match: { images = [] } }) =>
    images.flatMap((pattern): Problem[] => {
      const warning = imagePatternWarning(pattern);
      return warning === undefined ? [] : [{ source, message: `${id}: ${pattern.text}: ${warning}` }];
    }),
  );
}

function costlyExpression({ id, source, match }: Rule | VersionRule): Problem[] {
  if (match?.expression?.mayExceed !== true) return [];
  const message = `${id}: the expression fails for a workload that says too much: it may take too many steps`;
  return [{ source, message }];
}

function idleFields(rule: Rule): Problem[] {
  const { id, source, admit, message, pull } = rule;
  const warn = (text: string): Problem => ({ source, message: `${id}: ${text}` });
  const found: Problem[] = [];
  if (message !== undefined && admit !== "Deny")
    found.push(warn("the message is for denials, and the rule denies nothing"));
  if (rule.mode === "Warn") found.push(...idleTrial(rule).map(warn));
  if (pull === undefined) return found;
  const { policy, checkEvery, maxStaleness, whenUnreachable } = pull;
  if (checkEvery !== undefined && policy !== undefined && policy !== "Always") {
    found.push(warn(`checkEvery has an effect under Always only, not under ${policy}`));
  }
  if (policy === "Never" && whenUnreachable === "UseCached") {
    found.push(warn("whenUnreachable has no effect under Never, for no registry is asked"));
  }
  if (checkEvery !== undefined && maxStaleness !== undefined && maxStaleness.milliseconds < checkEvery.milliseconds) {
    found.push(
      warn(`a copy is too old after ${maxStaleness.text}, so that checkEvery never comes to ${checkEvery.text}`),
    );
  }
  return found;
}

function idleTrial(rule: Rule): string[] {
  const untold = "mode: Warn tells of refusals, and no warning says which pulls would fail under the rule";
  if (mayFailPulls(rule)) return [canRefuse(rule) ? untold : `${untold}, which refuses nothing`];
  return canRefuse(rule) ? [] : ["mode: Warn has no effect, for the rule refuses nothing"];
}

/** Whether it has a registry asked where another rule might not, or keeps one from being asked. */
function mayFailPulls({ pull, from }: Rule): boolean {
  const asks = pull?.policy !== "Never" && (pull?.policy !== "IfNotPresent" || pull.maxStaleness !== undefined);
  return (pull !== undefined && asks) || from?.origin === "Never";
}

/** A permission on trial keeps later denials on trial from what it permits. */
function canRefuse({ admit, pull, when, require }: Rule): boolean {
  const bounds = pull?.policy === "Never" || pull?.maxStaleness !== undefined;
  return admit !== undefined || when !== undefined || require !== undefined || bounds;
}

interface Reached<Entry> {
  readonly rule: Entry;
  /** Whether it decides for everything behind it where it matches everything. */
  readonly mayEnd: boolean;
}

/** A rule that an exemption can lift ends no reading. */
function rulesOf({ rules, exemptions }: PolicyDocument): readonly Reached<Rule>[] {
  const exempted = new Set(exemptions.flatMap((exemption) => exemption.rules));
  return rules.flatMap((rule) => (rule.mode === "Warn" ? [] : { rule, mayEnd: !exempted.has(rule.name) }));
}

/** What stands behind a rule that matches everything. */
function unreached<
  Key extends string,
  Entry extends Pick<Rule, "id" | "source" | "match"> & Partial<Record<Key, unknown>>,
>(
  documents: readonly PolicyDocument[],
  keys: readonly Key[],
  entriesOf: (document: PolicyDocument) => readonly Reached<Entry>[],
): Problem[] {
  const ending = new Map<Key, string>();
  const found: Problem[] = [];
  for (const document of documents) {
    const here = new Map(ending);
    for (const { rule, mayEnd } of entriesOf(document)) {
      for (const key of keys) {
        if (rule[key] === undefined) continue;
        const earlier = here.get(key);
        if (earlier !== undefined) {
          const message = `${rule.id}: never decides on ${key}, for ${earlier} before it matches everything`;
          found.push({ source: rule.source, message });
        } else if (rule.match === undefined && mayEnd) {
          here.set(key, rule.id);
          if (document.selector === undefined) ending.set(key, rule.id);
        }
      }
    }
  }
  return found;
}

// Patterns for images that match nothing, or more than they seem to.

const hub = "docker.io";

/** Names of Docker Hub by which no image is called, unless somebody writes it so: patterns do not take them for it. */
const hubNames: ReadonlySet<string> = new Set([
  "registry.docker.io",
  "registry.hub.docker.com",
  "hub.docker.com",
  "www.docker.com",
  "docker.com",
]);

/** What a path of an image may have between its slashes (distribution/reference). */
const component = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;

/** What is wrong with a pattern that can be read, with the spelling that was meant; `undefined` if nothing is. */
export function imagePatternWarning({ text, segments }: Pattern): string | undefined {
  const [host = "", ...path] = segments;
  const written = text.replace(/^!/, "").split("/");
  const isAll = written.length === 1;
  const meant = (name: string) => `; did you mean ${text.startsWith("!") ? "!" : ""}${name}?`;
  if (hubNames.has(host)) {
    return `images of Docker Hub are matched as ${hub}${meant(isAll ? hub : [hub, ...hubPath(path)].join("/"))}`;
  }
  if (host === hub && path.length === 1 && path[0] !== "**") {
    return `no image of ${hub} has a name of one part${meant([hub, ...hubPath(path)].join("/"))}`;
  }
  const [first = ""] = written;
  if (!/[.:*[]/.test(first) && first !== "localhost") {
    const name = isAll ? `library/${host}` : segments.join("/");
    return `${first} is taken for a registry's host${meant(`${hub}/${name}`)}`;
  }
  if (first !== first.toLowerCase())
    return `hosts are matched in lower case${meant([host, ...written.slice(1)].join("/"))}`;
  const wide = wideHost(host);
  if (wide !== undefined) {
    const also = host.endsWith("*") ? `${host.slice(0, -1)}.example.com` : host.replace("*", "evil");
    return `it matches the registry ${also}, too${meant([wide, ...(isAll ? [] : path)].join("/"))}`;
  }
  const wrong = path.find((part) => !part.includes("*") && !component.test(part));
  return wrong === undefined ? undefined : `no image has ${wrong} in its name`;
}

/** Official images are below `library`. */
function hubPath(path: readonly string[]): readonly string[] {
  if (path.length !== 1 || path[0] === "**") return path;
  return path[0] === "*" ? ["**"] : ["library", ...path];
}

/** The host that was meant where a star stands at its end, or at its beginning without a dot behind. */
function wideHost(host: string): string | undefined {
  const [name = ""] = host.split(":");
  if (!name.includes(".")) return undefined;
  if (name.endsWith("*")) return name.replace(/\.?\*+$/, "");
  return /^\*+[^.*]/.test(name) ? name.replace(/^\*+/, "*.") : undefined;
}
