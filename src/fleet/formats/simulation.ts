/** What another policy would change in clusters, for people. */
import { plural } from "../../support/format.ts";
import { columns, hanging, type Paint, printable } from "../../support/terminal.ts";
import {
  type Effect,
  effects,
  type FleetSimulation,
  type SimulatedChange,
  type SimulatedSums,
  type StartCost,
} from "../simulation.ts";

interface View {
  readonly paint: Paint;
  readonly width: number;
}

const titles: Readonly<Record<Effect, string>> = {
  refused: "Would be refused",
  asks: "Would ask a registry at each start",
  asksNoMore: "Would no longer ask a registry at each start",
  allowed: "Would no longer be refused",
  otherwise: "Would be decided otherwise",
  warned: "Would be warned about",
};

/** Changes of a kind that are shown; a policy may change something for every workload. */
const mostShown = 20;

/** The sums first, then what changes, the gravest first. */
export function fleetSimulationLines({ total, clusters, teams, changes }: FleetSimulation, view: View): string[] {
  const { starts, changed } = total;
  const head = `If each container started once more: ${changed} of ${plural(starts, "start")} would be decided otherwise.`;
  return [
    ...hanging("", head, view.width),
    "",
    ...columns([["", "NOW", "THEN", "CHANGE"], ...costs.map(([title, of]) => costRow(title, of, total))]),
    "",
    ...hanging(
      "",
      "Workloads that would be refused, would ask a registry at each start, or would no longer ask:",
      view.width,
    ),
    "",
    ...columns([["CLUSTER", ...groupTitles], ...clusters.map((one) => groupRow(clusterName(one), one))]),
    "",
    ...(teams.length === 0
      ? []
      : [...columns([["TEAM", ...groupTitles], ...teams.map((one) => groupRow(teamName(one), one))]), ""]),
    ...effects.flatMap((effect) => section(effect, changes, teams.length > 0, view)),
  ].slice(0, -1);
}

const costs: readonly (readonly [title: string, of: keyof StartCost])[] = [
  ["registry asked", "asked"],
  ["pulls", "pulls"],
  ["refused", "refused"],
  ["warned", "warned"],
];

function costRow(title: string, of: keyof StartCost, { before, after }: SimulatedSums): string[] {
  const difference = after[of] - before[of];
  const change = difference === 0 ? "" : `${difference > 0 ? "+" : "−"}${Math.abs(difference)}`;
  return [title, String(before[of]), String(after[of]), change];
}

const groupTitles = ["WORKLOADS", "REFUSED", "ASK", "ASK NO MORE", "REQUESTS"];

/** Workloads by what changes for them, and how many requests registries get. */
function groupRow(name: string, { workloads, effects: by, before, after }: SimulatedSums): string[] {
  return [
    printable(name),
    String(workloads),
    String(by.refused),
    String(by.asks),
    String(by.asksNoMore),
    before.asked === after.asked ? String(after.asked) : `${before.asked} → ${after.asked}`,
  ];
}

function clusterName({ name, complete }: FleetSimulation["clusters"][number]): string {
  return complete ? name : `${name} (not all was read)`;
}

function teamName({ name, contact }: FleetSimulation["teams"][number]): string {
  return `${name ?? "nobody's"}${contact === null ? "" : ` (${contact})`}`;
}

function section(effect: Effect, changes: readonly SimulatedChange[], hasTeams: boolean, view: View): string[] {
  const own = changes.filter((change) => change.effect === effect);
  if (own.length === 0) return [];
  const rest = own.length - mostShown;
  return [
    view.paint("bold", titles[effect]),
    ...own.slice(0, mostShown).flatMap((change) => changeLines(change, hasTeams, view)),
    ...(rest > 0 ? [`  and ${rest} more like these; -o json has all`] : []),
    "",
  ];
}

function changeLines(change: SimulatedChange, hasTeams: boolean, { paint, width }: View): string[] {
  const { cluster, workload, team, container, image, starts, before, after, message, rules } = change;
  const whose = hasTeams ? `, ${team ?? "nobody's"}` : "";
  const words = [before, after].map(({ action, reason, pullPolicy }) => reason ?? `${pullPolicy}, ${action}`);
  const by = rules.length === 0 ? "" : `${plural(rules.length, "rule").replace(/^\d+ /, "")} ${rules.join(", ")}: `;
  return [
    ...hanging("  ", printable(`${workload.kind} ${workload.namespace}/${workload.name} in ${cluster}${whose}`), width),
    ...hanging(
      "    ",
      printable(`${container.name}, ${image}, ${plural(starts, "start")}: ${words.join(" → ")}`),
      width,
    ),
    ...hanging("    ", paint("dim", printable(`${by}${message}`)), width),
  ];
}
