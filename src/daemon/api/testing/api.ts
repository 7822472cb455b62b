/** A daemon's socket for tests, over pods that a test makes up or a node that runs. */
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { NodeEvent, NodeSignal, PodStatus } from "../../../pods/index.ts";
import type { StoredImage } from "../../../store/index.ts";
import { type Clock, systemClock } from "../../../support/clock.ts";
import { silentLog } from "../../../support/log.ts";
import { createHealth, type HealthCheck } from "../../../support/monitoring/health.ts";
import { temporaryFolder } from "../../../support/testing.ts";
import { createNodeClient, type NodeClient } from "../client.ts";
import { createEventList, type EventList } from "../events.ts";
import type { SettingsObject } from "../objects.ts";
import { serveApi } from "../server.ts";

export interface TestApi {
  readonly socket: string;
  readonly client: NodeClient;
  readonly events: EventList;
  /** Says something as the node does; pods that are told of are on the node from then on. */
  say(signal: NodeSignal): void;
  close(): Promise<void>;
}

export interface TestApiGiven {
  readonly pods?: readonly PodStatus[];
  readonly events?: readonly NodeEvent[];
  readonly images?: readonly StoredImage[];
  readonly ready?: readonly HealthCheck[];
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
  readonly settings?: SettingsObject;
}

export async function testApi(given: TestApiGiven = {}): Promise<TestApi> {
  const { clock = systemClock, ready = [], images = [] } = given;
  const pods = new Map((given.pods ?? []).map((status) => [status.pod.uid, status]));
  const listeners = new Set<(signal: NodeSignal) => void>();
  const events = createEventList({ host: "node-1" });
  for (const event of given.events ?? []) events.add(event);
  const socket = join(temporaryFolder(), "node.sock");
  const server = await serveApi({
    socket,
    node: {
      pods: () => [...pods.values()],
      onSignal: (listen) => {
        listeners.add(listen);
        return () => listeners.delete(listen);
      },
    },
    events,
    images: async () => images,
    health: createHealth({ ready, clock }),
    clock,
    nodeName: "node-1",
    version: "1.2.3",
    settings: given.settings,
    log: silentLog,
  });
  onTestFinished(server.close);
  return {
    socket,
    client: createNodeClient(socket, given.signal),
    events,
    say: (signal) => {
      if (signal.kind === "pod") pods.set(signal.status.pod.uid, signal.status);
      if (signal.kind === "removed") pods.delete(signal.pod.uid);
      for (const listen of listeners) listen(signal);
    },
    close: server.close,
  };
}
