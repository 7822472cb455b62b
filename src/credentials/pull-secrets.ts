import { errorText, PulleyError } from "../support/errors.ts";
import { Login, type LoginOrigin } from "../support/login.ts";
import type { PullSecret } from "../workload/index.ts";
import { createKeyring, type Keyring } from "./keyring.ts";
import { type KubeletEntries, type KubeletEntry, readKubeletConfig, readKubeletDockercfg } from "./kubelet-config.ts";
import { parseLocation } from "./location.ts";
import type { LoginSource } from "./types.ts";

/**
 * The logins of a pod: one keyring of all its Secrets (k8s pkg/credentialprovider/secrets/secrets.go). One Secret that
 * cannot be read spoils them all; the message is then the decoder's own, as a kubelet reports it, and the advice names
 * the Secret.
 */
export function podLogins(secrets: readonly PullSecret[]): LoginSource {
  let keyring: Keyring | undefined;
  return {
    logins: async ({ name }) => {
      keyring ??= createKeyring(secrets.flatMap(readSecret));
      return keyring.lookup(name);
    },
  };
}

/** Where the logins of a Secret are for, as it is written there, without any login; none if it cannot be read. */
export function pullSecretLocations(secret: PullSecret): readonly string[] {
  try {
    return readSecret(secret).flatMap(([text]) => {
      const location = parseLocation(text);
      return location === undefined ? [] : [location.authority + location.path];
    });
  } catch {
    return [];
  }
}

/**
 * Whether a Secret has a login for an image; `undefined` if it cannot be read.
 * @param image its normalised name without tag and digest, `docker.io/library/nginx`
 */
export function isSecretFor(secret: PullSecret, image: string): boolean | undefined {
  try {
    return createKeyring(readSecret(secret)).lookup(image).length > 0;
  } catch {
    return undefined;
  }
}

function readSecret(secret: PullSecret): (readonly [location: string, login: Login])[] {
  if (secret.content === "") return [];
  return [...decode(secret)].map(([location, entry]) => [location, loginOf(secret, entry)] as const);
}

function decode({ type, content, namespace, name }: PullSecret): KubeletEntries {
  try {
    return type === "kubernetes.io/dockercfg" ? readKubeletDockercfg(content) : readKubeletConfig(content);
  } catch (error) {
    const advice = `Make the Secret ${namespace}/${name} again, with kubectl create secret docker-registry.`;
    throw new PulleyError("CREDENTIALS_INVALID", errorText(error), { advice });
  }
}

function loginOf({ uid, namespace, name }: PullSecret, { username, password, email }: KubeletEntry): Login {
  const origin: LoginOrigin = { kind: "secret", uid, namespace, name, ...(email !== "" && { email }) };
  return new Login(`secret ${namespace}/${name}`, { kind: "password", username, password }, origin);
}
