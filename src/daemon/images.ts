/** The images of a daemon, for others: on a socket for kubelets, and over HTTP for those who speak with registries. */
import { startCriServer } from "../cri/index.ts";
import { isPinned } from "../gc/index.ts";
import { startMirror } from "../mirror/index.ts";
import { createImageManager, createPuller, noBackOff, unlimitedPulls } from "../pull/index.ts";
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
  const { store, images, records, decisions } = core;
  const pins = collection?.pins ?? [];
  const server = await startCriServer({
    socket: sockets.cri,
    takeover: sockets.takeover,
    runtime,
    version,
    clock: systemClock,
    log: observers.log.with({ part: "cri" }),
    images: {
      store,
      service: images,
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

type MirrorPart = Pick<DaemonOptions, "mirror" | "platform" | "policy" | "hosts" | "logins">;

/** @throws PulleyError `USAGE` */
export async function serveMirror(
  { mirror, platform, policy, hosts, logins }: MirrorPart,
  core: DaemonCore,
  observers: Observers,
  disposers: Disposers,
): Promise<void> {
  if (mirror === undefined) return;
  const { store, registry, images, layers, proofs, records, decisions, viaId } = core;
  const clock = systemClock;
  const current = () => policy.current();
  const puller = createPuller({ images, settings: unlimitedPulls, clock });
  const log = decisions;
  const manager = createImageManager({
    images,
    puller,
    backOff: noBackOff,
    records,
    clock,
    policy: current,
    hosts,
    log,
    onEnsured: (ensured) => observers.metrics.nodeSignal({ kind: "ensured", ensured }),
  });
  const logged = observers.log.with({ part: "mirror" });
  const shared = { store, registry, images, manager, layers, proofs, policy: current, platform, records, clock };
  const server = await startMirror({
    ...mirror,
    parts: { ...shared, logins: logins.own, viaId, log: logged },
    onRequest: observers.metrics.mirrorRequest,
  });
  disposers.add(() => server.close());
  logged.info("the mirror listens", { address: server.url });
}
