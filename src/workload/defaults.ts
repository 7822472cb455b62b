/**
 * The API server's defaulting of pull policies (k8s pkg/apis/core/v1/defaults.go, `SetDefaults_Container` and
 * `SetDefaults_Volume`). It happens once, when an object is created: changing the image later changes nothing.
 */
import { hasImpliedTag, type ImageName } from "../image/index.ts";
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
export function defaultPullPolicy(image: ImageName): DefaultPullPolicy {
  if (image.kind === "invalid") return { value: "IfNotPresent", because: "the name cannot be parsed" };
  if (hasImpliedTag(image)) return { value: "Always", because: "no tag and no digest, so the tag is latest" };
  const { tag } = image;
  if (tag === "latest") return { value: "Always", because: "the tag is latest" };
  if (tag !== undefined) return { value: "IfNotPresent", because: `the tag ${tag} is not latest` };
  return { value: "IfNotPresent", because: "a digest without a tag" };
}
