/** Watches of pods and events, as `watch=true` serves them. */
import type { PodManager, PodStatus } from "../../pods/index.ts";
import type { EventList } from "./events.ts";
import { latestChanges } from "./latest-changes.ts";
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
