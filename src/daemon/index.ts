/** All parts of a node, started in order and ended in reverse; its API, metrics and health. */
export { createNodeClient, defaultSocket, type NodeClient } from "./api/client.ts";
export type {
  ContainerStateObject,
  ContainerStatusObject,
  EventObject,
  ImageObject,
  PodObject,
  SettingsObject,
  WatchEvent,
} from "./api/objects.ts";
export { podObject } from "./api/pod-object.ts";
export { apiVersion } from "./api/version.ts";
export { startDaemon } from "./daemon.ts";
export { openRuntime } from "./open-runtime.ts";
export type { DaemonLogins, DaemonOptions, PolicySource } from "./types.ts";
