/** The images of a daemon, for others: on a socket for kubelets, and over HTTP for those who speak with registries. */
import { startCriServer } from "../cri/index.ts";
import { isPinned } from "../gc/index.ts";
import { startMirror } from "../mirror/index.ts";
import { systemClock } from "../support/clock.ts";
import type { DaemonCore } from "./core.ts";
import type { Disposers } from "./disposers.ts";
import type { DaemonOptions, Observers } from "./types.ts";

type CriPart = Pick<DaemonOptions, "sockets" | "runtime" | "version" | "policy" | "hosts" | "collection" | "logins">;

/** Milliseconds that a process has for ending, once its place is taken. */
const longestFarewell = 30_000;

/**
 * Serves images from now on; where another process did, that one has ended.
 * @returns what tells that yet another process has taken this one's place
 * @throws PulleyError `OUTPUT_UNWRITABLE`, `USAGE`
 */
export async function serveImages(
  options: CriPart,
  core: DaemonCore,
  observers: Observers,
  disposers: Disposers,
): Promise<{ readonly replaced: Promise<void> }> {
  const { sockets, runtime, version, policy, hosts, collection, logins } = options;
  const { pulls, records, decisions } = core;
  const pins = collection?.pins ?? [];
  const server = await startCriServer({
    socket: sockets.cri,
    takeover: sockets.takeover,
    runtime,
    version,
    clock: systemClock,
    log: observers.log.with({ part: "cri" }),
    images: {
      pulls,
      policy: () => policy.current(),
      hosts,
      records,
      decisions,
      mirrorLogins: logins.own,
      onEnsured: (ensured) => observers.metrics.nodeSignal({ kind: "ensured", ensured }),
      isPinned: ({ repoTags, repoDigests }) => isPinned([...repoTags, ...repoDigests], pins),
    },
    onOperation: observers.metrics.runtimeOperation,
  });
  disposers.add(() => server.close());
  const left = new AbortController();
  const tooLong = systemClock.sleep(longestFarewell, left.signal).then(
    () => observers.log.warn("the process that was replaced is still running", { socket: sockets.cri }),
    () => undefined,
  );
  await Promise.race([server.predecessorGone, tooLong]);
  left.abort();
  return { replaced: server.replaced };
}

type MirrorPart = Pick<DaemonOptions, "mirror" | "policy" | "hosts" | "logins">;

/** @throws PulleyError `USAGE` */
export async function serveMirror(
  { mirror, policy, hosts, logins }: MirrorPart,
  core: DaemonCore,
  observers: Observers,
  disposers: Disposers,
): Promise<void> {
  if (mirror === undefined) return;
  const { pulls, records, decisions, viaId } = core;
  const current = () => policy.current();
  const manager = pulls.manager({
    unlimited: true,
    records,
    policy: current,
    hosts,
    log: decisions,
    onEnsured: (ensured) => observers.metrics.nodeSignal({ kind: "ensured", ensured }),
  });
  const logged = observers.log.with({ part: "mirror" });
  const server = await startMirror({
    ...mirror,
    parts: { pulls, manager, policy: current, records, logins: logins.own, viaId, log: logged },
    onRequest: observers.metrics.mirrorRequest,
  });
  disposers.add(() => server.close());
  logged.info("the mirror listens", { address: server.url });
}
