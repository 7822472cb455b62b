/**
 * Who may have what. A registry lets a caller into a repository or not, and that is what is remembered: of a caller no
 * more than a fingerprint that means nothing outside this process, for a few minutes. What anybody may pull, everybody may.
 */
import type { Digest } from "../image/digest.ts";
import { canonicalText, familiarName, parseReference, type Repository, type Tag } from "../image/reference.ts";
import { isUnreachable } from "../node/pull-failure.ts";
import type { AccessResult } from "../node/pull-records/index.ts";
import type { ImageRecord } from "../store/index.ts";
import { PulleyError } from "../support/errors.ts";
import type { Caller } from "./caller.ts";
import type { Judged } from "./judging.ts";
import type { Sources } from "./sources.ts";
import type { Ground, Visit } from "./types.ts";

export interface Access {
  /** Notes that a registry has just let a caller into a repository. */
  grant(repository: Repository, caller: Caller): void;
  /** Whether that is known already, and whether for so short a time that it need not be asked again. */
  known(repository: Repository, caller: Caller): "fresh" | "stale" | undefined;
  /** Whether the caller may use an image because of how it came to be here, whoever is asked. */
  recorded(record: ImageRecord): Promise<boolean>;
  /**
   * Sees to it that the caller may have content of the repository; asks a registry where that is not known.
   * @param version what to ask a registry for: something that it has
   * @param records names of the repository that the content belongs to
   * @throws PulleyError `REGISTRY_UNAUTHORIZED`, `REGISTRY_FORBIDDEN`, `REGISTRY_NOT_FOUND`, or that nobody can be asked
   */
  require(
    judged: Judged,
    version: Tag | Digest,
    visit: Visit,
    records: readonly ImageRecord[],
  ): Promise<"fresh" | "stale">;
}

const anybody: Caller = { login: undefined };

/** Callers in repositories that are remembered. */
const most = 10_000;

export function createAccess(ground: Ground, sources: Sources): Access {
  const { store, registry, records: pullRecords, clock, limits, openToAll, local } = ground;
  /** When a registry last let in, in milliseconds since the epoch. */
  const granted = new Map<string, number>();

  function known(repository: Repository, caller: Caller): "fresh" | "stale" | undefined {
    if (openToAll) return "fresh";
    const times = [caller, anybody]
      .map((who) => granted.get(keyOf(repository, who)))
      .filter((time) => time !== undefined);
    if (times.length === 0) return undefined;
    return clock.now() - Math.max(...times) < limits.accessFor ? "fresh" : "stale";
  }

  function grant(repository: Repository, caller: Caller): void {
    const key = keyOf(repository, caller);
    granted.delete(key);
    granted.set(key, clock.now());
    const [oldest] = granted.keys();
    if (granted.size > most && oldest !== undefined) granted.delete(oldest);
  }

  async function recorded(record: ImageRecord): Promise<boolean> {
    if (openToAll) return true;
    if (pullRecords === undefined || !local) return false;
    const results = new Set<AccessResult>();
    // A pod's name for an image may be the short one, which the records keep as it was written.
    for (const written of new Set([record.name, familiarText(record.name)])) {
      results.add(await pullRecords.access(written, record.image, noLogins));
    }
    if (results.has("credentialRecordFound")) return true;
    if (results.size > 1 || !results.has("credentialPolicyAllowed")) return false;
    return isLoaded(record.image);
  }

  /** Whether nobody pulled an image, under any name: what was loaded from an archive has no registry that could say. */
  async function isLoaded(id: Digest): Promise<boolean> {
    const image = await store.image(id);
    const names = [...(image?.repoTags ?? []), ...(image?.repoDigests ?? [])];
    const named = await Promise.all(names.map((name) => store.record(name)));
    return named.every((record) => record?.confirmedAt === undefined);
  }

  return {
    grant,
    known,
    recorded,
    require: async (judged, version, visit, records) => {
      const { repository } = judged.reference;
      const before = known(repository, visit.caller);
      if (before === "fresh") return before;
      for (const record of records) if (await recorded(record)) return "fresh";
      try {
        const { signal } = visit;
        await sources.ask(
          judged,
          visit,
          (from) => registry.resolve({ repository, version }, { ...from, signal }),
          "proving",
        );
        grant(repository, visit.caller);
        return "fresh";
      } catch (error) {
        visit.signal.throwIfAborted();
        if (before === "stale" && isUnreachable(error) && mayUseCached(judged)) return before;
        throw withoutContent(error, judged);
      }
    },
  };
}

/** Whether the policy has a copy used that nobody can be asked about. */
export function mayUseCached({ decision }: Judged): boolean {
  return decision.action === "Use" || (decision.action === "Check" && decision.whenUnreachable === "UseCached");
}

/** Nobody may learn from the kind of failure whether private content is here; what a registry said, it said to the caller. */
function withoutContent(error: unknown, { reference }: Judged): unknown {
  if (!isUnreachable(error)) return error;
  return new PulleyError(
    error.code,
    `${canonicalText(reference)}: no registry can be asked whether the caller may have it: ${error.message}`,
    error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter },
  );
}

function familiarText(name: string): string {
  const { repository } = parseReference(name);
  return `${familiarName(repository)}${name.slice(repository.name.length)}`;
}

function keyOf({ name }: Repository, { login }: Caller): string {
  return `${login?.fingerprint() ?? "anonymous"} ${name}`;
}

async function noLogins() {
  return [];
}
