/** The platforms that workloads ask for: by node selector, node affinity and the fields of Compose and OpenFaaS. */
import type { Subject } from "../audit/index.ts";
import { normalisePlatform, type Platform, parsePlatform, samePlatform } from "../image/index.ts";
import { itemsAt, textAt, textsAt, type Value } from "../workload/index.ts";

type Part = "os" | "architecture";

/** The labels of nodes that say what they are (k8s.io/api/core/v1 `well_known_labels.go`), the old ones included. */
const labels: ReadonlyMap<string, Part> = new Map([
  ["kubernetes.io/os", "os"],
  ["kubernetes.io/arch", "architecture"],
  ["beta.kubernetes.io/os", "os"],
  ["beta.kubernetes.io/arch", "architecture"],
]);

/** What one alternative allows; absent where it says nothing. */
type Allowed = { readonly [part in Part]?: ReadonlySet<string> };

/** The platforms on which a container may run; empty where it does not say. A part that it leaves open is empty. */
export function platformsOf({ format, runs }: Pick<Subject, "format" | "runs">): readonly Platform[] {
  switch (format) {
    case "kubernetes":
      return podPlatforms(runs);
    case "compose":
      return composePlatform(textAt(runs, "platform"));
    case "openfaas":
      return expanded([constraintsOf(runs)]);
  }
}

/** Several lists of platforms as one, each platform once. */
export function unitedPlatforms(lists: readonly (readonly Platform[])[]): readonly Platform[] {
  const united: Platform[] = [];
  for (const platform of lists.flat()) {
    if (!united.some((known) => samePlatform(known, platform))) united.push(platform);
  }
  return united;
}

function podPlatforms(spec: Value | undefined): readonly Platform[] {
  const own = both(selected(textsAt(spec, "nodeSelector")), osOf(spec));
  const required = ["affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms"];
  const terms = itemsAt(spec, ...required).map(termOf);
  return expanded((terms.length === 0 ? [{}] : terms).map((term) => both(own, term)));
}

function selected(selector: Readonly<Record<string, string>>): Allowed {
  return Object.entries(selector).reduce<Allowed>((allowed, [label, value]) => {
    const part = labels.get(label);
    return part === undefined ? allowed : both(allowed, { [part]: new Set([value]) });
  }, {});
}

/** `spec.os.name` of a pod. */
function osOf(spec: Value | undefined): Allowed {
  const os = textAt(spec, "os", "name");
  return os === undefined ? {} : { os: new Set([os]) };
}

/** The terms are alternatives; the expressions of one hold together. */
function termOf(term: Value): Allowed {
  return itemsAt(term, "matchExpressions").reduce<Allowed>((allowed, expression) => {
    const part = labels.get(textAt(expression, "key") ?? "");
    if (part === undefined || textAt(expression, "operator") !== "In") return allowed;
    return both(allowed, { [part]: new Set(itemsAt(expression, "values").flatMap((value) => textAt(value) ?? [])) });
  }, {});
}

/** `constraints` of a function: node selectors, as text (openfaas docs, `stack.yml`). */
function constraintsOf(own: Value | undefined): Allowed {
  return itemsAt(own, "constraints").reduce<Allowed>((allowed, item) => {
    const [, label = "", value = ""] = /^\s*(\S+?)\s*==?\s*(\S+)\s*$/.exec(textAt(item) ?? "") ?? [];
    return both(allowed, selected({ [label]: value }));
  }, {});
}

function both(one: Allowed, other: Allowed): Allowed {
  const os = meet(one.os, other.os);
  const architecture = meet(one.architecture, other.architecture);
  return { ...(os && { os }), ...(architecture && { architecture }) };
}

function meet(one: ReadonlySet<string> | undefined, other: ReadonlySet<string> | undefined) {
  if (one === undefined || other === undefined) return one ?? other;
  return new Set([...one].filter((each) => other.has(each)));
}

/** Where one alternative says nothing, nothing is needed. */
function expanded(alternatives: readonly Allowed[]): readonly Platform[] {
  if (alternatives.some(({ os, architecture }) => os === undefined && architecture === undefined)) return [];
  const lists = alternatives.map(({ os = new Set([""]), architecture = new Set([""]) }) =>
    [...os].flatMap((eachOs) =>
      [...architecture].map((each) => normalisePlatform({ os: eachOs, architecture: each, variant: "" })),
    ),
  );
  return unitedPlatforms(lists);
}

/** A platform with a variable in it, or one that Compose would refuse, is none. */
function composePlatform(text: string | undefined): readonly Platform[] {
  try {
    return text === undefined ? [] : [parsePlatform(text)];
  } catch {
    return [];
  }
}
