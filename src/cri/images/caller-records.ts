import type { PullRecords } from "../../pull/index.ts";
import { Login } from "../../support/login.ts";

/** Logins that are written down of one image under one name, until the server is started anew. */
const mostRecorded = 100;

/**
 * Pulley's own pull records, as pulls for a kubelet keep them. The kubelet keeps records of its own and asks to pull where
 * a pod has to show its credentials. Ours say what no kubelet can know: whether a caller whom a rule sends to the copy on
 * this machine has shown these credentials before; and Pulley's own pods must not take for preloaded what a kubelet pulled.
 *
 * A kubelet's credentials may be tokens that change every hour. So that records do not grow for ever, only the first of
 * them are written down; those after that are asked for again each time.
 */
export function callerRecords(records: PullRecords): PullRecords {
  const recorded = new Map<string, Set<string>>();

  function isRoomFor(login: Login, imageRef: string): boolean {
    const known = recorded.get(imageRef) ?? new Set();
    recorded.set(imageRef, known);
    if (known.size < mostRecorded) known.add(login.fingerprint());
    return known.has(login.fingerprint());
  }

  return {
    ...records,
    succeed: (image, imageRef, used) => {
      const kept = used === undefined || isRoomFor(used, imageRef) ? used : new Login(used.source, used.reveal());
      return records.succeed(image, imageRef, kept);
    },
  };
}
