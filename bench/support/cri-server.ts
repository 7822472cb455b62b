import { join } from "node:path";
import { startCriServer } from "../../src/cri/index.ts";
import { kubernetesOnly } from "../../src/policy/index.ts";
import { openPullRecords, openPulls } from "../../src/pull/index.ts";
import { createRegistryClient } from "../../src/registry/index.ts";
import { openEmbeddedStore } from "../../src/store/index.ts";
import { systemClock } from "../../src/support/clock.ts";

/** Until the process is told to end. */
export async function serveImages(folder: string, socket: string): Promise<void> {
  const clock = systemClock;
  const store = await openEmbeddedStore(join(folder, "store"));
  const registry = createRegistryClient({});
  const platform = { os: "linux", architecture: "amd64", variant: "" };
  const server = await startCriServer({
    socket,
    version: "bench",
    clock,
    images: {
      policy: () => kubernetesOnly,
      records: openPullRecords(folder, {}, clock),
      pulls: openPulls({ store, registry, platform, clock }),
    },
  });
  process.once("SIGTERM", () => {
    void server
      .close()
      .then(() => registry.close())
      .then(() => store.close());
  });
}
