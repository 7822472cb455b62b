/**
 * A second reading of docs/policy.md: what is to come of a situation. It is written from the page alone, as simply as it
 * goes, and knows nothing of how the program decides.
 */
import { inNames, type Matched, rulesFor } from "./matching.ts";
import type { Says, Situation } from "./situation.ts";

export type Subject = "admit" | "require";

/** What is decided before anybody is asked. */
export type Outlook =
  | { readonly kind: "refused"; readonly reason: string }
  | ({ readonly kind: "used" } & Open)
  | ({
      readonly kind: "asked";
      /** Whether a copy is there that may turn out to be what the name stands for still. */
      readonly checks: boolean;
      readonly sources: readonly string[];
      readonly order: string;
      readonly tooOld: boolean;
      readonly whenUnreachable: "fail" | "use" | "refuse";
    } & Open);

interface Open {
  /** What only the image itself can decide. */
  readonly open: readonly Subject[];
  readonly warnings: readonly string[];
}

/** What comes of it in the end. */
export type End =
  | { readonly kind: "refused"; readonly reason: string }
  | { readonly kind: "failed" }
  | { readonly kind: "used" | "usedUnasked" | "taken"; readonly warnings: readonly string[] };

export function pullPolicyOf(situation: Situation): string {
  const isName = situation.asker.image.name !== undefined;
  return pullPolicy(situation, isName ? first("pull", enforced(rulesFor(situation, knownOf(situation)))) : undefined);
}

/** @param image what the image says of itself that is going to be used; absent: nobody knows yet */
export function outlook(situation: Situation, image?: Says): Outlook {
  if (situation.asker.image.name === undefined) return { kind: "refused", reason: "InvalidImageName" };
  const held = reading(situation, image, enforced);
  if (held.denied !== undefined) return { kind: "refused", reason: "ImageDenied" };
  if (held.unmet.length > 0) return { kind: "refused", reason: "RequirementNotMet" };
  if (held.plan.kind === "refused") return held.plan;
  const tried = reading(situation, image, (rules) => rules);
  return { ...held.plan, open: held.open, warnings: warningsOf(tried) };
}

export function ending(situation: Situation): End {
  const before = outlook(situation);
  const { copy, registry } = situation;
  if (before.kind === "refused") return before;
  if (before.kind === "used") return { kind: "used", warnings: before.warnings };
  if (registry !== undefined) {
    const after = outlook(situation, registry);
    return after.kind === "refused" ? after : { kind: "taken", warnings: after.warnings };
  }
  if (before.whenUnreachable === "fail" || copy === undefined) return { kind: "failed" };
  return startOf(situation);
}

/** The copy, where nobody is asked: because nobody can be, or because a container starts from it. */
export function startOf(situation: Situation): End {
  const { copy } = situation;
  const alone = outlook(situation, copy?.says);
  if (alone.kind === "refused") return alone;
  if (alone.kind === "asked" && alone.tooOld) return { kind: "refused", reason: "CachedCopyTooOld" };
  const tried = reading(situation, copy?.says, (rules) => rules);
  const rule = first("pull", rulesFor(situation, copy?.says));
  const stale = rule?.rule.mode === "Warn" && tried.plan.kind === "asked" && tried.plan.tooOld;
  return { kind: "usedUnasked", warnings: [...alone.warnings, ...(stale ? [`${rule.id} CachedCopyTooOld`] : [])] };
}

interface Reading {
  readonly denied: Matched | undefined;
  readonly unmet: readonly Matched[];
  readonly open: readonly Subject[];
  readonly plan: Plan;
  readonly pull: Matched | undefined;
  readonly when: Matched | undefined;
}

type Plan = { readonly kind: "refused"; readonly reason: string } | { readonly kind: "used" } | Asked;
type Asked = Omit<Extract<Outlook, { kind: "asked" }>, keyof Open>;
type Choice = (rules: readonly Matched[]) => readonly Matched[];

function enforced(rules: readonly Matched[]): readonly Matched[] {
  return rules.filter(({ rule }) => rule.mode !== "Warn");
}

/** What is known of the image before anybody is asked: what a copy says that the pod may use. */
function knownOf({ copy }: Situation): Says | undefined {
  return copy?.granted ? copy.says : undefined;
}

function reading(situation: Situation, image: Says | undefined, choice: Choice): Reading {
  const known = image ?? knownOf(situation);
  const rules = choice(rulesFor(situation, known));
  const pull = first("pull", rules);
  const when = firstWhen(rules, situation.now);
  const wish = wishOf(situation, pull, first("from", rules));
  const plan = withTimes(situation, wish, pull, when);
  const isOfCopy = plan.kind === "used" || wish.kind !== "asked";
  const says = isOfCopy ? known : image;
  const judged = choice(rulesFor(situation, says));
  const admitted = admission(judged);
  const required = requirements(situation, judged, says);
  const open: Subject[] = [];
  if (admitted === "open") open.push("admit");
  if (required.open) open.push("require");
  return { denied: admitted === "open" ? undefined : admitted, unmet: required.unmet, open, plan, pull, when };
}

/** The first rule decides; where one that may not be about the image would say otherwise, it is open. */
function admission(rules: readonly Matched[]): Matched | "open" | undefined {
  const speaking = rules.filter(({ rule, lifted }) => rule.admit !== undefined && lifted !== "yes");
  const perhaps: Matched[] = [];
  let deciding: Matched | undefined;
  for (const each of speaking) {
    if (each.matches === "open" || each.lifted === "open") perhaps.push(each);
    else if (each.matches === "yes" || each.rule.admit === "Deny") {
      deciding = each;
      break;
    }
  }
  const says = deciding?.rule.admit ?? "Allow";
  if (perhaps.some(({ rule }) => rule.admit !== says)) return "open";
  return says === "Deny" ? deciding : undefined;
}

function requirements({ asker }: Situation, rules: readonly Matched[], says: Says | undefined) {
  const unmet: Matched[] = [];
  let open = false;
  for (const each of rules.filter(({ rule, lifted }) => rule.require !== undefined && lifted !== "yes")) {
    const { tag, notTags, digest, maxSize, platforms = [] } = each.rule.require ?? {};
    const { image } = asker;
    const wrong =
      (tag === true && image.tagged !== true && image.digest === undefined) ||
      (notTags !== undefined && image.tag !== undefined && inNames(notTags, image.tag)) ||
      (digest === true && image.digest === undefined) ||
      (maxSize !== undefined && says !== undefined && says.size > maxSize) ||
      (says !== undefined && platforms.some((platform) => !says.platforms.includes(platform)));
    const waits = says === undefined && (maxSize !== undefined || platforms.length > 0);
    const doubtful = each.matches === "open" || each.lifted === "open";
    if (wrong && !doubtful) unmet.push(each);
    else if (wrong || waits) open = true;
  }
  return { unmet, open };
}

/** A rule whose expression failed, or that depends on what is not known, is passed over. */
function first(subject: "pull" | "from", rules: readonly Matched[]): Matched | undefined {
  return rules.find(
    ({ rule, matches, lifted }) => rule[subject] !== undefined && matches === "yes" && lifted !== "yes",
  );
}

/** One whose expression failed counts where it is closed: it could only refuse. */
function firstWhen(rules: readonly Matched[], now: number): Matched | undefined {
  return rules.find(
    ({ rule, matches, lifted }) =>
      rule.when !== undefined &&
      lifted !== "yes" &&
      (matches === "yes" || (matches === "failed" && isClosed(rule.when, now))),
  );
}

function pullPolicy({ asker: { image, pullPolicy: own } }: Situation, pull: Matched | undefined): string {
  return pull?.rule.pull?.policy ?? own ?? (image.tag === "latest" ? "Always" : "IfNotPresent");
}

const units: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

function lengthOf(text: string): number {
  return Number(text.slice(0, -1)) * (units[text.slice(-1)] ?? Number.NaN);
}

function ageOf({ copy, now }: Situation): number {
  const at = copy?.confirmedAt;
  return at === undefined || at > now ? Number.POSITIVE_INFINITY : now - at;
}

function isTooOld(situation: Situation, pull: Matched | undefined): boolean {
  const most = pull?.rule.pull?.maxStaleness;
  return most !== undefined && situation.copy?.granted === true && ageOf(situation) > lengthOf(most);
}

function wishOf(situation: Situation, pull: Matched | undefined, from: Matched | undefined): Plan {
  const { copy } = situation;
  const tooOld = isTooOld(situation, pull);
  const { checkEvery, whenUnreachable } = pull?.rule.pull ?? {};
  const usable = copy?.granted === true && !tooOld;
  switch (pullPolicy(situation, pull)) {
    case "Never":
      if (usable) return { kind: "used" };
      return { kind: "refused", reason: tooOld ? "CachedCopyTooOld" : "ErrImageNeverPull" };
    case "IfNotPresent":
      if (usable) return { kind: "used" };
      break;
    default:
      if (usable && checkEvery !== undefined && ageOf(situation) < lengthOf(checkEvery)) return { kind: "used" };
  }
  const stands = copy?.granted === true && whenUnreachable === "UseCached" ? "use" : "fail";
  return {
    kind: "asked",
    checks: copy !== undefined || pullPolicy(situation, pull) === "Always",
    ...sourcesOf(situation, from),
    tooOld,
    whenUnreachable: tooOld ? "refuse" : stands,
  };
}

function withTimes(situation: Situation, plan: Plan, pull: Matched | undefined, when: Matched | undefined): Plan {
  const times = when?.rule.when;
  if (plan.kind !== "asked" || times === undefined || !isClosed(times, situation.now)) return plan;
  const usable = situation.copy?.granted === true && !isTooOld(situation, pull);
  if (times.otherwise !== "Deny" && usable) return { kind: "used" };
  return { kind: "refused", reason: "OutsidePullWindow" };
}

function sourcesOf({ asker }: Situation, from: Matched | undefined): Pick<Asked, "sources" | "order"> {
  const host = asker.image.name?.host ?? "";
  const origin = `https://${host === "docker.io" ? "registry-1.docker.io" : host}`;
  const { mirrors = [], order = "Listed", origin: last } = from?.rule.from ?? {};
  return { sources: last === "Never" ? mirrors : [...mirrors, origin], order };
}

/** Windows of the generator: a weekday, `*`, or hours of every day; in UTC. Freezes are whole days, or moments. */
function isClosed({ pull, closed = [] }: NonNullable<Matched["rule"]["when"]>, now: number): boolean {
  if (closed.some(({ from, until }) => now >= Date.parse(from) && now < endOfFreeze(until))) return true;
  if (pull === undefined) return false;
  const date = new Date(now);
  return !pull.some((window) => {
    if (window === "*") return true;
    if (/^[A-Z]/.test(window)) return window === ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][date.getUTCDay()];
    const [begin = "", end = ""] = window.split("-");
    const time = date.toISOString().slice(11, 16);
    return begin < end ? time >= begin && time < end : time >= begin || time < end;
  });
}

function endOfFreeze(until: string): number {
  return Date.parse(until) + (until.includes("T") ? 0 : 86_400_000);
}

/** Of all rules, those on trial among them: the ones on trial that would refuse. */
function warningsOf({ denied, unmet, plan, pull, when }: Reading): readonly string[] {
  const onTrial = (each: Matched | undefined) => each?.rule.mode === "Warn";
  const planned = () => {
    if (plan.kind !== "refused") return [];
    const rule = (plan.reason === "OutsidePullWindow" ? [when, pull] : [pull]).find(onTrial);
    return rule === undefined ? [] : [`${rule.id} ${plan.reason}`];
  };
  return [
    ...(denied !== undefined && onTrial(denied) ? [`${denied.id} ImageDenied`] : []),
    ...unmet.filter(onTrial).map(({ id }) => `${id} RequirementNotMet`),
    ...planned(),
  ];
}
