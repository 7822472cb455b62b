/** `pulley fleet report --check`: what registries say of the images that clusters use. */
import type { Command } from "commander";
import {
  askUpstream,
  type Cluster,
  type ClusterSecrets,
  type FleetUpstream,
  fleetImages,
  requestingPods,
} from "../fleet/index.ts";
import { hostPlatform } from "../image/index.ts";
import type { Policy } from "../policy/index.ts";
import { errorTable, PulleyError } from "../support/errors.ts";
import { type ClusterFlags, isClusterWanted, secretsOption } from "./cluster-option.ts";
import type { CommandIo } from "./io.ts";
import { refuseSharedLogin } from "./logins.ts";
import {
  type CredentialProviderFlags,
  credentialProviderOptions,
  type LoginFlags,
  loginOptions,
  type RegistryFlags,
  registryHostOptions,
} from "./options.ts";
import { openJudging } from "./outdated-registry.ts";
import { sourcesOf } from "./outdated-sources.ts";

export interface CheckFlags extends LoginFlags, CredentialProviderFlags, RegistryFlags {
  readonly check?: true;
  readonly secrets?: true;
}

export function checkOptions(command: Command, io: CommandIo): Command {
  command
    .option(
      "--check",
      "Also ask the registries: tags that have moved, images that are gone, newer versions; each repository is asked once",
    )
    .addOption(secretsOption());
  return credentialProviderOptions(registryHostOptions(loginOptions(command, io)));
}

/** @throws PulleyError `USAGE` */
export function refuseCheckConflicts({ check, secrets, ...flags }: CheckFlags & ClusterFlags): void {
  if (!secrets) return;
  const refuse = (message: string, advice: string) => new PulleyError("USAGE", message, { advice });
  if (!check) throw refuse("--secrets is given without --check", "Without it, no registry is asked.");
  if (!isClusterWanted(flags)) {
    throw refuse("--secrets is given without a cluster", "Name one with --context: lists in files have no Secrets.");
  }
}

export interface FleetDecisions {
  readonly policy: Policy;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** @throws PulleyError `USAGE` if one login is for several registries; as {@link sourcesOf} */
export async function checkUpstream(
  { clusters, secrets }: { readonly clusters: readonly Cluster[]; readonly secrets: ClusterSecrets },
  { policy, now }: FleetDecisions,
  flags: CheckFlags,
  io: CommandIo,
): Promise<FleetUpstream> {
  const images = fleetImages(clusters);
  refuseSharedLogin(
    images.map(({ used }) => used.image),
    flags,
  );
  const { registry, pages, onProgress } = openJudging(flags, io);
  try {
    return await askUpstream(images, {
      registry,
      sourcesFor: await sourcesOf(requestingPods(images, secrets), { policy, now }, flags, io),
      policy,
      now,
      platforms: [],
      machine: hostPlatform(process.platform, process.arch),
      ages: false,
      pages,
      signal: io.interruption(),
      onProgress,
    });
  } finally {
    await registry.close();
  }
}

/** 3 if a registry could not be asked about everything, else 0. */
export function upstreamStatus(upstream: FleetUpstream | undefined): number {
  const isComplete = (upstream?.registries ?? []).every(({ failure }) => failure === null);
  return isComplete ? 0 : errorTable.REGISTRY_UNREACHABLE.exit;
}
