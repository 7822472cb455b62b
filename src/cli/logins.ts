/** The logins that a command uses, in their order. */
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
import type { ImageName } from "../image/index.ts";
import { systemClock } from "../support/clock.ts";
import { PulleyError } from "../support/errors.ts";
import { homeFolder } from "../support/home.ts";
import type { Pod, PullSecret } from "../workload/index.ts";
import type { Io } from "./io.ts";
import type { CredentialProviderFlags, LoginFlags, RootOptions } from "./options.ts";
import { warnOn } from "./printing.ts";

/** The logins of a pod, given its existing pull secrets. */
export type LoginsForPod = (pod: Pod, secrets: readonly PullSecret[]) => LoginSource;

/** The logins of the user: the one on the command line, or those that docker, podman and skopeo would use. */
export function commandLogins({ creds, typedLogin, authfile }: LoginFlags, { environment }: Io): LoginSource {
  if (typedLogin !== undefined) return { logins: () => Promise.resolve([typedLogin]) };
  if (creds !== undefined) return { logins: () => Promise.resolve([commandLineLogin(creds)]) };
  const folders = { environment, home: homeFolder(), uid: process.getuid?.(), authFile: authfile };
  return clientLogins(folders, { clock: systemClock });
}

/**
 * A login without a registry goes to whoever asks for it, so there may be only one who can.
 * @throws PulleyError `USAGE` if the images are of several registries
 */
export function refuseSharedLogin(images: readonly ImageName[], { creds, typedLogin }: LoginFlags): void {
  if (creds === undefined && typedLogin === undefined) return;
  const named = images.flatMap((image) => (image.kind === "invalid" ? [] : image.repository.registry));
  const registries = [...new Set(named)].toSorted();
  if (registries.length < 2) return;
  const which = typedLogin === undefined ? "--creds (PULLEY_CREDS)" : "--username";
  const some = registries.slice(0, 3).join(", ") + (registries.length > 3 ? ", …" : "");
  throw new PulleyError(
    "USAGE",
    `${which} is one login, and the images are of ${registries.length} registries: ${some}`,
    {
      advice: "Log in to each with pulley login, or name a login file with --authfile.",
    },
  );
}

/** The logins of the user and of the credential providers. @throws PulleyError as {@link openProviders} */
export async function personLogins(
  flags: LoginFlags & CredentialProviderFlags,
  io: Io,
  deps: Partial<ProviderDeps> = {},
): Promise<LoginSource> {
  return (await workloadLogins(flags, io, deps))(undefined, []);
}

/**
 * The logins of a workload for a user who asks on its behalf: its pull secrets, then those of the user, then those of the
 * credential providers. Without a workload, the user's own.
 * @throws PulleyError as {@link openProviders}
 */
export async function workloadLogins(
  flags: LoginFlags & CredentialProviderFlags,
  io: Io,
  deps: Partial<ProviderDeps> = {},
): Promise<(pod: Pod | undefined, secrets: readonly PullSecret[]) => LoginSource> {
  const own = commandLogins(flags, io);
  const providers = await openProviders(flags, io, deps);
  return (pod, secrets) => loginsFor(secrets, providers === undefined ? [own] : [own, providers.forPod(pod)], pod);
}

/**
 * The logins of a pod: its pull secrets, then those of the node (given on the command line, or in the files that a kubelet
 * reads), then those of the credential providers.
 * @throws PulleyError as {@link openProviders}
 */
export async function podLogins(
  flags: LoginFlags & RootOptions & CredentialProviderFlags,
  io: Io,
  deps: Partial<ProviderDeps> = {},
): Promise<LoginsForPod> {
  const named = [flags.creds, flags.typedLogin, flags.authfile].some((given) => given !== undefined);
  const { workingDirectory = process.cwd(), home = io.environment["HOME"] } = deps;
  const folders = { kubeletRoot: flags.root, workingDirectory, home };
  const own = named ? commandLogins(flags, io) : nodeFileLogins(folders, systemClock);
  const providers = await openProviders(flags, io, deps);
  return (pod, secrets) => loginsFor(secrets, providers === undefined ? [own] : [own, providers.forPod(pod)], pod);
}

/** What credential providers depend on, with callbacks for what they do. */
export interface ProviderDeps {
  readonly accounts: ServiceAccounts;
  /** Called with each message of a provider; by default, prints problems as warnings. */
  readonly onNote: (note: ProviderNote) => void;
  readonly onRun: (run: PluginRun) => void;
  /** Where login files of the node are searched for, besides its root; by default, the directories of this process. */
  readonly workingDirectory: string;
  readonly home: string | undefined;
  /** Called once with the providers, if any are configured. */
  readonly onOpen: (providers: Pick<CredentialProviders, "names" | "configHash">) => void;
}

const noAccounts: ServiceAccounts = { account: () => Promise.resolve(undefined) };

/** @throws PulleyError `USAGE`, `INPUT_UNREADABLE`, `INPUT_INVALID` if the configuration is not one that a kubelet starts with */
export async function openProviders(
  { imageCredentialProviderConfig: config, imageCredentialProviderBinDir: binDir }: CredentialProviderFlags,
  io: Io,
  { accounts = noAccounts, onNote = providerNotes(io).onNote, onRun, onOpen }: Partial<ProviderDeps> = {},
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
  // PULLEY_CREDS is not meant for provider programs.
  const { PULLEY_CREDS: _, ...environment } = io.environment;
  const providers = await openCredentialProviders({
    config,
    binDir,
    environment,
    clock: systemClock,
    accounts,
    say: onNote,
    onRun,
  });
  onOpen?.(providers);
  return providers;
}

/** Prints problems of credential providers as warnings. */
export interface ProviderNotes {
  onNote(note: ProviderNote): void;
  /** Prints them with `print` from now on, such as above progress that is being drawn on standard error. */
  printWith(print: (line: string) => void): void;
}

export function providerNotes(io: Io): ProviderNotes {
  let print: (line: string) => void = warnOn(io);
  return {
    onNote: ({ kind, provider, message }) => {
      if (kind === "problem") print(`credential provider ${provider}: ${message}`);
    },
    printWith: (other) => {
      print = other;
    },
  };
}
