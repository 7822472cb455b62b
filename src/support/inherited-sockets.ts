/**
 * Sockets that systemd listens on for us (sd_listen_fds(3)): they stay while we are started again, and whoever connects
 * meanwhile waits for an answer instead of being refused.
 */
import { readFileSync, readlinkSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

export interface InheritedSockets {
  /** The descriptor of the socket at a path, once; `undefined` if it is not among them. */
  take(path: string): number | undefined;
  /** The paths of those that have not been taken. */
  rest(): readonly string[];
}

/** Where a process finds them. */
interface Surroundings {
  /** Its variables of systemd are removed, so that no program that we start takes the sockets for its own. */
  readonly environment: NodeJS.ProcessEnv;
  readonly pid: number;
}

const firstDescriptor = 3;
/** More than any unit has. */
const mostDescriptors = 64;

export function inheritedSockets({ environment, pid }: Surroundings): InheritedSockets {
  const isOurs = environment["LISTEN_PID"] === `${pid}`;
  const said = environment["LISTEN_FDS"] ?? "";
  for (const name of ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"]) delete environment[name];
  const count = isOurs && /^[0-9]{1,3}$/.test(said) ? Math.min(Number(said), mostDescriptors) : 0;
  const known = new Map<string, number>();
  for (let at = 0; at < count; at += 1) {
    const path = pathOf(firstDescriptor + at);
    if (path !== undefined) known.set(realPath(path), firstDescriptor + at);
  }
  return {
    take: (path) => {
      const real = realPath(resolve(path));
      const descriptor = known.get(real);
      known.delete(real);
      return descriptor;
    },
    rest: () => [...known.keys()],
  };
}

/** Where a unix socket listens, by its inode (proc(5), `/proc/net/unix`). */
function pathOf(descriptor: number): string | undefined {
  try {
    const [, inode] = /^socket:\[([0-9]+)\]$/.exec(readlinkSync(`/proc/self/fd/${descriptor}`)) ?? [];
    const line = readFileSync("/proc/net/unix", "utf8")
      .split("\n")
      .find((each) => each.trim().split(/\s+/, 7)[6] === inode);
    return line === undefined ? undefined : /(\/.*)$/.exec(line)?.[1];
  } catch {
    return undefined;
  }
}

/** `/var/run/pulley/cri.sock` is `/run/pulley/cri.sock`. */
function realPath(path: string): string {
  try {
    return join(realpathSync(dirname(path)), basename(path));
  } catch {
    return path;
  }
}
