/** A lease of containerd's: what it names is not collected, and what was made under it goes with it. */
import type { Digest } from "../../image/digest.ts";
import { isPulleyError } from "../../support/errors.ts";
import { formatOwner, ownerState, parseOwner } from "../../support/owner.ts";
import { randomName } from "../files.ts";
import { Leases } from "./api/containerd/services/leases/leases_pb.js";
import { call, unless } from "./daemon.ts";
import { labels, type Site } from "./site.ts";

/** Milliseconds after which containerd lets a lease go that nobody came back for, as its own pulls have it. */
const lifetime = 24 * 3600 * 1000;

/** Milliseconds that a collection may take. */
const longestCollection = 10 * 60_000;

export interface Protection {
  readonly id: string;
  /** Keeps content under its digest, be it there now or come later. */
  keepContent(digest: Digest): Promise<void>;
  keepSnapshot(chain: Digest): Promise<void>;
  keepsSnapshot(chain: Digest): boolean;
  /** Notes what is kept because it was made under the lease. */
  noteContent(digest: Digest): void;
  noteSnapshot(chain: Digest): void;
}

export async function protect(site: Site): Promise<Protection> {
  const { daemon } = site;
  const snapshots = `snapshots/${site.snapshotter}`;
  const id = `pulley-${randomName()}`;
  const kept = new Set<string>();
  const keep = async (type: string, name: string): Promise<void> => {
    if (kept.has(`${type} ${name}`)) return;
    await call(daemon, `keep ${name}`, Leases.method.addResource, { id, resource: { id: name, type } });
    kept.add(`${type} ${name}`);
  };
  await call(daemon, "begin a lease", Leases.method.create, {
    id,
    labels: {
      [labels.expires]: new Date(site.clock.now() + lifetime).toISOString(),
      [labels.owner]: formatOwner(site.self),
    },
  });
  return {
    id,
    keepContent: (digest) => keep("content", digest),
    keepSnapshot: (chain) => keep(snapshots, chain),
    keepsSnapshot: (chain) => kept.has(`${snapshots} ${chain}`),
    noteContent: (digest) => kept.add(`content ${digest}`),
    noteSnapshot: (chain) => kept.add(`${snapshots} ${chain}`),
  };
}

/** Leases that have ended. Those that containerd could not be told of, because it was not there, are told of later. */
export class Endings {
  readonly #site: Site;
  readonly #owed = new Set<string>();

  constructor(site: Site) {
    this.#site = site;
  }

  /** Ends a lease, and has containerd collect at once what it held and nobody else needs. */
  async end(id: string): Promise<void> {
    this.#owed.add(id);
    await this.settle();
  }

  /** Tells containerd of every lease that has ended. */
  async settle(): Promise<void> {
    for (const id of [...this.#owed]) {
      this.#owed.delete(id);
      try {
        await endLease(this.#site, id);
      } catch (error) {
        this.#owed.add(id);
        if (isPulleyError(error, "RUNTIME_UNREACHABLE")) return;
        throw error;
      }
    }
  }
}

/** Ends the leases of processes that are not there any more, and so what they left: snapshots, ingests, content. */
export async function endLeft(site: Site): Promise<void> {
  const filters = [`labels."${labels.owner}"`];
  const { leases } = await call(site.daemon, "list its leases", Leases.method.list, { filters });
  for (const lease of leases) {
    const owner = parseOwner(lease.labels[labels.owner] ?? "");
    if (owner !== undefined && ownerState(owner, site.self) === "dead") await endLease(site, lease.id);
  }
}

/** Has containerd collect what nobody needs, and waits for it. */
export async function collect(site: Site): Promise<void> {
  const { id } = await protect(site);
  await endLease(site, id);
}

async function endLease({ daemon }: Site, id: string): Promise<void> {
  const request = { id, sync: true };
  const settings = { timeout: longestCollection };
  await unless(call(daemon, "end a lease", Leases.method.delete, request, settings), "NOT_FOUND");
}
