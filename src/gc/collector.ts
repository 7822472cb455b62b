/** Garbage collection of images by the kubelet's algorithm; what really lies on the disk decides when it is enough. */
import { errorText } from "../support/errors.ts";
import { beginPass, type CollectorDeps, keepRemaining, type Pass } from "./pass.ts";
import { deleteOld, detect, freeSpace, measure, prune } from "./steps.ts";
import type { CollectionReport, CollectionStepName, MeasuredDisk } from "./types.ts";

export interface Collector {
  /** One pass: what is too old goes, and from the high threshold on as much as is needed for the low one. Failures that are in the report are not thrown. */
  collect(signal?: AbortSignal): Promise<CollectionReport>;
  /** Deletes every image that may go, as the kubelet does under disk pressure. */
  deleteUnused(signal?: AbortSignal): Promise<CollectionReport>;
  /** Only records which images are present and in use, for later passes. */
  watch(): Promise<void>;
}

/** Passes never overlap: one that is asked for while another goes on comes after it. */
export function createCollector(deps: CollectorDeps): Collector {
  let last: Promise<unknown> = Promise.resolve();

  function afterOthers<Result>(pass: () => Promise<Result>): Promise<Result> {
    const result = last.then(pass);
    last = result.catch(() => undefined);
    return result;
  }

  return {
    collect: (signal) => afterOthers(() => run(beginPass(deps, signal), collectGarbage)),
    deleteUnused: (signal) => afterOthers(() => run(beginPass(deps, signal), collectUnused)),
    watch: () => afterOthers(() => detect(beginPass({ ...deps, onOutcome: undefined }, undefined))),
  };
}

type TakeStep = <Result>(name: CollectionStepName, step: () => Promise<Result>) => Promise<Result>;

async function collectGarbage(pass: Pass, take: TakeStep): Promise<void> {
  await take("detect", () => detect(pass));
  await take("age", () => deleteOld(pass));
  const full = await take("measure", () => measure(pass));
  if (full !== undefined) await take("space", () => freeSpace(pass, full));
  keepRemaining(pass, "notNeeded");
  await take("prune", () => prune(pass));
}

async function collectUnused(pass: Pass, take: TakeStep): Promise<void> {
  pass.wanted = Number.POSITIVE_INFINITY;
  await take("detect", () => detect(pass));
  const disk = await take("measure", () => pass.deps.store.disk());
  await take("space", () => freeSpace(pass, disk));
  await take("prune", () => prune(pass));
}

async function run(pass: Pass, way: (pass: Pass, take: TakeStep) => Promise<void>): Promise<CollectionReport> {
  const { store, clock } = pass.deps;
  const steps: { name: CollectionStepName; took: number }[] = [];
  const take: TakeStep = async (name, step) => {
    const start = clock.now();
    try {
      return await step();
    } finally {
      steps.push({ name, took: clock.now() - start });
    }
  };
  const before = await measured(store);
  let error: string | undefined;
  try {
    await way(pass, take);
  } catch (cause) {
    if (pass.signal?.aborted) throw cause;
    error = errorText(cause);
  }
  keepRemaining(pass, "notReached");
  const after = await measured(store);
  const freed = { reported: pass.reportedFreed, real: reallyFreed(pass, before, after) };
  return {
    startedAt: pass.startedAt,
    endedAt: clock.now(),
    steps,
    images: pass.outcomes,
    disk: { before, after },
    wanted: pass.wanted,
    freed,
    error,
  };
}

/** What the store has removed or, where it does not know that, what the file system has more of than before. */
function reallyFreed({ outcomes, unlinked }: Pass, before: MeasuredDisk, after: MeasuredDisk): number {
  const knows = outcomes.every(({ outcome }) => outcome.kind !== "deleted" || outcome.freed !== undefined);
  return knows ? unlinked : Math.max(0, after.available - before.available);
}

async function measured(store: CollectorDeps["store"]): Promise<MeasuredDisk> {
  return { ...(await store.disk()), used: await store.used() };
}
