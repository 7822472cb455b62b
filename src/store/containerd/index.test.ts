import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { type Containerd, containerdTools, describeWith, startContainerd } from "../../../test/tools.ts";
import type { Clock } from "../../support/clock.ts";
import { imageStoreContract } from "../contract.ts";
import { openContainerdStore } from "./index.ts";

const platform = { os: "linux", architecture: "amd64", variant: "" };

describeWith(containerdTools, "containerd", () => {
  let containerd: Containerd;
  let folder: string;
  let opened = 0;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "pulley-store-"));
    containerd = await startContainerd();
  });
  afterAll(async () => {
    await containerd?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  imageStoreContract("containerd's namespace", () => {
    opened += 1;
    const root = join(folder, String(opened));
    return openContainerdStore({ socket: containerd.socket, root, platform, namespace: `test-${opened}` });
  });

  imageStoreContract("the namespace of containerd's CRI, which writes there too,", async () => {
    opened += 1;
    const store = await openContainerdStore({
      socket: containerd.socket,
      root: join(folder, String(opened)),
      platform,
      clock: leapingClock(),
    });
    for (const { id } of await store.images()) await store.remove(id);
    return store;
  });
});

/** On which every subscription is an old one at once: so that what is heard is believed, and containerd is not asked. */
function leapingClock(): Clock {
  let now = Date.now();
  return {
    now: () => {
      now += 10_000;
      return now;
    },
    sleep: async () => undefined,
  };
}
