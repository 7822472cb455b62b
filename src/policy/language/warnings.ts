/** What a policy says without any effect. */
import type { Problem } from "../../workload/index.ts";
import type { Subject } from "../types.ts";
import { matchesIn } from "./matches.ts";
import type { Pattern, PolicyDocument, Rule } from "./types.ts";

/** On these the first rule that matches everything ends the reading. */
const decidedByFirst = ["admit", "pull", "when", "from"] as const satisfies readonly Subject[];

export function warningsOf(documents: readonly PolicyDocument[]): readonly Problem[] {
  return [
    ...documents.flatMap(strangePatterns),
    ...documents.flatMap(({ rules }) => rules.flatMap(idleFields)),
    ...unreached(documents),
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

function idleFields(rule: Rule): Problem[] {
  const { id, source, match, admit, message, pull } = rule;
  const warn = (text: string): Problem => ({ source, message: `${id}: ${text}` });
  const found: Problem[] = [];
  if (match?.expression?.mayExceed) {
    found.push(warn("the expression fails for a workload that says too much: it may take too many steps"));
  }
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

/** Rules behind one that matches everything; unless an exemption can lift that one. */
function unreached(documents: readonly PolicyDocument[]): Problem[] {
  const ending = new Map<Subject, Rule>();
  const found: Problem[] = [];
  for (const { selector, rules, exemptions } of documents) {
    const here = new Map(ending);
    const exempted = new Set(exemptions.flatMap((exemption) => exemption.rules));
    for (const rule of rules) {
      for (const subject of decidedByFirst) {
        if (rule[subject] === undefined || rule.mode === "Warn") continue;
        const earlier = here.get(subject);
        if (earlier !== undefined) {
          const message = `${rule.id}: never decides on ${subject}, for ${earlier.id} before it matches everything`;
          found.push({ source: rule.source, message });
        } else if (rule.match === undefined && !exempted.has(rule.name)) {
          here.set(subject, rule);
          if (selector === undefined) ending.set(subject, rule);
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
