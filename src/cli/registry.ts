import { openHostsDirectory, splitRoots } from "../hosts/index.ts";
import { configuredHosts, type HostsFor } from "../pull/index.ts";
import { createRegistryClient, type RegistryClient, type RegistryOptions } from "../registry/index.ts";
import type { HostsFlags, RegistryFlags } from "./options.ts";

/** How the command line wants registries spoken to. */
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

/** A client as the command line asks for it. */
export function registryClient(flags: RegistryFlags): RegistryClient {
  return createRegistryClient({ takesPart: true, ...registrySettings(flags) });
}

/** Where this machine asks for images, as a fact for decisions. @param warn hears of a file that does not count */
export function machineHosts({ hostsDir = "" }: HostsFlags, warn: (message: string) => void): HostsFor {
  return configuredHosts(openHostsDirectory(splitRoots(hostsDir), warn));
}
