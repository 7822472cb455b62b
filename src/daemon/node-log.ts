import type { NodeSignal, PodStatus } from "../pods/index.ts";
import type { EnsuredImage } from "../pull/index.ts";
import type { Log } from "../support/log.ts";

/** Returns a listener that logs the node's signals: events at their level, requests for images at debug level. */
export function logSignals(log: Log): (signal: NodeSignal) => void {
  const phases = new Map<string, PodStatus["phase"]>();
  return (signal) => {
    switch (signal.kind) {
      case "event": {
        const { type, reason, message, pod, fieldPath } = signal.event;
        const say = type === "Warning" ? log.warn : log.info;
        say(message, { reason, namespace: pod.namespace, pod: pod.name, fieldPath });
        return;
      }
      case "ensured":
        log.debug("image request finished", fieldsOf(signal.ensured));
        return;
      case "pod": {
        const { pod, phase } = signal.status;
        if (phases.get(pod.uid) === phase) return;
        phases.set(pod.uid, phase);
        log.info("pod phase changed", { namespace: pod.namespace, pod: pod.name, phase });
        return;
      }
      case "removed":
        phases.delete(signal.pod.uid);
        log.info("pod removed", { namespace: signal.pod.namespace, pod: signal.pod.name });
        return;
      case "pull":
        return;
    }
  };
}

function fieldsOf({ decision, outcome, failure, pull }: EnsuredImage) {
  return {
    action: decision?.action,
    outcome,
    failure,
    from: pull?.from,
    fetched: pull?.fetched,
    milliseconds: pull?.milliseconds,
  };
}
