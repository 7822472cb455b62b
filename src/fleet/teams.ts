/** Whose workload it is: the first team whose namespaces and labels fit. */
import { isListed, type LabelSelector, type Pattern, selects } from "../policy/index.ts";
import type { Problem } from "../workload/index.ts";
import type { WorkloadRecord } from "./types.ts";

export interface Team {
  readonly name: string;
  readonly contact: string | null;
  /** Absent: any namespace. */
  readonly namespaces: readonly Pattern[] | undefined;
  /** Over the labels of the pods; absent: any. */
  readonly labels: LabelSelector | undefined;
}

export interface ReadTeams {
  /** None where there is a problem. */
  readonly teams: readonly Team[];
  readonly problems: readonly Problem[];
}

/** `undefined`: nobody's. */
export function teamOf(teams: readonly Team[], { namespace, labels }: WorkloadRecord): Team | undefined {
  return teams.find(
    (team) =>
      (team.namespaces === undefined || isListed(team.namespaces, [namespace])) &&
      (team.labels === undefined || selects(team.labels, labels)),
  );
}
