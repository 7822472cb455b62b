/** What another policy would change for what runs: if each container started once more, on the node where it is. */
import {
  createReplay,
  decide,
  type LocalFacts,
  type Policy,
  type Replay,
  type Verdict,
  verdictOf,
  warningText,
} from "../policy/index.ts";
import type { ContainerKind } from "../workload/index.ts";
import { copiesIn, copyKey } from "./copies.ts";
import { type Team, teamOf } from "./teams.ts";
import type { Cluster, WorkloadRecord } from "./types.ts";
import { imageNames, requestOf, type Use, usesOf } from "./uses.ts";

/**
 * What `pulley simulate --context … -o json` prints, described for other programs by schema/fleet-simulation.json. Every
 * field is always there; one that does not apply is `null`.
 */
export interface FleetSimulation {
  readonly apiVersion: "pulley.dev/v1alpha1";
  readonly kind: "FleetSimulation";
  readonly total: SimulatedSums;
  readonly clusters: readonly (SimulatedSums & { readonly name: string; readonly complete: boolean })[];
  /** Empty without a file of teams; what is nobody's is under the name `null`, last. */
  readonly teams: readonly (SimulatedSums & { readonly name: string | null; readonly contact: string | null })[];
  /** The gravest first. */
  readonly changes: readonly SimulatedChange[];
}

export interface SimulatedSums {
  readonly workloads: number;
  /** Containers of pods, each of which starts once more; of a workload without pods, those of its template. */
  readonly starts: number;
  /** Starts that are decided otherwise. */
  readonly changed: number;
  readonly before: StartCost;
  readonly after: StartCost;
  /** Workloads with a start of which this is true. */
  readonly effects: Readonly<Record<Effect, number>>;
}

/** Of starts: how many ask a registry, need a pull, are refused, and are warned about by a rule on trial. */
export interface StartCost {
  readonly asked: number;
  readonly pulls: number;
  readonly refused: number;
  readonly warned: number;
}

/** From the gravest to the least. */
export const effects = ["refused", "asks", "asksNoMore", "allowed", "otherwise", "warned"] as const;
export type Effect = (typeof effects)[number];

export interface SimulatedChange {
  readonly effect: Effect;
  readonly cluster: string;
  readonly workload: { readonly kind: string; readonly namespace: string; readonly name: string };
  readonly team: string | null;
  readonly container: { readonly name: string; readonly kind: ContainerKind };
  /** As it is written. */
  readonly image: string;
  readonly starts: number;
  readonly before: SimulatedVerdict;
  readonly after: SimulatedVerdict;
  readonly message: string;
  readonly rules: readonly string[];
}

export interface SimulatedVerdict {
  readonly action: Verdict["action"];
  readonly reason: string | null;
  readonly pullPolicy: Verdict["pullPolicy"];
}

export interface SimulationCall {
  readonly policy: Policy;
  /** What holds now. */
  readonly against: Policy;
  readonly teams: readonly Team[];
  /** Names of clusters of which not all was read. */
  readonly incomplete: ReadonlySet<string>;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export function simulateFleet(clusters: readonly Cluster[], call: SimulationCall): FleetSimulation {
  const nameOf = imageNames();
  const total = new Sums();
  const changes: SimulatedChange[] = [];
  const byTeam = new Map<Team | undefined, Sums>(call.teams.map((team) => [team, new Sums()]));
  const byCluster = clusters.map((cluster) => {
    const own = new Sums();
    const copies = copiesIn(cluster, nameOf);
    for (const use of usesOf(cluster, nameOf)) {
      const team = teamOf(call.teams, use.workload);
      const ofTeam = byTeam.get(team) ?? new Sums();
      byTeam.set(team, ofTeam);
      for (const each of startsOf(use, copies, call)) {
        const effect = effectOf(each);
        for (const sums of [total, own, ofTeam]) sums.add(use.workload, { ...each, effect });
        if (effect !== undefined) changes.push(changeOf(use, team, { ...each, effect }));
      }
    }
    return { name: cluster.name, complete: !call.incomplete.has(cluster.name), ...own.value() };
  });
  const nobodys = [...byTeam].filter(([team]) => team === undefined);
  const owned = [...byTeam].filter(([team]) => team !== undefined);
  const groups = call.teams.length === 0 ? [] : [...owned, ...nobodys];
  return {
    apiVersion: "pulley.dev/v1alpha1",
    kind: "FleetSimulation",
    total: total.value(),
    clusters: byCluster,
    teams: groups.map(([team, sums]) => ({
      name: team?.name ?? null,
      contact: team?.contact ?? null,
      ...sums.value(),
    })),
    changes: changes.toSorted(gravestFirst),
  };
}

interface Starts {
  readonly starts: number;
  readonly replay: Replay;
  /** The same where a copy is on the node, as it is once the image has been pulled. */
  readonly withCopy: Replay;
}

interface Effects extends Starts {
  readonly effect: Effect;
}

/** Nobody knows here when a registry last confirmed the copies of nodes, so none counts as fresh. */
const copy: LocalFacts = { presence: "present", digest: undefined, confirmedAt: undefined, access: "granted" };

/** The starts of a container, on nodes that have a copy and on others. Where there is no pod, it may be on any node. */
function startsOf(use: Use, copies: ReadonlyMap<string, ReadonlySet<string>>, call: SimulationCall): Starts[] {
  const nodes = copies.get(copyKey(use.image));
  const here = use.pods.filter(({ node, containers }) => {
    const own = containers.find(({ spec }) => spec === use.spec);
    return own?.hasStarted === true || nodes?.has(node) === true;
  }).length;
  const hasPods = use.pods.length > 0;
  const onCopies = hasPods ? here : Number(nodes !== undefined);
  const all: readonly (readonly [starts: number, facts: LocalFacts])[] = [
    [onCopies, copy],
    [Math.max(1, use.pods.length) - onCopies, { presence: "absent" }],
  ];
  return all.flatMap(([starts, facts]) => {
    if (starts === 0) return [];
    const replay = replayOf(use, facts, call);
    return [{ starts, replay, withCopy: facts === copy ? replay : replayOf(use, copy, call) }];
  });
}

/** Each is decided for itself: what one start confirms is on another node than the next. */
function replayOf(use: Use, facts: LocalFacts, { policy, against, now }: SimulationCall): Replay {
  const request = requestOf(use);
  const verdict = verdictOf(decide(request, against, facts, now));
  return createReplay(policy)({ request, facts, time: now, verdict, isRecorded: false, fetched: 0 });
}

/** Whether each start asks is told by those with a copy; a first one asks as a rule, whatever the policy. */
function effectOf({ replay, withCopy }: Starts): Effect | undefined {
  const asks = ({ action }: Verdict) => action === "Check" || action === "Pull";
  const isRefused = ({ action }: Verdict) => action === "Refuse";
  if (isRefused(replay.after) && !isRefused(replay.before)) return "refused";
  if (isRefused(replay.before) && !isRefused(replay.after)) return "allowed";
  if (asks(withCopy.after) && !asks(withCopy.before)) return "asks";
  if (asks(withCopy.before) && !asks(withCopy.after)) return "asksNoMore";
  if (replay.changed) return "otherwise";
  return replay.newlyWarned ? "warned" : undefined;
}

function changeOf(use: Use, team: Team | undefined, { starts, replay, withCopy, effect }: Effects): SimulatedChange {
  const { cluster, kind, namespace, name } = use.workload;
  const { decision, before, after } = effect === "asks" || effect === "asksNoMore" ? withCopy : replay;
  const { warnings } = decision.trial;
  const rules = [...decision.trace, ...warnings].flatMap(({ rule }) => rule ?? []);
  return {
    effect,
    cluster,
    workload: { kind, namespace, name },
    team: team?.name ?? null,
    container: { name: use.spec.name, kind: use.spec.kind },
    image: use.spec.image,
    starts,
    before: verdictWords(before),
    after: verdictWords(after),
    message: [decision.message, ...warnings.map(warningText)].join("; "),
    rules: [...new Set(rules)],
  };
}

function verdictWords({ action, reason, pullPolicy }: Verdict): SimulatedVerdict {
  return { action, reason: reason ?? null, pullPolicy };
}

function gravestFirst(one: SimulatedChange, other: SimulatedChange): number {
  const by = effects.indexOf(one.effect) - effects.indexOf(other.effect);
  if (by !== 0) return by;
  const key = ({ cluster, workload: { namespace, kind, name } }: SimulatedChange) =>
    [cluster, namespace, kind, name].join("\n");
  const [a, b] = [key(one), key(other)];
  return a < b ? -1 : Number(a > b);
}

const noCost: StartCost = { asked: 0, pulls: 0, refused: 0, warned: 0 };

class Sums {
  readonly #workloads = new Set<WorkloadRecord>();
  readonly #effects = new Map<Effect, Set<WorkloadRecord>>(effects.map((effect) => [effect, new Set()]));
  #starts = 0;
  #changed = 0;
  #before = noCost;
  #after = noCost;

  add(
    workload: WorkloadRecord,
    { starts, replay, effect }: Pick<Starts, "starts" | "replay"> & { readonly effect: Effect | undefined },
  ): void {
    this.#workloads.add(workload);
    this.#starts += starts;
    if (replay.changed) this.#changed += starts;
    this.#before = sum(this.#before, replay.costBefore, starts);
    this.#after = sum(this.#after, replay.costAfter, starts);
    if (effect !== undefined) this.#effects.get(effect)?.add(workload);
  }

  value(): SimulatedSums {
    const count = (effect: Effect) => this.#effects.get(effect)?.size ?? 0;
    return {
      workloads: this.#workloads.size,
      starts: this.#starts,
      changed: this.#changed,
      before: this.#before,
      after: this.#after,
      effects: {
        refused: count("refused"),
        asks: count("asks"),
        asksNoMore: count("asksNoMore"),
        allowed: count("allowed"),
        otherwise: count("otherwise"),
        warned: count("warned"),
      },
    };
  }
}

function sum(one: StartCost, other: StartCost, times: number): StartCost {
  return {
    asked: one.asked + times * other.asked,
    pulls: one.pulls + times * other.pulls,
    refused: one.refused + times * other.refused,
    warned: one.warned + times * other.warned,
  };
}
