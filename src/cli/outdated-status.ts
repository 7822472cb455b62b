/** The exit status of `pulley outdated`. */
import { exitOf } from "../support/errors.ts";
import type { OutdatedImage } from "../versions/index.ts";
import { inputInvalid } from "./problems.ts";

/** What makes the command fail, if it is asked to: a step of this size or a larger one, a tag that is gone or has moved. */
export const failures = ["major", "minor", "patch", "missing", "lag"] as const;

export type FailOn = (typeof failures)[number];

export interface Seen {
  /** Whether something of the input is wrong. */
  readonly hasProblems: boolean;
  readonly failOn: readonly FailOn[];
  /** Codes of the failures of clusters that could not be read. */
  readonly unread?: readonly string[];
}

/** An input that is wrong, then a cluster that is not judged, then what was asked to fail, then what could not be told. */
export function statusOf(images: readonly OutdatedImage[], { hasProblems, failOn, unread = [] }: Seen): number {
  // A host that has no address may be gone, or this machine has no name server: either way its images were not judged.
  const exits = images.flatMap(({ status, gone, error }) =>
    (status === "unknown" || gone === "registry") && error !== null ? exitOf(error.code) : [],
  );
  if (hasProblems || exits.includes(inputInvalid)) return inputInvalid;
  if (unread.length > 0) return Math.max(...unread.map(exitOf));
  if (images.some((image) => failOn.some((what) => fails(image, what)))) return 1;
  return exits.length === 0 ? 0 : Math.max(...exits);
}

function fails({ status, distance, lag }: OutdatedImage, what: FailOn): boolean {
  switch (what) {
    case "missing":
      return status === "missing";
    case "lag":
      return lag !== null;
    case "patch":
      return distance === "patch" || distance === "minor" || distance === "major";
    case "minor":
      return distance === "minor" || distance === "major";
    case "major":
      return distance === "major";
  }
}
