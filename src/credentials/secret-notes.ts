/** Why the Secrets that a pod names give it no login for an image. */
import type { Repository } from "../image/index.ts";
import type { Pod, PullSecret } from "../workload/index.ts";
import { isSecretFor, pullSecretLocations } from "./pull-secrets.ts";
import type { SecretNotes } from "./types.ts";

/** Locations of a Secret that are named. */
const mostLocations = 5;

/** @param found those of the pod's Secrets that exist */
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
