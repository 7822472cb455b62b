/** The mirror over containerd's own images: the same checks as over the embedded store. */
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { describePullConformance } from "../../src/mirror/testing/conformance.ts";
import { openSubject } from "../../src/mirror/testing/subject.ts";
import { type ImageStore, openContainerdStore } from "../../src/store/index.ts";
import type { SampleImage } from "../../src/store/testing/sample-image.ts";
import { platform } from "../injection/platform.ts";
import { runnable } from "../injection/samples.ts";
import { type Containerd, containerdTools, describeWith, startContainerd } from "../tools.ts";

describeWith(containerdTools, "containerd's store", () => {
  let containerd: Containerd;
  let store: ImageStore;
  let image: SampleImage;
  beforeAll(async () => {
    containerd = await startContainerd();
    const { socket, folder } = containerd;
    store = await openContainerdStore({ socket, root: join(folder, "pulley"), platform });
    image = await runnable();
  });
  afterAll(async () => {
    await store?.close();
    await containerd?.stop();
  });

  describePullConformance("a mirror over containerd's store", () => openSubject({ store, image }));
});
