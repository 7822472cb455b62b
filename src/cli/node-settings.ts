/** The settings that the daemon pulls with: it reports them, and `pulley doctor` uses them. */
import { resolve } from "node:path";
import type { Command } from "commander";
import type { SettingsObject } from "../daemon/index.ts";
import { splitRoots } from "../hosts/index.ts";
import { formatPlatform, parsePlatform } from "../image/index.ts";
import type { Io } from "./io.ts";
import type { CredentialProviderFlags, LoginFlags, PlatformOptions, RegistryFlags, RootOptions } from "./options.ts";
import { namedCluster, type PolicyOptions } from "./policy-option.ts";

type Settings = RootOptions &
  PlatformOptions &
  RegistryFlags &
  LoginFlags &
  PolicyOptions &
  CredentialProviderFlags & { readonly runtime?: string | undefined };

function absolute(path: string | undefined): string | undefined {
  return path === undefined || path === "" ? undefined : resolve(path);
}

export function reportedSettings(options: Settings, { environment }: Io): SettingsObject {
  const { certDir = [], allowRedirect = [], hostsDir = "" } = options;
  return {
    root: resolve(options.root),
    platform: formatPlatform(options.platform),
    policy: absolute(options.policy),
    cluster: namedCluster(options.cluster),
    runtime: options.runtime,
    hostsDir: splitRoots(hostsDir)
      .map((folder) => resolve(folder))
      .join(":"),
    certDir: certDir.map((folder) => resolve(folder)),
    plainHttp: options.plainHttp === true,
    allowRedirect: [...allowRedirect],
    authfile: absolute(options.authfile),
    imageCredentialProviderConfig: absolute(options.imageCredentialProviderConfig),
    imageCredentialProviderBinDir: absolute(options.imageCredentialProviderBinDir),
    ownLogin: options.creds !== undefined || options.typedLogin !== undefined,
    workingDirectory: process.cwd(),
    home: environment["HOME"],
  };
}

/** The options of a command; those that were not given are the daemon's. */
export function withSettings<Options extends Settings>(
  options: Options,
  command: Command,
  { platform, plainHttp, ownLogin: _, workingDirectory: __, home: ___, ...rest }: SettingsObject,
): Options {
  const settings = { ...rest, platform: parsePlatform(platform), ...(plainHttp && { plainHttp }) };
  const isGiven = (name: string) => !["default", undefined].includes(command.getOptionValueSource(name));
  const taken = Object.entries(settings).filter(([name, value]) => value !== undefined && !isGiven(name));
  return { ...options, ...Object.fromEntries(taken) };
}
