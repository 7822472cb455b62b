/** The Secrets that a pod names: the logins in them, and why they have none for an image. */
import type { Repository } from "../image/index.ts";
import { errorText, PulleyError } from "../support/errors.ts";
import { Login, type LoginOrigin } from "../support/login.ts";
import type { Pod, PullSecret } from "../workload/index.ts";
import { createKeyring, type Keyring, parseLocation } from "./keyring.ts";
import { type KubeletEntries, type KubeletEntry, readKubeletConfig, readKubeletDockercfg } from "./kubelet-config.ts";
import type { LoginSource, SecretNotes } from "./types.ts";

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

/** Locations of a Secret that are named in a note. */
const mostLocations = 5;

/**
 * Why the Secrets that a pod names give it no login for an image.
 * @param found those of the pod's Secrets that exist
 */
export function secretNotes(
  { namespace, imagePullSecrets }: Pick<Pod, "namespace" | "imagePullSecrets">,
  found: readonly PullSecret[],
  repository: Repository,
): SecretNotes {
  const notes = [...new Set(imagePullSecrets)].flatMap((name) => {
    const secret = found.find((one) => one.name === name && one.namespace === namespace);
    const problem = secret === undefined ? "does not exist" : problemOf(secret, repository);
    return problem === undefined ? [] : [`the Secret ${namespace}/${name} ${problem}`];
  });
  const make = `kubectl create secret docker-registry NAME -n ${namespace} --docker-server=${repository.registry}`;
  return { notes, advice: `Make the Secret for this registry (${make} …), or name another one in imagePullSecrets.` };
}

function problemOf(secret: PullSecret, { registry, name }: Repository): string | undefined {
  const isFor = isSecretFor(secret, name);
  if (isFor === undefined) return "cannot be read";
  if (isFor) return undefined;
  const locations = pullSecretLocations(secret);
  if (locations.length === 0) return "has no login in it";
  const host = registry.replace(/:\d+$/, "");
  const portless = locations.find((location) => hostOf(location) !== registry && withoutPort(location) === host);
  if (portless !== undefined) {
    const [its, wanted] = [hostOf(portless), registry];
    const why = its === host ? "without the port" : host === wanted ? "with a port" : "with another port";
    return `is for ${its}, ${why}: the image's registry is ${wanted}`;
  }
  return `is for ${locations.slice(0, mostLocations).join(", ")}, and the image is ${name}`;
}

function hostOf(location: string): string {
  return location.split("/", 1)[0] ?? "";
}

function withoutPort(location: string): string {
  return hostOf(location).replace(/:\d+$/, "");
}

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
