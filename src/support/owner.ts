/**
 * Which process a file belongs to, so that what a killed process left behind can be told from what a living one is
 * still using. A process is known by its number and the time it began, in a namespace of process numbers, since a boot
 * of the machine. The folder in which such files lie is used by one machine only.
 */
import { readFileSync, readlinkSync } from "node:fs";
import { hasErrno } from "./errors.ts";

export interface Owner {
  readonly pid: number;
  /** In clock ticks since the boot (proc_pid_stat(5), field 22); `x` where there is no /proc. */
  readonly started: string;
  /** Number of the namespace of process numbers; `x` where there is no /proc. */
  readonly namespace: string;
  /** The boot's id without its hyphens; `x` where there is no /proc. */
  readonly boot: string;
}

/** Milliseconds without a modification after which a file counts as left behind where its owner cannot be asked after. */
export const expiry = 15 * 60_000;

const unknown = "x";
const grammar = /^([1-9][0-9]{0,9})-([0-9]{1,20}|x)-([0-9]{1,20}|x)-([0-9a-f]{32}|x)$/;

/** The process that runs this. */
export function thisOwner(): Owner {
  return {
    pid: process.pid,
    started: readStat(process.pid)?.started ?? unknown,
    namespace: /^pid:\[(\d{1,20})\]$/.exec(attempt(() => readlinkSync("/proc/self/ns/pid")) ?? "")?.[1] ?? unknown,
    boot: readBoot() ?? unknown,
  };
}

/** An owner as a part of a file's name: digits, letters and hyphens. */
export function formatOwner({ pid, started, namespace, boot }: Owner): string {
  return `${pid}-${started}-${namespace}-${boot}`;
}

export function parseOwner(text: string): Owner | undefined {
  const [match, pid = "", started = "", namespace = "", boot = ""] = grammar.exec(text) ?? [];
  return match === undefined ? undefined : { pid: Number(pid), started, namespace, boot };
}

/** Whether an owner still runs, as far as the process `self` can tell. */
export function ownerState(owner: Owner, self: Owner): "alive" | "dead" | "unknown" {
  if (formatOwner(owner) === formatOwner(self)) return "alive";
  if (owner.boot !== self.boot) return owner.boot === unknown || self.boot === unknown ? "unknown" : "dead";
  if (owner.namespace !== self.namespace) return "unknown";
  if (owner.started !== unknown && owner.namespace !== unknown) {
    const stat = readStat(owner.pid);
    if (stat !== undefined) return stat.runs && stat.started === owner.started ? "alive" : "dead";
  }
  // Without /proc, or where it hides other users' processes. That there is such a process does not make it this one.
  return isFree(owner.pid) ? "dead" : "unknown";
}

/**
 * Whether a file was left behind: its owner is dead or, where that cannot be told, it has not been modified for
 * {@link expiry}.
 * @param modifiedAt milliseconds since the epoch
 */
export function isLeftBehind(owner: Owner, modifiedAt: number, self: Owner, now: number): boolean {
  switch (ownerState(owner, self)) {
    case "alive":
      return false;
    case "dead":
      return true;
    case "unknown":
      return now - modifiedAt > expiry;
  }
}

function readStat(pid: number): { runs: boolean; started: string } | undefined {
  const text = attempt(() => readFileSync(`/proc/${pid}/stat`, "latin1"));
  // The second field is the program's name in brackets, which may have any character in it.
  const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, started] = [fields?.[0], fields?.[19]];
  if (state === undefined || started === undefined || !/^[0-9]{1,20}$/.test(started)) return undefined;
  return { runs: state !== "Z" && state !== "X", started };
}

function readBoot(): string | undefined {
  const text = attempt(() => readFileSync("/proc/sys/kernel/random/boot_id", "latin1"));
  const boot = text?.trim().replaceAll("-", "") ?? "";
  return /^[0-9a-f]{32}$/.test(boot) ? boot : undefined;
}

function isFree(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return hasErrno(error, "ESRCH");
  }
}

function attempt<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
