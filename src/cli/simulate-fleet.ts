/** `pulley simulate --context` and `--from`: another policy for what runs in clusters. */
import { fleetSimulationLines, simulateFleet } from "../fleet/index.ts";
import { PulleyError } from "../support/errors.ts";
import { isClusterWanted } from "./cluster-option.ts";
import { type FleetFlags, openFleet } from "./fleet-clusters.ts";
import { type CommandIo, viewOf } from "./io.ts";
import type { OutputOptions } from "./options.ts";
import { print } from "./output.ts";
import { loadPolicy } from "./policy-option.ts";
import { teamsIn } from "./teams-option.ts";

export interface SimulateFleetOptions extends FleetFlags, OutputOptions {
  readonly policy: string;
  readonly against?: string;
  readonly teams?: string;
  /** Milliseconds since the epoch. */
  readonly at?: number;
}

/** Whether clusters are named. @throws PulleyError `USAGE` if something else is, too */
export function isOfFleet(
  paths: readonly string[],
  options: SimulateFleetOptions & { readonly record?: string },
): boolean {
  const { from, record, teams } = options;
  const refuse = (message: string, advice: string) => new PulleyError("USAGE", message, { advice });
  if (!isClusterWanted(options) && from === undefined) {
    if (teams === undefined) return false;
    throw refuse("--teams is given without a cluster", "Name one with --context, or its list with --from.");
  }
  if (paths.length === 0 && record === undefined) return true;
  const other = record === undefined ? "manifests" : "recorded decisions";
  throw refuse(`clusters and ${other} cannot be used together`, "Run the command once for each.");
}

export async function simulateClusters(options: SimulateFleetOptions, io: CommandIo): Promise<number> {
  const { policy: path, against: current, at: now = Date.now(), output } = options;
  const fleet = openFleet(options, io);
  // Each workload says which cluster it is in; a name is given so that rules for clusters are not called idle.
  const [cluster] = fleet.names;
  const policy = await loadPolicy({ policy: path, cluster }, io);
  const against = await loadPolicy({ policy: current, cluster }, io);
  const teams = teamsIn(options.teams, io);
  const { clusters, incomplete, status } = await fleet.read();
  const found = simulateFleet(clusters, { policy, against, teams, incomplete, now });
  if (found.total.starts === 0 && status === 0) {
    throw new PulleyError("INPUT_INVALID", "there is no workload to try the policy on", {
      advice: "Name other clusters or namespaces.",
    });
  }
  await print(output, found, () => fleetSimulationLines(found, viewOf(io)), io);
  return status === 0 && found.total.effects.refused > 0 ? 1 : status;
}
