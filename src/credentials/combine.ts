import { PulleyError } from "../support/errors.ts";
import { Login } from "../support/login.ts";
import type { Pod, PullSecret } from "../workload/index.ts";
import { podLogins } from "./pull-secrets.ts";
import { secretNotes } from "./secret-notes.ts";
import type { LoginSource } from "./types.ts";

/**
 * All logins that a pod's image may be pulled with: those of the pod's Secrets, then the node's own. One that several
 * sources know is tried as often (k8s pkg/kubelet/images/image_manager.go).
 * @param pod who names the Secrets; absent where nobody does
 */
export function loginsFor(
  podSecrets: readonly PullSecret[],
  nodeSources: readonly LoginSource[],
  pod?: Pick<Pod, "namespace" | "imagePullSecrets">,
): LoginSource {
  const sources = [podLogins(podSecrets), ...nodeSources];
  return {
    logins: async (repository) => {
      const found: Login[] = [];
      for (const source of sources) found.push(...(await source.logins(repository)));
      return found;
    },
    ...(pod !== undefined && { notes: (repository) => secretNotes(pod, podSecrets, repository) }),
  };
}

/** Reads the `user:password` of `--creds`. @throws PulleyError `USAGE`, which does not repeat the text */
export function commandLineLogin(text: string): Login {
  const colon = text.indexOf(":");
  if (colon < 1) {
    throw new PulleyError("USAGE", "--creds is not user:password", { advice: "Write --creds user:password." });
  }
  const [username, password] = [text.slice(0, colon), text.slice(colon + 1)];
  return new Login("--creds", { kind: "password", username, password });
}
