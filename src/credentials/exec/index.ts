/** Credential providers as a kubelet runs them (k8s pkg/credentialprovider/plugin). */
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../support/clock.ts";
import { errnoOf, errorText, hasErrno, PulleyError } from "../../support/errors.ts";
import { createKeyring } from "../keyring.ts";
import type { LoginSource } from "../types.ts";
import { askPlugin, type PluginRun } from "./plugin.ts";
import { createProvider, type ProviderNote } from "./provider.ts";
import type { PodIdentity, ServiceAccounts } from "./service-accounts.ts";

export type { PluginRun } from "./plugin.ts";
export type { ProviderNote } from "./provider.ts";
export { givenAccounts, type PodIdentity, type ServiceAccounts } from "./service-accounts.ts";

export interface CredentialProviders {
  /**
   * The logins that the providers have for a pod's images, or for a pull that is no pod's. Fails never: see {@link
   * ProviderOptions.say}.
   */
  forPod(pod: PodIdentity | undefined): LoginSource;
  readonly names: readonly string[];
  /** `sha256:…`, for the kubelet's `credential_provider_config_info`. */
  readonly configHash: string;
}

export interface ProviderOptions {
  /** A `CredentialProviderConfig`, or a folder of them: `--image-credential-provider-config`. */
  readonly config: string;
  /** Where the providers' programs are: `--image-credential-provider-bin-dir`. */
  readonly binDir: string;
  /** What the programs find around them, besides what the configuration adds. */
  readonly environment: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly accounts: ServiceAccounts;
  /** Called when a provider gives nothing, with the reason: no pull fails for it. The reason holds no login. */
  readonly say: (note: ProviderNote) => void;
  readonly onRun?: ((run: PluginRun) => void) | undefined;
}

/**
 * Opens the credential providers of a configuration. What reads it is loaded only now: few have any.
 * @throws PulleyError `USAGE`, `INPUT_UNREADABLE`, `INPUT_INVALID` in the kubelet's words, where it would not start
 */
export async function openCredentialProviders(options: ProviderOptions): Promise<CredentialProviders> {
  const { binDir, accounts, clock, say } = options;
  await checkFolder(binDir);
  const { readProviderConfig } = await import("./config.ts");
  const { providers, hash } = await readProviderConfig(options.config);
  for (const { name } of providers) await checkProgram(join(binDir, name));
  const all = providers.map((provider) =>
    createProvider(provider, { accounts, clock, say, ask: (question) => askPlugin(provider, question, options) }),
  );
  return {
    names: providers.map(({ name }) => name),
    configHash: hash,
    forPod: (pod) => ({
      logins: async ({ name }) => {
        const answers = await Promise.all(all.map((provider) => provider.provide(name, pod)));
        return createKeyring(answers.flat()).lookup(name);
      },
    }),
  };
}

async function checkFolder(binDir: string): Promise<void> {
  try {
    await stat(binDir);
  } catch (error) {
    throw unreadable("directory", binDir, error);
  }
}

/** Only that it could be run; whether it works shows when it is asked. */
async function checkProgram(path: string): Promise<void> {
  try {
    if ((await stat(path)).isDirectory()) throw new Error("is a directory");
    await access(path, constants.X_OK);
  } catch (error) {
    throw unreadable("executable", path, error);
  }
}

function unreadable(what: "directory" | "executable", path: string, cause: unknown): PulleyError {
  const advice = "Check --image-credential-provider-bin-dir, and the providers' names in the configuration.";
  const why = errnoOf(cause) === "EACCES" ? "permission denied" : errorText(cause);
  const message = hasErrno(cause, "ENOENT")
    ? `plugin binary ${what} ${path} did not exist`
    : `error inspecting binary ${what} ${path}: ${why}`;
  return new PulleyError("INPUT_UNREADABLE", message, { advice, cause });
}
