/** Garbage collection for as long as a daemon runs. */
import { openImagesInUse } from "../cri/index.ts";
import {
  type CollectionReport,
  collectableStore,
  collectOnNode,
  confirmedMemory,
  createRegistries,
  type InUse,
  type KeptBecause,
  processMemory,
} from "../gc/index.ts";
import type { PodManager } from "../pods/index.ts";
import { systemClock } from "../support/clock.ts";
import { errorText } from "../support/errors.ts";
import type { Log } from "../support/log.ts";
import type { EventList } from "./api/events.ts";
import type { DaemonCore } from "./core.ts";
import type { Disposers } from "./disposers.ts";
import type { DaemonOptions, Observers } from "./types.ts";

export interface CollectionPart extends Pick<DaemonOptions, "runtime" | "kubelet"> {
  readonly node: PodManager;
  readonly events: Pick<EventList, "addOfNode">;
  readonly settings: NonNullable<DaemonOptions["collection"]>;
  readonly logins: DaemonOptions["logins"];
}

export async function startCollection(
  part: CollectionPart,
  core: DaemonCore,
  observers: Observers,
  disposers: Disposers,
): Promise<void> {
  const { kubelet, settings, logins } = part;
  const { pulls, records } = core;
  const { registry } = pulls;
  const log = observers.log.with({ part: "collection" });
  const clock = systemClock;
  const memory = processMemory(clock.now());
  const stopping = new AbortController();
  const { ended } = collectOnNode(
    {
      configuration: kubelet,
      store: collectableStore(core.pulls.store),
      clock,
      records,
      pins: settings.pins,
      inUse: await inUse(part, disposers),
      // Without a container runtime, requests for an image are the only use of it that can be seen.
      memory: part.runtime === undefined ? confirmedMemory(memory, core.pulls.store) : memory,
      registries: settings.evenIfLost ? undefined : createRegistries({ registry, logins: logins.own, clock }),
      onEvent: (event) => {
        log.warn(event.message, { reason: event.reason });
        part.events.addOfNode(event);
      },
      onReport: (report) => {
        observers.metrics.collection(report);
        tellReport(log, report);
      },
      onFailure: (error) => log.warn("images could not be collected", { error: errorText(error) }),
    },
    stopping.signal,
  );
  disposers.add(async () => {
    stopping.abort();
    await ended;
  });
}

/** Images in use: those of all containers of the runtime; without a runtime, those of the pods. */
async function inUse({ runtime, node }: CollectionPart, disposers: Disposers): Promise<InUse> {
  if (runtime !== undefined) {
    const opened = await openImagesInUse(runtime);
    disposers.add(() => opened.close());
    return opened;
  }
  const idsOfPods = () =>
    node.pods().flatMap(({ containers, imageVolumes }) => [...containers, ...imageVolumes].flatMap(idsOf));
  return { images: () => Promise.resolve(new Set(idsOfPods())) };
}

function idsOf({ imageId }: { readonly imageId: string | undefined }): readonly string[] {
  return imageId === undefined ? [] : [imageId];
}

function tellReport(log: Log, { images, freed, disk, error }: CollectionReport): void {
  const deleted = images.filter(({ outcome }) => outcome.kind === "deleted");
  for (const { image } of deleted) log.info("an image was deleted", { image: image.names[0] ?? image.id });
  // Images that no registry has any more are kept; the log says so, as they explain why a disk stays full.
  const kept = (because: KeptBecause) =>
    images.filter(({ outcome }) => outcome.kind === "kept" && outcome.because === because).length;
  const left = { lost: kept("lost"), unreachable: kept("unreachable") };
  const figures = { deleted: deleted.length, freed: freed.real, available: disk.after.available, ...left };
  if (error !== undefined) log.warn("collection ended early", { ...figures, error });
  else if (deleted.length > 0) log.info("images were collected", figures);
  else log.debug("no image had to be deleted", figures);
}
