/** A lease of containerd's: what it names is not collected, and what was made under it goes with it. */
import type { Digest } from "../../image/index.ts";
import { isPulleyError } from "../../support/errors.ts";
import { formatOwner, ownerState, parseOwner } from "../../support/owner.ts";
import { randomName } from "../files.ts";
import { Leases } from "./api/containerd/services/leases/leases_pb.js";
import { type ContainerdContext, labels } from "./context.ts";
import { call, unless } from "./daemon.ts";

/** Milliseconds after which containerd drops an abandoned lease, the same as for its own pulls. */
const lifetime = 24 * 3600 * 1000;

/** Milliseconds that a collection may take. */
const longestCollection = 10 * 60_000;

export interface Protection {
  readonly id: string;
  /** Keeps content under its digest, be it there now or come later. */
  keepContent(digest: Digest): Promise<void>;
  keepSnapshot(chain: Digest): Promise<void>;
  keepsSnapshot(chain: Digest): boolean;
  /** Keeps all that labels of content lead to. */
  keepNeeded(labelled: Readonly<Record<string, string>>): Promise<void>;
  /** Notes what is kept because it was made under the lease, or will be kept once it is. */
  noteContent(digest: Digest): void;
  noteSnapshot(chain: Digest): void;
  /** Notes what a name needs from now on, so that it stays without the lease. */
  noteNamed(...needed: readonly Digest[]): void;
}

interface ActiveProtection extends Protection {
  /** Content and snapshots that the lease keeps. */
  readonly kept: ReadonlySet<string>;
  /** Those that only this process has brought, and that no name needs yet. */
  readonly unnamed: ReadonlySet<string>;
}

/** The leases of this process. */
export class Protections {
  readonly #context: ContainerdContext;
  readonly #held = new Map<string, ActiveProtection>();
  /** Ended leases that containerd does not know of yet, and whether it shall collect at once. */
  readonly #owed = new Map<string, boolean>();

  constructor(context: ContainerdContext) {
    this.#context = context;
  }

  async begin(): Promise<Protection> {
    await this.endReleased();
    const id = `pulley-${randomName()}`;
    try {
      await createLease(this.#context, id);
    } catch (error) {
      // Whether it is there is not known if containerd went away before it could say so.
      this.#owed.set(id, false);
      throw error;
    }
    const held = hold(this.#context, id);
    this.#held.set(id, held);
    return held;
  }

  /** Ends a lease. What only it kept is collected at once, not at containerd's next collection. */
  async end({ id }: Protection): Promise<void> {
    const held = this.#held.get(id);
    if (held === undefined) return;
    this.#held.delete(id);
    const others = [...this.#held.values()];
    const orphans = [...held.unnamed].filter((each) => !others.some(({ kept }) => kept.has(each)));
    this.#owed.set(id, orphans.length > 0);
    await this.endReleased();
  }

  /**
   * Ends leases in containerd. What fails now is tried again the next time; until then a
   * lease holds some room, which is no reason for anything to fail.
   */
  async endReleased(): Promise<void> {
    for (const [id, collecting] of new Map(this.#owed)) {
      this.#owed.delete(id);
      try {
        await endLease(this.#context, id, collecting);
      } catch (error) {
        this.#owed.set(id, true);
        if (isPulleyError(error, "RUNTIME_UNREACHABLE")) return;
        if (!isPulleyError(error)) throw error;
        this.#context.warn(error.message);
      }
    }
  }
}

function hold({ daemon, snapshotter }: ContainerdContext, id: string): ActiveProtection {
  const snapshots = `snapshots/${snapshotter}`;
  const [kept, unnamed] = [new Set<string>(), new Set<string>()];
  const keep = async (type: string, name: string): Promise<void> => {
    if (kept.has(`${type} ${name}`)) return;
    await call(daemon, `keep ${name}`, Leases.method.addResource, { id, resource: { id: name, type } });
    kept.add(`${type} ${name}`);
  };
  const note = (type: string, name: Digest): void => {
    kept.add(`${type} ${name}`);
    unnamed.add(`${type} ${name}`);
  };
  return {
    id,
    kept,
    unnamed,
    keepContent: (digest) => keep("content", digest),
    keepSnapshot: (chain) => keep(snapshots, chain),
    keepNeeded: async (labelled) => {
      for (const [key, name] of Object.entries(labelled)) {
        if (key.startsWith(labels.needsContent)) await keep("content", name);
        else if (key.startsWith(labels.needsSnapshot)) {
          await keep(`snapshots/${key.slice(labels.needsSnapshot.length)}`, name);
        }
      }
    },
    keepsSnapshot: (chain) => kept.has(`${snapshots} ${chain}`),
    noteContent: (digest) => note("content", digest),
    noteSnapshot: (chain) => note(snapshots, chain),
    noteNamed: (...needed) => {
      for (const each of needed) for (const type of ["content", snapshots]) unnamed.delete(`${type} ${each}`);
    },
  };
}

/** Ends the leases of processes that are not there any more, and so what they left: snapshots, ingests, content. */
export async function endLeft(context: ContainerdContext): Promise<void> {
  const filters = [`labels."${labels.owner}"`];
  const { leases } = await call(context.daemon, "list its leases", Leases.method.list, { filters });
  for (const lease of leases) {
    const owner = parseOwner(lease.labels[labels.owner] ?? "");
    if (owner !== undefined && ownerState(owner, context.self) === "dead") await endLease(context, lease.id, true);
  }
}

/** Runs containerd's garbage collection, and waits for it. */
export async function collect(context: ContainerdContext): Promise<void> {
  const id = `pulley-${randomName()}`;
  await createLease(context, id);
  await endLease(context, id, true);
}

async function createLease({ daemon, clock, self }: ContainerdContext, id: string): Promise<void> {
  const expires = new Date(clock.now() + lifetime).toISOString();
  const request = { id, labels: { [labels.expires]: expires, [labels.owner]: formatOwner(self) } };
  await call(daemon, "begin a lease", Leases.method.create, request);
}

async function endLease({ daemon }: ContainerdContext, id: string, sync: boolean): Promise<void> {
  const settings = { timeout: longestCollection };
  await unless(call(daemon, "end a lease", Leases.method.delete, { id, sync }, settings), "NOT_FOUND");
}
