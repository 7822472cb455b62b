/** Which rules are about a container, as docs/policy.md says it. Written from the page, not from the program. */
import type { Asker, Exemption, Labels, Match, Rule, Says, Selector, Situation } from "./situation.ts";

export type Matches = "yes" | "no" | "open" | "failed";

export interface Matched {
  readonly id: string;
  readonly rule: Rule;
  readonly matches: Exclude<Matches, "no">;
  /** Whether an exemption lifts it. */
  readonly lifted: "yes" | "no" | "open";
}

/** The rules that are about the container, or may be, in the order in which they are read. */
export function rulesFor(situation: Situation, says: Says | undefined): readonly Matched[] {
  const documents = [...situation.documents].sort((one, other) => (one.file < other.file ? -1 : 1));
  return documents
    .filter(({ selector }) => selector === undefined || matching(selector, situation, says) === "yes")
    .flatMap(({ name, rules, exemptions = [] }) =>
      rules.flatMap((rule): Matched[] => {
        const matches = matching(rule.match, situation, says);
        if (matches === "no") return [];
        return [{ id: `${name}/${rule.name}`, rule, matches, lifted: liftOf(rule, exemptions, situation, says) }];
      }),
    );
}

function liftOf({ name }: Rule, exemptions: readonly Exemption[], situation: Situation, says: Says | undefined) {
  const results = exemptions
    .filter(({ rules, expires }) => rules.includes(name) && situation.now < endOf(expires))
    .map(({ match }) => matching(match, situation, says));
  if (results.includes("yes")) return "yes";
  return results.includes("open") ? "open" : "no";
}

/** A day ends with its last second, in UTC. */
function endOf(expires: string): number {
  return Date.parse(expires) + (expires.includes("T") ? 0 : 24 * 3_600_000);
}

function matching(match: Match | undefined, { asker, cluster }: Situation, says: Says | undefined): Matches {
  if (match === undefined) return "yes";
  const { name, tag, digest } = asker.image;
  const whole = name === undefined ? "" : [name.host, ...name.path].join("/");
  const holds = [
    match.images === undefined || inList(match.images, (pattern) => imageFits(pattern, whole)),
    match.tags === undefined || (tag !== undefined && inNames(match.tags, tag)),
    match.pinned === undefined || match.pinned === (digest !== undefined),
    match.namespaces === undefined || inNames(match.namespaces, asker.namespace),
    match.containers === undefined || inNames(match.containers, asker.container),
    match.clusters === undefined || (cluster !== undefined && inNames(match.clusters, cluster)),
    match.labels === undefined || selects(match.labels, asker.labels),
    match.imageLabels === undefined || says === undefined || selects(match.imageLabels, says.labels),
  ];
  if (holds.includes(false)) return "no";
  const said = match.expression === undefined ? true : expressions[match.expression]?.(asker, cluster);
  if (said === false) return "no";
  if (match.imageLabels !== undefined && says === undefined) return "open";
  return said === undefined ? "failed" : "yes";
}

/** What the expressions of the generator mean; `undefined`: they fail. */
export const expressions: Readonly<Record<string, (asker: Asker, cluster?: string) => boolean | undefined>> = {
  'image.tag == "latest"': ({ image }) => image.tag === "latest",
  'image.registry == "quay.io"': ({ image }) => image.name?.host === "quay.io",
  'workload.labels.team == "a"': ({ labels }) => (labels["team"] === undefined ? undefined : labels["team"] === "a"),
  'has(workload.labels.team) && workload.labels.team == "a"': ({ labels }) => labels["team"] === "a",
  'workload.namespace.startsWith("prod")': ({ namespace }) => namespace.startsWith("prod"),
  'cluster == "eu-1"': (_asker, cluster) => cluster === "eu-1",
  'image.digest != ""': ({ image }) => image.digest !== undefined,
};

/** Any entry will do, one with `!` excludes, and a list that only excludes has everything else in it. */
function inList(list: readonly string[], fits: (pattern: string) => boolean): boolean {
  const [out, within] = [list.filter((entry) => entry.startsWith("!")), list.filter((entry) => !entry.startsWith("!"))];
  if (out.some((entry) => fits(entry.slice(1)))) return false;
  return within.length === 0 || within.some(fits);
}

export function inNames(list: readonly string[], name: string): boolean {
  return inList(list, (pattern) => new RegExp(`^${escaped(pattern).replaceAll("*", ".*")}$`).test(name));
}

/** `*` stays within a segment, `**` goes across; a host alone is everything in it; `a/**` is `a`, too. */
function imageFits(pattern: string, whole: string): boolean {
  if (pattern === "**") return true;
  const full = pattern.includes("/") ? pattern : `${pattern}/**`;
  const source = full
    .split("/")
    .map((segment) => (segment === "**" ? "(/[^/]+)*" : `/${escaped(segment).replaceAll("*", "[^/]*")}`))
    .join("");
  return new RegExp(`^${source}$`).test(`/${whole}`);
}

function escaped(text: string): string {
  return text.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&");
}

function selects({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Labels): boolean {
  const equal = Object.entries(matchLabels).every(([key, value]) => labels[key] === value);
  return (
    equal &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      if (operator === "Exists") return value !== undefined;
      if (operator === "DoesNotExist") return value === undefined;
      const among = value !== undefined && values.includes(value);
      return operator === "In" ? among : !among;
    })
  );
}
