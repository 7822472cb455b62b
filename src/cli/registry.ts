import { openHostsDirectory, splitRoots } from "../hosts/index.ts";
import { configuredHosts, type HostsFor } from "../pull/index.ts";
import { createRegistryClient, type RegistryClient, type RegistryOptions } from "../registry/index.ts";
import type { HostsFlags, RegistryFlags } from "./options.ts";

/** Registry options of the command line. */
export function registrySettings({
  plainHttp,
  certDir,
  leastRate,
  allowRedirect,
  allowForeignLayers,
  hostsDir = "",
}: RegistryFlags): RegistryOptions {
  return {
    hosts: openHostsDirectory(splitRoots(hostsDir)),
    ...(plainHttp && { plainHttp }),
    ...(certDir && { certDirs: certDir }),
    ...(allowRedirect && { allowedRedirects: allowRedirect }),
    ...(allowForeignLayers && { foreignLayerHosts: allowForeignLayers }),
    ...(leastRate !== undefined && { leastRate }),
  };
}

/** A registry client with the options of the command line. @param manners how it treats registries, beside them */
export function registryClient(flags: RegistryFlags, manners: RegistryOptions = {}): RegistryClient {
  return createRegistryClient({ takesPart: true, ...registrySettings(flags), ...manners });
}

/** The hosts that this machine pulls from, as a fact for decisions. @param warn called for each file that is ignored */
export function machineHosts({ hostsDir = "" }: HostsFlags, warn: (message: string) => void): HostsFor {
  return configuredHosts(openHostsDirectory(splitRoots(hostsDir), warn));
}
