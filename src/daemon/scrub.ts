/** The store is read again for as long as a daemon runs. */
import { createRepairer, runScrub, type ScrubbedBlob, scrubMemory } from "../scrub/index.ts";
import { systemClock } from "../support/clock.ts";
import { errorText } from "../support/errors.ts";
import type { Log } from "../support/log.ts";
import type { DaemonCore } from "./core.ts";
import type { Disposers } from "./disposers.ts";
import type { DaemonOptions, Observers } from "./types.ts";

type ScrubPart = Pick<DaemonOptions, "root" | "scrub" | "policy" | "hosts" | "logins">;

/** Of containerd's content nothing is read: it is containerd's, and a layer that was unpacked need not be there. */
export function startScrub(options: ScrubPart, core: DaemonCore, observers: Observers, disposers: Disposers): void {
  const { root, scrub, policy, hosts, logins } = options;
  const { store, registry, layers, runtime } = core;
  if (scrub === undefined || runtime !== undefined) return;
  const log = observers.log.with({ part: "scrub" });
  const clock = systemClock;
  const repairer = createRepairer({
    store,
    registry,
    layers,
    hosts,
    clock,
    policy: () => policy.current(),
    // Whose pods use an image is not known here: what needs a pod's own login comes with that pod's pull.
    logins: (pod) => logins.forPod(pod, []),
  });
  const stopping = new AbortController();
  const ended = runScrub(
    {
      ...scrub,
      store,
      repairer,
      clock,
      memory: scrubMemory(root),
      isBusy: () => layers.isBusy(),
      onBlob: (blob) => {
        observers.metrics.scrubbed({ ...blob, repaired: blob.repair?.repaired === true });
        tellBlob(log, blob);
      },
      onFinished: (at) => {
        observers.metrics.scrubFinished(at);
        log.debug("the store has been read", { at: new Date(at).toISOString() });
      },
      onFailure: (error) => log.warn("the store could not be read", { error: errorText(error) }),
    },
    stopping.signal,
  );
  disposers.add(async () => {
    stopping.abort();
    await ended;
  });
}

function tellBlob(log: Log, { digest, state, neededBy, repair }: ScrubbedBlob): void {
  if (state === "sound") return;
  const [image = ""] = neededBy;
  if (state === "unreadable") {
    log.warn("the disk cannot read content of the store", { digest, image });
  } else if (repair?.repaired) {
    log.info("content was fetched again", { digest, state, image });
  } else if (repair !== undefined) {
    const [failure] = repair.failures;
    const error = failure?.message ?? "no registry has it by this name";
    log.warn("content could not be fetched again; the next pull tries", { digest, state, image, error });
  } else {
    log.warn("content that no image needs by name is not what it should be", { digest, state });
  }
}
