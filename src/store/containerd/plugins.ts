/** What a containerd is made of, as it tells itself. */
import { PulleyError } from "../../support/errors.ts";
import { Introspection, type Plugin } from "./api/containerd/services/introspection/introspection_pb.js";
import { call, type Daemon } from "./daemon.ts";

export interface Plugins {
  /** Folders on containerd's side; `undefined` where it does not tell. */
  readonly contentRoot: string | undefined;
  readonly snapshotRoot: string | undefined;
}

/** @throws PulleyError `RUNTIME_FAILED` if containerd has no such snapshotter, or one that does not work */
export async function findPlugins(daemon: Daemon, snapshotter: string): Promise<Plugins> {
  const { plugins } = await call(daemon, "say what it consists of", Introspection.method.plugins, {});
  const ofType = (type: string) => plugins.filter((plugin) => plugin.type === type);
  const snapshotters = ofType("io.containerd.snapshotter.v1");
  const own = snapshotters.find(({ id }) => id === snapshotter);
  if (own === undefined || own.initErr !== undefined) throw noSnapshotter(daemon, snapshotter, own, snapshotters);
  const content = ofType("io.containerd.content.v1").find(({ id }) => id === "content");
  return { contentRoot: content?.exports["root"], snapshotRoot: own.exports["root"] };
}

function noSnapshotter(
  { socket }: Daemon,
  wanted: string,
  own: Plugin | undefined,
  all: readonly Plugin[],
): PulleyError {
  const working = all.filter(({ initErr }) => initErr === undefined).map(({ id }) => id);
  const why = own?.initErr === undefined ? "has no such snapshotter" : `cannot use it: ${own.initErr.message}`;
  return new PulleyError("RUNTIME_FAILED", `${socket}: the snapshotter ${wanted} is wanted, but containerd ${why}`, {
    advice: `Choose one that containerd has: ${working.join(", ")}.`,
  });
}
