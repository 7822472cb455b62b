/** What another policy would have decided about requests that came once. */
import type { ImageRequest, PullPolicy } from "../workload/index.ts";
import { decide } from "./decide.ts";
import type { Decision, LocalFacts, Policy, RefusalReason } from "./types.ts";

/** A request as it came, what was known then, and what came of it. */
export interface PastRequest {
  readonly request: ImageRequest;
  readonly facts: LocalFacts;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly verdict: Verdict;
  /** Whether a node recorded it; otherwise it was only read in a manifest. */
  readonly isRecorded: boolean;
  /** Bytes of the layers that were fetched for it. */
  readonly fetched: number;
}

/** The part of a decision that a comparison needs. */
export interface Verdict {
  readonly action: Decision["action"];
  /** Of a refusal. */
  readonly reason: RefusalReason | undefined;
  readonly pullPolicy: PullPolicy;
  /** How many rules on trial would refuse it. */
  readonly warnings: number;
}

export interface Replay {
  readonly past: PastRequest;
  readonly before: Verdict;
  readonly after: Verdict;
  readonly decision: Decision;
  /** Whether something else happens; warnings aside. */
  readonly changed: boolean;
  /** Whether more rules on trial would refuse it. */
  readonly newlyWarned: boolean;
  readonly costBefore: Cost;
  readonly costAfter: Cost;
}

/** What decisions cost: what a registry is asked, what is pulled, what is refused. */
export interface Cost {
  /** Requests that ask a registry anything at all. */
  readonly asked: number;
  readonly pulls: number;
  /** Bytes of layers, as far as they are known. */
  readonly bytes: number;
  readonly refused: number;
  /** Requests that a rule on trial would refuse. */
  readonly warned: number;
}

export const noCost: Cost = { asked: 0, pulls: 0, bytes: 0, refused: 0, warned: 0 };

/**
 * Decides past requests again, in the order in which they came, at the time of then and on the facts of then, but for one:
 * when a copy was last confirmed follows from what the other policy would have asked before.
 */
export function createReplay(policy: Policy): (past: PastRequest) => Replay {
  const confirmed = new Map<string, number>();
  return (past) => {
    const { image } = past.request;
    const facts = factsFor(past, confirmed.get(image.given));
    const decision = decide(past.request, policy, facts, past.time);
    if (decision.action === "Check" || decision.action === "Pull") confirmed.set(image.given, past.time);
    const before = past.verdict;
    const after = verdictOf(decision);
    const changed =
      before.action !== after.action || before.reason !== after.reason || before.pullPolicy !== after.pullPolicy;
    const newlyWarned = after.warnings > before.warnings;
    const costs = { costBefore: costOf(before, past), costAfter: costOf(after, past) };
    return { past, before, after, decision, changed, newlyWarned, ...costs };
  };
}

/**
 * Under `Always` a kubelet does not look for a copy; but if the registry was asked and nothing had to be fetched, there
 * was one.
 */
function factsFor({ facts, isRecorded, fetched }: PastRequest, confirmedAt: number | undefined): LocalFacts {
  if (facts.presence === "present") return confirmedAt === undefined ? facts : { ...facts, confirmedAt };
  if (facts.presence === "absent" || !isRecorded) return facts;
  const { image } = facts;
  if (fetched > 0) return { presence: "absent", ...(image && { image }) };
  return { presence: "present", digest: undefined, confirmedAt, access: "granted", ...(image && { image }) };
}

export function verdictOf(decision: Decision): Verdict {
  const { action, pullPolicy, trial } = decision;
  const reason = action === "Refuse" ? decision.reason : undefined;
  return { action, reason, pullPolicy: pullPolicy.value, warnings: trial.warnings.length };
}

export function addCost(one: Cost, other: Cost): Cost {
  return {
    asked: one.asked + other.asked,
    pulls: one.pulls + other.pulls,
    bytes: one.bytes + other.bytes,
    refused: one.refused + other.refused,
    warned: one.warned + other.warned,
  };
}

/** A check pulls only if the name had moved, or nothing was here; whether it had moved is known where somebody asked. */
function costOf(verdict: Verdict, past: PastRequest): Cost {
  return { ...costOfAction(verdict, past), warned: verdict.warnings > 0 ? 1 : 0 };
}

function costOfAction({ action }: Verdict, { facts, fetched }: PastRequest): Cost {
  const bytes = fetched > 0 ? fetched : (facts.image?.size ?? 0);
  const moved = fetched > 0 || facts.presence === "absent";
  switch (action) {
    case "Use":
      return noCost;
    case "Refuse":
      return { ...noCost, refused: 1 };
    case "Check":
      return moved ? { ...noCost, asked: 1, pulls: 1, bytes } : { ...noCost, asked: 1 };
    case "Pull":
      return { ...noCost, asked: 1, pulls: 1, bytes };
  }
}
