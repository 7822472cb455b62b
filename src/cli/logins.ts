/** Which logins a command uses, in which order. */
import { homedir } from "node:os";
import { clientLogins } from "../credentials/client-logins.ts";
import { commandLineLogin, loginsFor } from "../credentials/combine.ts";
import type { LoginSource } from "../credentials/index.ts";
import { nodeFileLogins } from "../credentials/node-files.ts";
import { systemClock } from "../support/clock.ts";
import type { Pod, PullSecret } from "../workload/types.ts";
import type { LoginFlags, RootOptions } from "./options.ts";
import type { Surroundings } from "./surroundings.ts";

/** A person's logins: the one on the command line, or those that docker, podman and skopeo would use. */
export function commandLogins({ creds, authfile }: LoginFlags, { environment }: Surroundings): LoginSource {
  if (creds !== undefined) return { logins: () => Promise.resolve([commandLineLogin(creds)]) };
  const folders = { environment, home: homedir(), uid: process.getuid?.(), authFile: authfile };
  return clientLogins(folders, { clock: systemClock });
}

/** A pod's logins: its pull secrets, then the node's: what the command line names, or the files that a kubelet reads. */
export function podLogins(
  flags: LoginFlags & RootOptions,
  surroundings: Surroundings,
): (pod: Pod, secrets: readonly PullSecret[]) => LoginSource {
  const named = flags.creds !== undefined || flags.authfile !== undefined;
  const folders = { kubeletRoot: flags.root, workingDirectory: process.cwd(), home: surroundings.environment["HOME"] };
  const own = named ? commandLogins(flags, surroundings) : nodeFileLogins(folders, systemClock);
  return (_pod, secrets) => loginsFor(secrets, [own]);
}
