import type { Login } from "../../support/login.ts";
import {
  compare,
  credentialHash,
  type RecordedCredentials,
  type RecordedSecret,
  type SecretCoordinates,
} from "./format.ts";

/** From this many recorded secrets on, no further one is added (k8s pullmanager `maxRecordedSecrets`). */
const mostSecrets = 100;

const nobody: RecordedCredentials = { kubernetesSecrets: [], kubernetesServiceAccounts: [], nodePodsAccessible: false };

/** Who may use an image that was pulled with this login; without a login, or with the node's own, every pod. */
export function grantFor(login: Login | undefined): RecordedCredentials {
  if (login === undefined) return { ...nobody, nodePodsAccessible: true };
  const { origin } = login;
  if (origin === undefined) return nobody;
  switch (origin.kind) {
    case "node":
      return { ...nobody, nodePodsAccessible: true };
    case "secret":
      return { ...nobody, kubernetesSecrets: [recordedSecret(origin, login)] };
    case "serviceAccount":
      return { ...nobody, kubernetesServiceAccounts: [coordinatesOf(origin)] };
  }
}

/** What was granted and what comes to it; `before` itself if nothing does. */
export function mergeGrant(before: RecordedCredentials | undefined, added: RecordedCredentials): RecordedCredentials {
  if (before === undefined) return added;
  if (before.nodePodsAccessible) return before;
  if (added.nodePodsAccessible) return added;
  const kubernetesSecrets = mergeSorted(before.kubernetesSecrets, added.kubernetesSecrets);
  const kubernetesServiceAccounts = mergeSorted(before.kubernetesServiceAccounts, added.kubernetesServiceAccounts);
  const after = { kubernetesSecrets, kubernetesServiceAccounts, nodePodsAccessible: false };
  return JSON.stringify(after) === JSON.stringify({ ...nobody, ...before }) ? before : after;
}

export interface Grant {
  readonly login: Login;
  /** Whether the login should be recorded too: it is new, or its secret now holds another one. */
  readonly remember: boolean;
}

/** The first of a pod's logins that the record knows: by what it holds, or by the secret or account it comes from. */
export function findGrant(granted: RecordedCredentials, logins: readonly Login[]): Grant | undefined {
  const roomLeft = granted.kubernetesSecrets.length < mostSecrets;
  for (const login of logins) {
    const { origin } = login;
    if (origin?.kind !== "secret") continue;
    const hash = credentialHash(login);
    for (const recorded of granted.kubernetesSecrets) {
      const same = isSame(recorded, origin);
      if (recorded.credentialHash !== "" && recorded.credentialHash === hash) {
        return { login, remember: !same && roomLeft };
      }
      if (same && roomLeft) return { login, remember: true };
    }
  }
  const accountLogin = logins.find((login) => login.origin?.kind === "serviceAccount");
  const account = accountLogin?.origin;
  if (accountLogin === undefined || account?.kind !== "serviceAccount") return undefined;
  const known = granted.kubernetesServiceAccounts.some((recorded) => isSame(recorded, account));
  return known ? { login: accountLogin, remember: false } : undefined;
}

function recordedSecret(coordinates: SecretCoordinates, login: Login): RecordedSecret {
  return { ...coordinatesOf(coordinates), credentialHash: credentialHash(login) };
}

function coordinatesOf({ uid, namespace, name }: SecretCoordinates): SecretCoordinates {
  return { uid, namespace, name };
}

function isSame(one: SecretCoordinates, other: SecretCoordinates): boolean {
  return one.uid === other.uid && one.namespace === other.namespace && one.name === other.name;
}

function mergeSorted<Entry extends SecretCoordinates>(
  before: readonly Entry[],
  added: readonly Entry[],
): readonly Entry[] {
  const kept = before.filter((entry) => !added.some((newer) => isSame(entry, newer)));
  return [...kept, ...added].sort(
    (one, other) =>
      compare(one.namespace, other.namespace) || compare(one.name, other.name) || compare(one.uid, other.uid),
  );
}
