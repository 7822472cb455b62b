/**
 * The API server's defaulting of pull policies (k8s pkg/apis/core/v1/defaults.go, `SetDefaults_Container` and
 * `SetDefaults_Volume`). It happens once, when an object is created: changing the image later changes nothing.
 */
import { parseReference, type Reference } from "../image/index.ts";
import type { PullPolicy } from "./types.ts";

export interface DefaultPullPolicy {
  readonly value: PullPolicy;
  /** Half a sentence for people: what about the image made it so. */
  readonly because: string;
}

/**
 * The pull policy of a container or image volume that names none: `Always` for the tag `latest`, which a reference
 * without tag and digest implies, and `IfNotPresent` for all else, names that cannot be parsed included.
 */
export function defaultPullPolicy(image: string): DefaultPullPolicy {
  const reference = parsed(image);
  if (reference === undefined) return { value: "IfNotPresent", because: "the name cannot be parsed" };
  const { tag, digest } = reference;
  if (tag === "latest") return { value: "Always", because: "the tag is latest" };
  if (tag !== undefined) return { value: "IfNotPresent", because: `the tag ${tag} is not latest` };
  if (digest !== undefined) return { value: "IfNotPresent", because: "a digest without a tag" };
  return { value: "Always", because: "no tag and no digest, so the tag is latest" };
}

function parsed(image: string): Reference | undefined {
  try {
    return parseReference(image);
  } catch {
    return undefined;
  }
}
