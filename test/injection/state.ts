/** What there is in a containerd, as its own program tells. */
import type { Containerd } from "../tools.ts";

export interface State {
  readonly images: readonly string[];
  readonly content: readonly string[];
  /** Names with their kinds, `sha256:… Committed`. */
  readonly snapshots: readonly string[];
  /** Content that is being written. */
  readonly ingests: readonly string[];
  readonly leases: readonly string[];
}

export async function stateOf({ ctr }: Containerd): Promise<State> {
  return {
    images: linesOf(await ctr(["images", "ls", "--quiet"])),
    content: linesOf(await ctr(["content", "ls", "--quiet"])),
    snapshots: linesOf(await ctr(["snapshots", "ls"]))
      .slice(1)
      .map((line) => line.split(/\s+/))
      .map((fields) => `${fields.slice(0, -2).join(" ")} ${fields.at(-1)}`),
    ingests: linesOf(await ctr(["content", "active"])).slice(1),
    leases: linesOf(await ctr(["leases", "ls", "--quiet"])),
  };
}

/** That nothing is there but what images need: no snapshot in the making, no ingest, no lease. */
export function unfinished({ snapshots, ingests, leases }: State): readonly string[] {
  return [...snapshots.filter((snapshot) => !snapshot.endsWith(" Committed")), ...ingests, ...leases];
}

function linesOf(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean)
    .sort();
}
