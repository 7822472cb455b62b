/** A stand-in and its API, both ended with the test, whose waits are written down and not waited for. */
import { onTestFinished } from "vitest";
import { type ClusterApi, type ClusterOptions, openCluster } from "../api.ts";
import { type Handler, type StandIn, startStandIn } from "./api-server.ts";

export interface OpenStandIn {
  readonly api: ClusterApi;
  readonly server: StandIn;
  /** Milliseconds. */
  readonly waits: readonly number[];
}

export async function openStandIn(
  handler: Handler,
  options: Partial<ClusterOptions> = {},
  user = {},
): Promise<OpenStandIn> {
  const server = await startStandIn(handler, user);
  const waits: number[] = [];
  const clock = {
    now: () => 1_000_000,
    sleep: async (milliseconds: number, signal?: AbortSignal) => {
      if (milliseconds > 100_000) await new Promise((_, reject) => signal?.addEventListener("abort", reject));
      waits.push(milliseconds);
    },
  };
  const api = openCluster(server.context, { environment: {}, userAgent: "pulley/test", clock, ...options });
  onTestFinished(async () => {
    api.close();
    await server.stop().catch(() => undefined);
  });
  return { api, server, waits };
}
