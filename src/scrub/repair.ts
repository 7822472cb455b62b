/**
 * Fetches again what the store has lost or set aside. Each image is pulled by the digest that its records name, in the way
 * of every other pull: the rules of the policy, the sources that they name, and the logins hold here, too.
 */

import type { LoginSource } from "../credentials/index.ts";
import { type Digest, formatPlatform, type Platform, parseReference } from "../image/index.ts";
import type { Policy } from "../policy/index.ts";
import { type HostsFor, type ImageManager, type StorePulls, syntheticPod } from "../pull/index.ts";
import type { Verified } from "../store/index.ts";
import type { ErrorCode } from "../support/errors.ts";
import type { Pod } from "../workload/index.ts";

export interface RepairerOptions {
  readonly pulls: StorePulls;
  readonly policy: () => Policy;
  readonly hosts: HostsFor;
  readonly logins: (pod: Pod) => LoginSource;
}

export interface Repairer {
  /** @param faulty what a check of the store found. Throws the signal's reason, and what the store throws. */
  repair(faulty: readonly Verified[], signal?: AbortSignal): Promise<readonly Repair[]>;
}

export interface Repair extends Verified {
  /** The image that it came with, by its digest; absent: it is as faulty as before, or was made of other content. */
  readonly from?: string;
  /** Whether it is here now, and sound. */
  readonly repaired: boolean;
  /** Why it could not be fetched; empty where no source could be asked. */
  readonly failures: readonly RepairFailure[];
}

export interface RepairFailure {
  /** By its digest. */
  readonly image: string;
  readonly message: string;
  readonly advice: string | undefined;
  readonly code: ErrorCode | undefined;
}

/** A source of content: the image by its digest, for the platform that is here. */
interface RepairJob {
  readonly image: string;
  readonly platform: Platform;
}

export function createRepairer(options: RepairerOptions): Repairer {
  const { pulls, logins, policy, hosts } = options;
  const { store } = pulls;
  const managers = new Map<string, ImageManager>();

  function managerFor(platform: Platform): ImageManager {
    const key = formatPlatform(platform);
    const manager = managers.get(key) ?? createManager(platform);
    managers.set(key, manager);
    return manager;
  }

  /** Takes every image for absent: one of which something is missing is no copy that a rule could let a pod use. */
  function createManager(platform: Platform): ImageManager {
    const own = pulls.forPlatform(platform);
    return own.manager({ ignoreCopies: true, unlimited: true, records: undefined, policy, hosts });
  }

  async function pull(
    { image, platform }: RepairJob,
    signal: AbortSignal | undefined,
  ): Promise<RepairFailure | undefined> {
    const pod = syntheticPod(parseReference(image), { name: "pulley-repair" });
    const [container] = pod.containers;
    const asked = { pod, container, logins: logins(pod), signal, record: () => undefined };
    const { failure } = await managerFor(platform).ensureImageExists(asked);
    return failure && { image, message: failure.message, advice: failure.advice, code: failure.code };
  }

  /** Names with a digest come first: they come from a registry, while a tag may have been given locally. */
  async function jobsFor({ neededBy }: Verified): Promise<readonly RepairJob[]> {
    const jobs = new Map<string, RepairJob>();
    const digestsFirst = neededBy.toSorted((one, other) => Number(other.includes("@")) - Number(one.includes("@")));
    for (const name of digestsFirst) {
      const record = await store.record(name);
      if (record === undefined) continue;
      const image = `${parseReference(name).repository.name}@${record.target.digest}`;
      jobs.set(`${image} ${formatPlatform(record.platform)}`, { image, platform: record.platform });
    }
    return [...jobs.values()];
  }

  async function unsound(found: readonly Verified[]): Promise<ReadonlySet<Digest>> {
    const digests = new Set<Digest>();
    const only = new Set(found.map(({ digest }) => digest));
    for await (const { digest, state } of store.verify({ only })) if (state !== "sound") digests.add(digest);
    return digests;
  }

  return {
    repair: async (faulty, signal) => {
      const outcomes = new Map<string, RepairFailure | undefined>();
      const tried = new Map<Digest, Pick<Repair, "from" | "failures">>();
      const left = await unsound(faulty);
      for (const blob of faulty) {
        const failures: RepairFailure[] = [];
        let from: string | undefined;
        for (const job of left.has(blob.digest) && blob.state !== "unreadable" ? await jobsFor(blob) : []) {
          const key = `${job.image} ${formatPlatform(job.platform)}`;
          if (!outcomes.has(key)) outcomes.set(key, await pull(job, signal));
          const failure = outcomes.get(key);
          if (failure === undefined) from = job.image;
          else failures.push(failure);
          if (failure === undefined) break;
        }
        tried.set(blob.digest, { failures, ...(from !== undefined && { from }) });
      }
      const still = await unsound(faulty);
      return faulty.map((blob): Repair => {
        const { from, failures = [] } = tried.get(blob.digest) ?? {};
        const repaired = !still.has(blob.digest);
        return { ...blob, repaired, failures, ...(repaired && from !== undefined && { from }) };
      });
    },
  };
}
