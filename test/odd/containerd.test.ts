/** The same odd images into containerd, and what containerd and skopeo make of them. */

import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Registry, startRegistry } from "../../examples/world/registry.ts";
import { parseImageName } from "../../src/image/index.ts";
import { type ImageService, openPulls } from "../../src/pull/index.ts";
import { createRegistryClient, type RegistryClient } from "../../src/registry/index.ts";
import { type ImageStore, openContainerdStore } from "../../src/store/index.ts";
import { systemClock } from "../../src/support/clock.ts";
import { type Containerd, containerdTools, describeWith, startContainerd } from "../tools.ts";
import { oddCases } from "./cases.ts";

const platform = { os: "linux", architecture: "amd64", variant: "" };
const cases = await oddCases();

describeWith(containerdTools, "odd images into containerd", () => {
  let containerd: Containerd;
  let store: ImageStore;
  let registry: Registry;
  let client: RegistryClient;
  let images: ImageService;
  beforeAll(async () => {
    registry = await startRegistry();
    for (const [at, { image }] of cases.entries()) registry.addImage(`odd/app:${at}`, image);
    containerd = await startContainerd();
    const { socket, folder } = containerd;
    store = await openContainerdStore({ socket, root: join(folder, "pulley"), platform });
    const surroundings = { clock: systemClock, random: () => 0.5, environment: {} };
    client = createRegistryClient(
      {},
      { ...surroundings, workerScript: new URL("no-such-script.mjs", import.meta.url) },
    );
    images = openPulls({ store, registry: client, platform, clock: systemClock }).images;
  });
  afterAll(async () => {
    await client?.close();
    await store?.close();
    await containerd?.stop();
    await registry?.close();
  });

  it.each(cases.map((odd, at) => ({ ...odd, at })))("$name", async ({ at, image, taken = image }) => {
    const name = `${registry.host}/odd/app:${at}`;
    const { id } = await images.pull(parseImageName(name), undefined);
    expect(id).toBe(taken.manifests[0]?.config.digest);
    const found = await images.status(name);
    expect(found?.image).toMatchObject({ id, platform: { os: "linux" } });
    expect(await images.facts(name)).toBeDefined();
  });
});
