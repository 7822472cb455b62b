/**
 * What `pulley outdated -o json` prints. Stable: a part of the public interface, versioned by `apiVersion`, and described
 * for other programs by schema/outdated.json. Every field is always there; one that does not apply is `null`.
 */
import type { Position } from "../workload/index.ts";

export interface OutdatedReport {
  readonly apiVersion: "pulley.dev/v1alpha1";
  /** Each image once, however many workloads name it. */
  readonly images: readonly OutdatedImage[];
}

export interface OutdatedImage {
  readonly image: ReportedImage;
  readonly status: OutdatedStatus;
  /** The tag that is judged; null where it has no version, or is judged by digest alone. */
  readonly current: string | null;
  /** The newest tag of the family with the same first two numbers; `current` where nothing is newer. */
  readonly patch: string | null;
  /** The newest tag of the family with the same first number; `current` where nothing is newer. */
  readonly minor: string | null;
  /** The newest tag of the family; `current` where nothing is newer. */
  readonly latest: string | null;
  readonly distance: VersionDistance;
  /** Where the tag has another digest now than the one that is written or runs. */
  readonly lag: DigestLag | null;
  /** One sentence: why the status is what it is. */
  readonly because: string;
  readonly workloads: readonly OutdatedWorkload[];
  readonly error: OutdatedError | null;
  /** What is gone upstream. */
  readonly gone: "tag" | "digest" | "repository" | "registry" | null;
  /** When the image was built (RFC 3339), by its config; null where that is not known, or is a fixed date. */
  readonly created: string | null;
  /** The last day on which the version is supported, `2027-11-11`, by the policy. */
  readonly endOfLife: string | null;
  /**
   * A newer tag of another variant, where the family has none or ends before it: on another base, without the suffix, counted
   * by years. It is told, and never offered.
   */
  readonly elsewhere: { readonly tag: string; readonly because: string } | null;
  /** Where the tag is written, and can be changed: in values and kustomizations, too. */
  readonly places: readonly Position[];
  /** The platforms that the offered tags were looked up for, `linux/amd64`; empty where none were. */
  readonly platforms: readonly string[];
}

export interface ReportedImage {
  /** As it is written. */
  readonly given: string;
  /** The normalised name, `docker.io/library/nginx`; null where the image is no reference. */
  readonly name: string | null;
  readonly tag: string | null;
  readonly digest: string | null;
}

/**
 * - `current`: nothing newer is offered, and the tag has the digest that it is known by.
 * - `outdated`: a newer tag of the family is offered.
 * - `moved`: nothing newer is offered, but the tag has another digest now.
 * - `missing`: the tag, the repository or the registry is gone.
 * - `unknown`: it cannot be told; `because` and `error` say why.
 */
export type OutdatedStatus = "current" | "outdated" | "moved" | "missing" | "unknown";

/** The largest step from `current` to `latest`. */
export type VersionDistance = "none" | "patch" | "minor" | "major" | "unknown";

export interface DigestLag {
  readonly tag: string;
  /** The digest that is written or runs. */
  readonly runs: string;
  /** The digest that the tag has now. */
  readonly now: string;
}

/** A container that names the image. */
export interface OutdatedWorkload {
  readonly kind: string;
  /** Empty where none is written. */
  readonly namespace: string;
  readonly name: string;
  readonly container: string;
  /** The context of the cluster that it was read from; null where it was read from a file. */
  readonly cluster: string | null;
  /** Where the image is written; null where it is in no file. */
  readonly source: Position | null;
}

export interface OutdatedError {
  /** A code of docs/errors.md. */
  readonly code: string;
  readonly message: string;
  /** What to do about it. */
  readonly advice: string;
}
