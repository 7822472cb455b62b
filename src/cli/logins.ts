import {
  type CredentialProviders,
  clientLogins,
  commandLineLogin,
  type LoginSource,
  loginsFor,
  nodeFileLogins,
  openCredentialProviders,
  type PluginRun,
  type ProviderNote,
  type ServiceAccounts,
} from "../credentials/index.ts";
/** Which logins a command uses, in which order. */

import { systemClock } from "../support/clock.ts";
import { PulleyError } from "../support/errors.ts";
import { homeFolder } from "../support/home.ts";
import type { Pod, PullSecret } from "../workload/index.ts";
import type { Io } from "./io.ts";
import type { CredentialProviderFlags, LoginFlags, RootOptions } from "./options.ts";
import { warnOn } from "./printing.ts";

/** The logins of a pod, given those of its pull secrets that exist. */
export type LoginsForPod = (pod: Pod, secrets: readonly PullSecret[]) => LoginSource;

/** A person's logins: the one on the command line, or those that docker, podman and skopeo would use. */
export function commandLogins({ creds, typedLogin, authfile }: LoginFlags, { environment }: Io): LoginSource {
  if (typedLogin !== undefined) return { logins: () => Promise.resolve([typedLogin]) };
  if (creds !== undefined) return { logins: () => Promise.resolve([commandLineLogin(creds)]) };
  const folders = { environment, home: homeFolder(), uid: process.getuid?.(), authFile: authfile };
  return clientLogins(folders, { clock: systemClock });
}

/** A person's logins, and those of the credential providers. @throws PulleyError as {@link openProviders} */
export async function personLogins(
  flags: LoginFlags & CredentialProviderFlags,
  io: Io,
  world: Partial<ProviderWorld> = {},
): Promise<LoginSource> {
  const own = commandLogins(flags, io);
  const providers = await openProviders(flags, io, world);
  return providers === undefined ? own : loginsFor([], [own, providers.forPod(undefined)]);
}

/**
 * A pod's logins: its pull secrets, then the node's (what the command line names, or the files that a kubelet reads),
 * then those of the credential providers.
 * @throws PulleyError as {@link openProviders}
 */
export async function podLogins(
  flags: LoginFlags & RootOptions & CredentialProviderFlags,
  io: Io,
  world: Partial<ProviderWorld> = {},
): Promise<LoginsForPod> {
  const named = [flags.creds, flags.typedLogin, flags.authfile].some((given) => given !== undefined);
  const { workingDirectory = process.cwd(), home = io.environment["HOME"] } = world;
  const folders = { kubeletRoot: flags.root, workingDirectory, home };
  const own = named ? commandLogins(flags, io) : nodeFileLogins(folders, systemClock);
  const providers = await openProviders(flags, io, world);
  return (pod, secrets) => loginsFor(secrets, providers === undefined ? [own] : [own, providers.forPod(pod)], pod);
}

/** What credential providers are told, and who hears of them. */
export interface ProviderWorld {
  readonly accounts: ServiceAccounts;
  /** By default, problems are warnings on standard error. */
  readonly say: (note: ProviderNote) => void;
  readonly onRun: (run: PluginRun) => void;
  /** Where the node's files of logins are looked for, besides its root. By default, as this process has them. */
  readonly workingDirectory: string;
  readonly home: string | undefined;
  /** Told once which configuration holds, if any. */
  readonly onOpen: (providers: Pick<CredentialProviders, "names" | "configHash">) => void;
}

const noAccounts: ServiceAccounts = { account: () => Promise.resolve(undefined) };

/** @throws PulleyError `USAGE`, `INPUT_UNREADABLE`, `INPUT_INVALID` if the configuration is not one that a kubelet starts with */
export async function openProviders(
  { imageCredentialProviderConfig: config, imageCredentialProviderBinDir: binDir }: CredentialProviderFlags,
  io: Io,
  { accounts = noAccounts, say = providerNotes(io).hear, onRun, onOpen }: Partial<ProviderWorld> = {},
): Promise<CredentialProviders | undefined> {
  if (config === undefined && binDir === undefined) return undefined;
  if (config === undefined || binDir === undefined) {
    const [given, missing] = config === undefined ? ["bin-dir", "config"] : ["config", "bin-dir"];
    throw new PulleyError(
      "USAGE",
      `--image-credential-provider-${given} is given without --image-credential-provider-${missing}`,
      { advice: "Give both, or neither." },
    );
  }
  // The login of --creds may stand there, and is for nobody's programs.
  const { PULLEY_CREDS: _, ...environment } = io.environment;
  const providers = await openCredentialProviders({
    config,
    binDir,
    environment,
    clock: systemClock,
    accounts,
    say,
    onRun,
  });
  onOpen?.(providers);
  return providers;
}

/** What credential providers could not do, as warnings. */
export interface ProviderNotes {
  hear(note: ProviderNote): void;
  /** Shows them by other means from now on: while something is drawn on standard error, nobody may just write there. */
  showWith(show: (line: string) => void): void;
}

export function providerNotes(io: Io): ProviderNotes {
  let show: (line: string) => void = warnOn(io);
  return {
    hear: ({ kind, provider, message }) => {
      if (kind === "problem") show(`credential provider ${provider}: ${message}`);
    },
    showWith: (other) => {
      show = other;
    },
  };
}
