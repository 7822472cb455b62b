/**
 * Access of clients to repositories. A registry gives a client access or not, and that is remembered: of a client no
 * more than a fingerprint that means nothing outside this process, for a few minutes. What is public is public for all.
 */

import { setTimeout as delay } from "node:timers/promises";
import { type Digest, familiarText, parseReference, type Repository } from "../image/index.ts";
import { type AccessResult, isUnreachable, type Source } from "../pull/index.ts";
import type { ImageRecord } from "../store/index.ts";
import { errorText, type PulleyError } from "../support/errors.ts";
import type { AuthorizedPull, Outline } from "./authorize-pull.ts";
import type { ClientAuth } from "./client-auth.ts";
import type { Sources, Told } from "./sources.ts";
import type { MirrorDeps, RequestContext } from "./types.ts";

export interface Access {
  /** Notes that a registry has just given a client access to a repository. */
  grant(repository: Repository, caller: ClientAuth): void;
  /** Whether access is known, and recent enough that the registry need not be asked again. */
  known(repository: Repository, caller: ClientAuth): "fresh" | "stale" | undefined;
  /** Whether a client may use an image by its pull records, whatever the registry says. */
  recorded(record: ImageRecord): Promise<boolean>;
  /**
   * Lets a caller in who may have what he asks for, or does not. As long as that is not known, nothing is done that
   * depends on what is here but to look how it came here; and that takes as long where nothing is.
   * @throws PulleyError the policy's refusal, or what a registry said, or that none can be asked
   */
  authorize<Value>(
    outline: Outline,
    request: RequestContext,
    question: AccessQuestion<Value>,
  ): Promise<CallerAccess<Value>>;
}

/** How to find out whether a client has access. */
export interface AccessQuestion<Value> {
  /** Asks one source for just that. */
  readonly ask: (from: Source) => Promise<Value>;
  /** Names of the repository on this machine through which it has that. */
  readonly records: () => Promise<readonly ImageRecord[]>;
}

/** Why a client has access. */
export interface CallerAccess<Value> {
  /** `stale`: no registry can be asked now, and one has given access before. */
  readonly state: "fresh" | "stale";
  /** The registry's answer, where one was asked. */
  readonly answer?: Told<Value>;
  /** Why no registry could be asked. */
  readonly failure?: PulleyError;
}

const anybody: ClientAuth = { login: undefined };

/** Most pairs of client and repository that are remembered. */
const most = 10_000;

export function createAccess(deps: MirrorDeps, sources: Sources): Access {
  const { store, records: pullRecords, clock, limits, openToAll, local, log } = deps;
  /** When a registry last gave access, in milliseconds since the epoch. */
  const granted = new Map<string, number>();

  function known(repository: Repository, caller: ClientAuth): "fresh" | "stale" | undefined {
    if (openToAll) return "fresh";
    const times = [caller, anybody]
      .map((who) => granted.get(keyOf(repository, who)))
      .filter((time) => time !== undefined);
    if (times.length === 0) return undefined;
    return clock.now() - Math.max(...times) < limits.accessFor ? "fresh" : "stale";
  }

  function grant(repository: Repository, caller: ClientAuth): void {
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
    const name = parseReference(record.name);
    for (const given of new Set([record.name, familiarText(name)])) {
      results.add(await pullRecords.access({ ...name, given }, record.image, noLogins));
    }
    if (results.has("credentialRecordFound")) return true;
    if (results.size > 1 || !results.has("credentialPolicyAllowed")) return false;
    return isLoaded(record.image);
  }

  /** Whether the image was never pulled under any name; an image from an archive has no registry that could be asked. */
  async function isLoaded(id: Digest): Promise<boolean> {
    const image = await store.image(id);
    const names = [...(image?.repoTags ?? []), ...(image?.repoDigests ?? [])];
    const named = await Promise.all(names.map((name) => store.record(name)));
    return named.every((record) => record?.confirmedAt === undefined);
  }

  async function anyRecorded(records: AccessQuestion<unknown>["records"]): Promise<boolean> {
    for (const record of await records()) if (await recorded(record)) return true;
    return false;
  }

  /** Whether it is known how something came here; `undefined` if that is not known in good time. */
  function isRecorded(looking: Promise<boolean>): Promise<boolean | undefined> {
    const timeUp = delay(limits.lookFor);
    const yes = looking.then((found) => found || timeUp.then(() => false));
    return Promise.race([yes, timeUp.then(() => undefined)]);
  }

  async function askFor<Value>(
    outline: Outline,
    request: RequestContext,
    ask: AccessQuestion<Value>["ask"],
  ): Promise<CallerAccess<Value>> {
    const { repository } = outline.reference;
    const before = known(repository, request.auth);
    if (outline.refusal !== undefined && before === undefined) throw outline.refusal;
    try {
      const told = await sources.ask(outline, request, ask);
      grant(repository, request.auth);
      return { state: "fresh", answer: told };
    } catch (error) {
      request.signal.throwIfAborted();
      if (before === "stale" && isUnreachable(error)) return { state: "stale", failure: error };
      throw error;
    }
  }

  return {
    grant,
    known,
    recorded,
    authorize: async (outline, request, { ask, records }) => {
      if (known(outline.reference.repository, request.auth) === "fresh") return { state: "fresh" };
      if (pullRecords === undefined || !local) return askFor(outline, request, ask);
      // If the records cannot be read, access is denied.
      const looking = anyRecorded(records).catch((error: unknown) => {
        log.error("pull records cannot be read", { error: errorText(error) });
        return false;
      });
      if ((await isRecorded(looking)) === true) return { state: "fresh" };
      request.signal.throwIfAborted();
      try {
        return await askFor(outline, request, ask);
      } catch (error) {
        if (await looking) return { state: "fresh" };
        throw error;
      }
    },
  };
}

/** Whether the policy allows the use of a copy when no registry can be asked. */
export function mayUseCached({ decision }: AuthorizedPull): boolean {
  return decision.action === "Use" || (decision.action === "Check" && decision.whenUnreachable === "UseCached");
}

/**
 * Refuses a client with stale access where the policy does not allow the use of a copy without asking.
 * @throws PulleyError the entry's failure
 */
export function requireCachedUse({ failure }: CallerAccess<unknown>, authorized: AuthorizedPull): void {
  if (failure !== undefined && !mayUseCached(authorized)) throw failure;
}

function keyOf({ name }: Repository, { login }: ClientAuth): string {
  return `${login?.fingerprint() ?? "anonymous"} ${name}`;
}

async function noLogins() {
  return [];
}
