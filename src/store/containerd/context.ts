/** What all parts of the containerd store use. */
import type { Platform } from "../../image/index.ts";
import type { Clock } from "../../support/clock.ts";
import type { Owner } from "../../support/owner.ts";
import type { StatFileSystem } from "../free-space.ts";
import type { ContainerdConnection } from "./daemon.ts";

/** A connection to containerd, its settings, and Pulley's own folder beside it. */
export interface ContainerdContext {
  readonly daemon: ContainerdConnection;
  /** `overlayfs` */
  readonly snapshotter: string;
  /** Folders of containerd's content and of its snapshots; `undefined` where containerd does not name them. */
  readonly contentRoot: string | undefined;
  readonly snapshotRoot: string | undefined;
  /** Which image of an index others' names stand for. */
  readonly platform: Platform;
  /** Pulley's own folder, and in it the one of content that is being received. */
  readonly root: string;
  readonly ingest: string;
  /** This process. */
  readonly self: Owner;
  readonly clock: Clock;
  readonly statfs: StatFileSystem;
  /** Called with each damage that was found. */
  readonly warn: (message: string) => void;
}

/** Labels and names by which containerd's garbage collector and its CRI go (containerd `pkg/gc`, `internal/cri/labels`). */
export const labels = {
  /** Content that content needs; something after a dot makes the label another one. */
  needsContent: "containerd.io/gc.ref.content.",
  needsSnapshot: "containerd.io/gc.ref.snapshot.",
  uncompressed: "containerd.io/uncompressed",
  expires: "containerd.io/gc.expire",
  managed: "io.cri-containerd.image",
  pinned: "io.cri-containerd.pinned",
  /** Of content: that Pulley brought it, and that it was read and is not what its digest says. */
  brought: "pulley.dev/brought",
  damaged: "pulley.dev/damaged",
  /** Of a lease: the process that holds it. */
  owner: "pulley.dev/owner",
  /** Of a name: the manifest that was chosen, and for which platform. */
  manifest: "pulley.dev/manifest",
  platform: "pulley.dev/platform",
  /** Of a name: `DIGEST MILLISECONDS`, when a registry last said that it stands for that digest. */
  confirmed: "pulley.dev/confirmed",
} as const;
