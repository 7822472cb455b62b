/** Whoever asks the mirror for content with a registry of his own that gives it a wrong size takes nothing away. */

import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { buildImage } from "../../examples/world/image-builder.ts";
import { startRegistry } from "../../examples/world/registry.ts";
import { parseImageName } from "../../src/image/index.ts";
import { serve } from "../../src/registry/testing.ts";
import { type ImageStore, openContainerdStore } from "../../src/store/index.ts";
import { platform } from "../injection/platform.ts";
import { type Containerd, containerdTools, describeWith, startContainerd } from "../tools.ts";
import { realMirror } from "./real-mirror.ts";

/** A registry that has nothing, and says of everything that it is so long. */
function liar(length: number) {
  return serve((request, response) => {
    const digest = request.url?.replace(/\?.*$/, "").split("/").at(-1) ?? "";
    const type = request.url?.includes("/manifests/") ? "application/vnd.oci.image.manifest.v1+json" : "text/plain";
    const headers = { "content-type": type, "docker-content-digest": digest, "content-length": `${length}` };
    if (request.method === "HEAD") response.writeHead(200, headers).end();
    else response.writeHead(404).end();
  });
}

async function expectNothingLost(store?: ImageStore): Promise<void> {
  const registry = await startRegistry();
  onTestFinished(() => registry.close());
  const image = await buildImage({ layers: [{ filler: 100_000 }], seed: "asked for" });
  registry.addImage("team/app:1", image);
  const mirror = await realMirror(store === undefined ? {} : { store });
  const own = mirror.store;
  const name = `${registry.host}/team/app:1`;
  await mirror.parts.pulls.images.pull(parseImageName(name), undefined);
  const [part] = image.manifests;
  if (part === undefined) expect.unreachable();
  for (const length of [1, 7_000_000]) {
    const { host } = await liar(length);
    const blobs = [part.config, ...part.layers].map(({ digest }) => `blobs/${digest}`);
    for (const what of [...blobs, `manifests/${part.descriptor.digest}`]) {
      for (const method of ["HEAD", "GET", "GET"]) {
        await mirror.ask(`/v2/x/y/${what}?ns=${host}`, { method }).catch(() => undefined);
      }
    }
  }
  for (const { digest } of [part.descriptor, part.config, ...part.layers]) {
    expect((await own.read(digest, 10_000_000)).length).toBeGreaterThan(0);
  }
  for await (const { digest, state } of own.verify()) expect(state, digest).toBe("sound");
  expect((await own.image(name))?.id).toBe(part.config.digest);
}

describe("the embedded store", () => {
  test("keeps what is named with a wrong size", () => expectNothingLost());
});

describeWith(containerdTools, "containerd's images", () => {
  let containerd: Containerd;
  let store: ImageStore;
  beforeAll(async () => {
    containerd = await startContainerd();
    store = await openContainerdStore({
      socket: containerd.socket,
      root: join(containerd.folder, "pulley"),
      platform,
    });
  });
  afterAll(async () => {
    await store?.close();
    await containerd?.stop();
  });

  test("stay when they are named with a wrong size", () => expectNothingLost(store));
});
