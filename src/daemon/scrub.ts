/** Reads the store again and again while the daemon runs. */
import { createRepairer, runScrub, type ScrubbedBlob, scrubMemory } from "../scrub/index.ts";
import { systemClock } from "../support/clock.ts";
import { errorText } from "../support/errors.ts";
import type { Log } from "../support/log.ts";
import type { DaemonCore } from "./core.ts";
import type { Disposers } from "./disposers.ts";
import type { DaemonOptions, Observers } from "./types.ts";

type ScrubPart = Pick<DaemonOptions, "root" | "scrub" | "policy" | "hosts" | "logins">;

/** containerd's content is not read: it belongs to containerd, and layers that were unpacked may be gone. */
export function startScrub(options: ScrubPart, core: DaemonCore, observers: Observers, disposers: Disposers): void {
  const { root, scrub, policy, hosts, logins } = options;
  const { pulls, runtime } = core;
  const { store, layers } = pulls;
  if (scrub === undefined || runtime !== undefined) return;
  const log = observers.log.with({ part: "scrub" });
  const clock = systemClock;
  const repairer = createRepairer({
    pulls,
    hosts,
    policy: () => policy.current(),
    // It is not known here which pods use an image: content that needs a pod's login is fetched by that pod's next pull.
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
    log.warn("content in the store is unreadable", { digest, image });
  } else if (repair?.repaired) {
    log.info("content was fetched again", { digest, state, image });
  } else if (repair !== undefined) {
    const [failure] = repair.failures;
    const error = failure?.message ?? "no registry has it by this name";
    log.warn("damaged content could not be fetched again; the next pull will try", { digest, state, image, error });
  } else {
    log.warn("damaged content belongs to no named image", { digest, state });
  }
}
