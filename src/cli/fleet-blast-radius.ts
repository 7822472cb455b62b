import type { Command } from "commander";
import { blastRadius, blastRadiusCsv, blastRadiusLines, blastRadiusMarkdown, registryPrefix } from "../fleet/index.ts";
import { clusterOptions } from "./cluster-option.ts";
import { type FleetFlags, fromOption, openFleet } from "./fleet-clusters.ts";
import { type CommandIo, viewOf } from "./io.ts";
import { examples, outputOption } from "./options.ts";
import { print } from "./output.ts";
import { loadPolicy, policyOption, timeOption } from "./policy-option.ts";
import { printLines } from "./printing.ts";

const outputs = ["text", "json", "yaml", "csv", "markdown"] as const;

interface BlastRadiusOptions extends FleetFlags {
  readonly output: (typeof outputs)[number];
  readonly policy?: string;
  /** Milliseconds since the epoch. */
  readonly at?: number;
}

export function defineBlastRadius(command: Command, io: CommandIo): void {
  clusterOptions(command.command("blast-radius"))
    .description("Show which workloads could not start, scale or move if a registry were down.")
    .argument("<registry>", "Host of the registry, or the beginning of a name: ghcr.io, ghcr.io/acme")
    .addOption(fromOption())
    .addOption(policyOption())
    .addOption(timeOption())
    .addOption(outputOption(outputs))
    .addHelpText(
      "after",
      examples(
        ["pulley fleet blast-radius docker.io --context eu", "Show what depends on Docker Hub in a cluster"],
        [
          "pulley fleet blast-radius ghcr.io/acme --from eu.json --policy policy.yaml",
          "The same for a part of it, with the mirrors of a policy",
        ],
      ),
    )
    .action(io.withStatus((registry: string, options: BlastRadiusOptions) => showBlastRadius(registry, options, io)));
}

async function showBlastRadius(registry: string, options: BlastRadiusOptions, io: CommandIo): Promise<number> {
  const { policy: path, output, at: now = Date.now() } = options;
  const prefix = registryPrefix(registry);
  const fleet = openFleet(options, io);
  const policy = await loadPolicy({ policy: path, cluster: fleet.names[0] }, io);
  const { clusters, status } = await fleet.read();
  const found = blastRadius(clusters, prefix, { policy, now });
  if (output === "csv") printLines("stdout", blastRadiusCsv(found), io);
  else if (output === "markdown") printLines("stdout", blastRadiusMarkdown(found), io);
  else await print(output, found, () => blastRadiusLines(found, viewOf(io)), io);
  return status;
}
