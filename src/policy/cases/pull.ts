/** How fresh a copy must be: every setting of `pull` with every state of a copy. */
import type { LocalFacts } from "../types.ts";
import { absent, type Case, copy, type Expected, now, policyOf, requestFor, unknown } from "./case.ts";

const minute = 60_000;
const hour = 60 * minute;

/** Beside `checkEvery: 10m` and `maxStaleness: 24h`. */
const copies: Readonly<Record<string, LocalFacts>> = {
  unknown,
  absent,
  "confirmed 5m ago": copy(5 * minute),
  "confirmed 10m ago": copy(10 * minute),
  "confirmed 1h ago": copy(hour),
  "confirmed 24h ago": copy(24 * hour),
  "confirmed 25h ago": copy(25 * hour),
  "never confirmed": copy(undefined),
  "confirmed tomorrow": copy(-24 * hour),
  "somebody else's": copy(5 * minute, "mustAuthenticate"),
};

const usable = ["confirmed 5m ago", "confirmed 10m ago", "confirmed 1h ago", "confirmed 24h ago"];
const doubtful = ["confirmed 25h ago", "never confirmed", "confirmed tomorrow"];

interface Setting {
  readonly policy: "Always" | "IfNotPresent" | "Never";
  readonly checkEvery: boolean;
  readonly maxStaleness: boolean;
  readonly useCached: boolean;
}

/** Said anew, and differently: by the state of the copy first. */
function expectedOf({ policy, checkEvery, maxStaleness, useCached }: Setting, state: string): Expected {
  const cached = useCached ? "UseCached" : "Fail";
  if (state === "unknown") {
    if (policy === "Always") return { action: "Check", whenUnreachable: cached };
    return { action: policy === "Never" ? "Use" : "Pull" };
  }
  if (state === "absent" || state === "somebody else's") {
    if (policy === "Never") return { action: "Refuse", reason: "ErrImageNeverPull" };
    if (policy === "IfNotPresent" && state === "absent") return { action: "Pull" };
    return { action: "Check", whenUnreachable: "Fail" };
  }
  if (maxStaleness && doubtful.includes(state)) {
    if (policy === "Never") return { action: "Refuse", reason: "CachedCopyTooOld" };
    return { action: "Check", whenUnreachable: "RefuseAsTooOld", unreached: "CachedCopyTooOld" };
  }
  if (policy !== "Always") return { action: "Use" };
  if (checkEvery && state === usable[0]) return { action: "Use", says: "2026-11-21T12:05:00Z" };
  return { action: "Check", whenUnreachable: cached };
}

const yesAndNo = [false, true];

const settings: readonly Setting[] = (["Always", "IfNotPresent", "Never"] as const).flatMap((policy) =>
  yesAndNo.flatMap((checkEvery) =>
    yesAndNo.flatMap((maxStaleness) => yesAndNo.map((useCached) => ({ policy, checkEvery, maxStaleness, useCached }))),
  ),
);

const product = settings.flatMap((setting) => {
  const { policy, checkEvery, maxStaleness, useCached } = setting;
  const pull = {
    policy,
    ...(checkEvery && { checkEvery: "10m" }),
    ...(maxStaleness && { maxStaleness: "24h" }),
    ...(useCached && { whenUnreachable: "UseCached" }),
  };
  return Object.entries(copies).map(
    ([state, facts]): Case => ({
      name: `${JSON.stringify(pull)} with a copy that is ${state}`,
      policy: policyOf([{ name: "fresh", pull }]),
      request: requestFor("registry.acme.io/app:1.0", { pullPolicy: policy === "Always" ? "Never" : "Always" }),
      facts,
      now,
      expected: { ...expectedOf(setting, state), pullPolicy: policy, rules: { pull: "p/fresh" } },
    }),
  );
});

const bounds = { name: "bounds", pull: { maxStaleness: "24h" } };

/** A rule that speaks on `pull` without a policy leaves the container's own in force. */
const own: readonly Case[] = (["Always", "IfNotPresent", "Never"] as const).map((pullPolicy) => ({
  name: `a rule that only bounds staleness leaves ${pullPolicy} in force`,
  policy: policyOf([bounds]),
  request: requestFor("app:1", { pullPolicy }),
  facts: copy(25 * hour),
  now,
  expected: {
    ...(pullPolicy === "Never"
      ? { action: "Refuse" as const, reason: "CachedCopyTooOld" as const }
      : { action: "Check" as const, unreached: "CachedCopyTooOld" as const }),
    pullPolicy,
    rules: { pull: "p/bounds" },
  },
}));

export const pullCases: readonly Case[] = [...product, ...own];
