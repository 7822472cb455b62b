/** Asking the places where an image may come from, one after the other, on behalf of a caller. */
import type { Digest, Reference, Repository } from "../image/index.ts";
import type { Fetching } from "../policy/index.ts";
import {
  type Attempted,
  aggregate,
  findSources,
  isOfSource,
  isRefusal,
  ownSource,
  type PullSource,
  type Source,
} from "../pull/index.ts";
import { PulleyError } from "../support/errors.ts";
import type { MirrorDeps, RequestContext } from "./types.ts";

/** What a source said. */
export interface Told<Value> {
  readonly value: Value;
  /** Who said it, and with which login. */
  readonly from: Source;
}

/** What is asked for, and whom the policy has asked. */
export interface Asking {
  readonly reference: Reference;
  readonly decision: { readonly action: "Use" } | (Fetching & { readonly action: "Check" | "Pull" });
}

/**
 * Whose logins may be spent. What a mirror gives away for a login of this node's shows nothing about the caller, so that
 * by `caller` only those are asked who get no other login than the caller's.
 */
export type Spending = "caller" | "node";

export interface Sources {
  /**
   * @param ask asks one source; may be called for several
   * @param spending default `caller`, and `node` where the mirror is open to all
   * @throws PulleyError what each of the sources said; `SOURCE_INVALID` if there is none that may be asked
   */
  ask<Value>(
    asking: Asking,
    request: RequestContext,
    ask: (from: Source) => Promise<Value>,
    spending?: Spending,
  ): Promise<Told<Value>>;
}

type SourcesDeps = Pick<MirrorDeps, "images" | "order" | "logins" | "openToAll">;

export function createSources({ images, order: sourceOrder, logins, openToAll }: SourcesDeps): Sources {
  async function candidates(
    { reference, decision }: Asking,
    { auth: caller, relayed }: RequestContext,
  ): Promise<readonly PullSource[]> {
    const own = caller.login === undefined ? [] : [caller.login];
    if (decision.action === "Use") return [ownSource(reference.repository, own)];
    const nodes = logins ?? { logins: async () => [] };
    const found = await findSources(decision.sources, reference, async () => own, nodes);
    const itself = found.filter(({ mirror }) => !mirror);
    if (relayed && itself.length > 0) return itself;
    const ping = (address: string, over: AbortSignal) => images.ping(reference, address, over);
    return sourceOrder.arrange(found, decision.order, ping);
  }

  return {
    ask: async (asking, request, ask, spending = openToAll ? "node" : "caller") => {
      const { repository } = asking.reference;
      const found = await candidates(asking, request);
      const sources =
        spending === "caller" ? found.filter(({ mirror, logins: held }) => !mirror || held.length === 0) : found;
      const attempts: Attempted[] = [];
      for (const [at, source] of sources.entries()) {
        const noRetry = at + 1 < sources.length;
        try {
          return await askOne(repository, source, noRetry, ask, request.signal);
        } catch (error) {
          request.signal.throwIfAborted();
          if (!isOfSource(error)) throw error;
          if (!isRefusal(error)) sourceOrder.failed(source.address);
          attempts.push({ error, mirror: source.mirror, ...(sources.length > 1 && { whom: source.address }) });
        }
      }
      if (attempts.length > 0) throw aggregate(attempts, "last");
      throw new PulleyError("SOURCE_INVALID", `${repository.name}: there is no source that may be asked`);
    },
  };
}

async function askOne<Value>(
  repository: Repository,
  { address, mirror, logins, failure }: PullSource,
  noRetry: boolean,
  ask: (from: Source) => Promise<Value>,
  signal: AbortSignal,
): Promise<Told<Value>> {
  if (failure !== undefined) throw failure.error;
  const attempts: Attempted[] = [];
  for (const login of logins.length === 0 ? [undefined] : logins) {
    const from = { repository, mirror: mirror ? address : undefined, noRetry, login };
    try {
      return { value: await ask(from), from };
    } catch (error) {
      signal.throwIfAborted();
      attempts.push({ error });
    }
  }
  throw aggregate(attempts, "first");
}

/** The same for requests that may be answered together: equal sources, with equal logins. */
export function flightKey(version: string | Digest, { repository, mirror, noRetry, login }: Source): string {
  return JSON.stringify([repository.name, version, mirror ?? "", noRetry, login?.fingerprint() ?? ""]);
}
