/** Watches of pods and events, as `watch=true` serves them. */
import type { PodManager, PodStatus } from "../../pods/index.ts";
import type { EventList } from "./events.ts";
import type { EventObject, PodObject, WatchEvent } from "./objects.ts";
import { podObject } from "./pod-object.ts";

export function watchPods(
  node: Pick<PodManager, "pods" | "onSignal">,
  isWanted: (pod: PodStatus["pod"]) => boolean,
  nodeName: string,
  signal: AbortSignal,
): AsyncIterable<WatchEvent<PodObject>> {
  const changed = (type: WatchEvent<PodObject>["type"], status: PodStatus) => {
    return { key: status.pod.uid, item: { type, object: podObject(status, nodeName) } };
  };
  const last = new Map<string, PodStatus>();
  return latestChanges(
    () => {
      const statuses = node.pods().filter(({ pod }) => isWanted(pod));
      for (const status of statuses) last.set(status.pod.uid, status);
      return statuses.map((status) => changed("ADDED", status));
    },
    (listener) =>
      node.onSignal((event) => {
        if (event.kind === "pod" && isWanted(event.status.pod)) {
          const { uid } = event.status.pod;
          listener(changed(last.has(uid) ? "MODIFIED" : "ADDED", event.status));
          last.set(uid, event.status);
        }
        const known = event.kind === "removed" ? last.get(event.pod.uid) : undefined;
        if (known === undefined) return;
        last.delete(known.pod.uid);
        listener(changed("DELETED", known));
      }),
    signal,
  );
}

export function watchEvents(
  events: EventList,
  isWanted: (event: EventObject) => boolean,
  signal: AbortSignal,
): AsyncIterable<WatchEvent<EventObject>> {
  const keyed = (item: WatchEvent<EventObject>) => ({ key: item.object.metadata.name, item });
  return latestChanges(
    () =>
      events
        .list()
        .filter(isWanted)
        .map((object) => keyed({ type: "ADDED", object })),
    (listener) =>
      events.onChange((change) => {
        if (isWanted(change.object)) listener(keyed(change));
      }),
    signal,
  );
}

/** A stream of changes. A slow reader gets only the latest change of each key, so that the queue does not grow. */
interface KeyedChange<Item> {
  readonly key: string;
  readonly item: Item;
}

/**
 * @param initial what is sent first
 * @param subscribe adds a listener; returns a function that removes it
 */
async function* latestChanges<Item>(
  initial: () => readonly KeyedChange<Item>[],
  subscribe: (listener: (change: KeyedChange<Item>) => void) => () => void,
  signal: AbortSignal,
): AsyncGenerator<Item> {
  const pending = new Map<string, Item>();
  let wake = () => {};
  const unsubscribe = subscribe(({ key, item }) => {
    pending.set(key, item);
    wake();
  });
  const stop = () => wake();
  signal.addEventListener("abort", stop, { once: true });
  try {
    for (const { key, item } of initial()) if (!pending.has(key)) pending.set(key, item);
    while (!signal.aborted) {
      for (const [key, item] of pending) {
        pending.delete(key);
        yield item;
        if (signal.aborted) return;
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (signal.aborted || pending.size > 0) resolve();
      });
    }
  } finally {
    unsubscribe();
    signal.removeEventListener("abort", stop);
  }
}
