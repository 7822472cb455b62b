import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Containerd, containerdTools, describeWith, startContainerd } from "../../../test/tools.ts";
import { errorText } from "../../support/errors.ts";
import { manualClock } from "../../support/manual-clock.ts";
import type { ImageStore } from "../image-store.ts";
import { openContainerdStore } from "./index.ts";

const pause = "pulley.test/pause:1";
const platform = { os: "linux", architecture: "amd64", variant: "" };

describeWith(containerdTools, "names that others change in containerd", () => {
  const clock = manualClock(1_800_000_000_000);
  let folder: string;
  let containerd: Containerd;
  let store: ImageStore;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "pulley-watch-"));
    containerd = await startContainerd();
    store = await openContainerdStore({ socket: containerd.socket, root: folder, platform, clock });
  });
  afterAll(async () => {
    await store?.close();
    await containerd?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const isThere = async (name: string): Promise<boolean> => (await store.image(name)) !== undefined;
  const expectSoon = async (name: string, there: boolean): Promise<void> => {
    await expect.poll(() => isThere(name), { interval: 20 }).toBe(there);
  };

  test("are seen at once as long as nothing is known to be heard", async () => {
    await containerd.ctr(["images", "tag", pause, "registry.test/first:1"]);
    expect(await isThere("registry.test/first:1")).toBe(true);
    await containerd.ctr(["images", "rm", "registry.test/first:1"]);
    expect(await isThere("registry.test/first:1")).toBe(false);
  });

  test("are heard of from then on, after containerd has begun anew, too", async () => {
    for (const name of ["registry.test/second:1", "registry.test/third:1"]) {
      expect(await isThere(pause)).toBe(true);
      // Now it is a while that somebody listens.
      await clock.advance(10_000);
      expect(await isThere(pause)).toBe(true);
      await containerd.ctr(["images", "tag", pause, name]);
      await expectSoon(name, true);
      await containerd.ctr(["images", "rm", name]);
      await expectSoon(name, false);
      await containerd.kill("SIGKILL");
      await containerd.restart();
    }
  });

  test("are not known while containerd is not there", async () => {
    await clock.advance(10_000);
    expect(await isThere(pause)).toBe(true);
    await containerd.kill("SIGKILL");
    const told = () => store.images().then(() => "known", errorText);
    await expect.poll(told).toContain("could not have containerd list its images");
    await containerd.restart();
    await expect.poll(() => isThere(pause).catch(() => false)).toBe(true);
  });
});
