/** What there is in a containerd, as its own program tells. */
import { type Containerd, requiredTool, run } from "../tools.ts";

export interface State {
  readonly images: readonly string[];
  readonly content: readonly string[];
  /** Names with their kinds, `sha256:… Committed`. */
  readonly snapshots: readonly string[];
  /** Content that is being written. */
  readonly ingests: readonly string[];
  readonly leases: readonly string[];
}

/** What is asked of `ctr`, each answer between two marks: starting a program from a process as large as this costs most. */
const questions = ["images ls --quiet", "content ls --quiet", "snapshots ls", "content active", "leases ls --quiet"];
const mark = "=====";
const script = `set -e\n${questions.map((question) => `"$0" --address "$1" --namespace "$2" ${question}\necho ${mark}\n`).join("")}`;

export async function stateOf({ socket, namespace }: Containerd): Promise<State> {
  const said = await run("/bin/sh", ["-c", script, requiredTool("ctr"), socket, namespace]);
  const [images = [], content = [], snapshots = [], ingests = [], leases = []] = said.split(`${mark}\n`).map(rowsOf);
  return {
    images: images.sort(),
    content: content.sort(),
    snapshots: snapshots
      .slice(1)
      .map((line) => line.split(/\s+/))
      .map((fields) => `${fields.slice(0, -2).join(" ")} ${fields.at(-1)}`)
      .sort(),
    ingests: ingests.slice(1).sort(),
    leases: leases.sort(),
  };
}

/** That nothing is there but what images need: no snapshot in the making, no ingest, no lease. */
export function unfinished({ snapshots, ingests, leases }: State): readonly string[] {
  return [...snapshots.filter((snapshot) => !snapshot.endsWith(" Committed")), ...ingests, ...leases];
}

function rowsOf(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
}
