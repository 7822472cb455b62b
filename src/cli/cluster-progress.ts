/** How far clusters are read: a line for each on a terminal, and nothing elsewhere. */
import type { PulleyError } from "../support/errors.ts";
import { plural } from "../support/format.ts";
import { liveRegion } from "../support/live.ts";
import { columns, printable, wantsColour } from "../support/terminal.ts";
import { type Io, paintFor } from "./io.ts";
import { printLines, warnOn } from "./printing.ts";

export interface ClusterProgress {
  note(cluster: string, count: number, isRead: boolean): void;
  /** Says why something of a cluster could not be read; the command goes on. */
  fail(failure: PulleyError): void;
  warn(message: string): void;
  /** Takes the lines away. */
  end(): void;
}

interface ClusterState {
  readonly cluster: string;
  /** `undefined` before its turn. */
  readonly count: number | undefined;
  readonly isRead: boolean;
}

/** @param noun what is counted: `object` */
export function watchClusters(names: readonly string[], noun: string, io: Io): ClusterProgress {
  const { stderr } = io;
  const region = stderr.isTTY ? liveRegion(stderr, wantsColour(stderr, io.environment)) : undefined;
  const states = new Map<string, ClusterState>(
    names.map((cluster) => [cluster, { cluster, count: undefined, isRead: false }]),
  );
  /** Of many kinds that may not be listed, each is told of, but what to do about it once. */
  const advised = new Set<string>();
  const mark = paintFor(io.errors ?? stderr, io)("red", "error:");
  const above = (lines: readonly string[]) => {
    if (region === undefined) printLines("errors", lines, io);
    else for (const line of lines) region.log(line);
  };
  return {
    note(cluster, count, isRead) {
      states.set(cluster, { cluster, count, isRead });
      region?.draw(progressLines([...states.values()], noun, (stderr.rows ?? 24) - 2));
    },
    fail({ message, advice }) {
      above([`${mark} ${printable(message)}`, ...(advised.has(advice) ? [] : [`  ${printable(advice)}`])]);
      advised.add(advice);
    },
    warn(message) {
      if (region === undefined) warnOn(io)(message);
      else region.log(`${paintFor(stderr, io)("yellow", "warning:")} ${printable(message)}`);
    },
    end() {
      region?.draw([]);
      region?.end();
    },
  };
}

/** Where a terminal has not enough rows for all, those that are being read now are what there is to see. */
export function progressLines(states: readonly ClusterState[], noun: string, rows: number): string[] {
  const fits = states.length <= rows;
  const shown = fits ? states : states.filter(({ count, isRead }) => count !== undefined && !isRead);
  const lines = columns(shown.map((state) => [printable(state.cluster), stateWords(state, noun)]));
  const read = states.filter(({ isRead }) => isRead).length;
  return fits ? lines : [...lines.slice(0, rows - 1), `${read} of ${plural(states.length, "cluster")} read`];
}

function stateWords({ count, isRead }: ClusterState, noun: string): string {
  if (count === undefined) return "waiting";
  if (isRead) return `${plural(count, noun)}, done`;
  return count === 0 ? "asking" : plural(count, noun);
}
