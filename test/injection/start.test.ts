/** Containers that containerd's CRI starts from images which Pulley has brought in. */
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ImageStore, openContainerdStore } from "../../src/store/index.ts";
import { busyboxImage, type Containerd, containerdTools, describeWith, startContainerd } from "../tools.ts";
import { type Kubelet, kubeletOf } from "./kubelet.ts";
import { platform } from "./platform.ts";
import { pullAs, runnable } from "./samples.ts";
import { stateOf, unfinished } from "./state.ts";

const repository = "registry.test/team/app";

describeWith(containerdTools, "containers of images that Pulley brought in", () => {
  let containerd: Containerd;
  let kubelet: Kubelet;
  let store: ImageStore;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "pulley-injection-"));
    containerd = await startContainerd();
    kubelet = kubeletOf(containerd);
    store = await openContainerdStore({ socket: containerd.socket, root: join(folder, "pulley"), platform });
  });
  afterAll(async () => {
    await store?.close();
    kubelet?.close();
    await containerd?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test("start, with what each layer adds and takes away", async () => {
    const image = await runnable({
      layers: [
        [
          { path: "srv/one", content: "lower" },
          { path: "srv/two", content: "two" },
        ],
        [{ path: "srv/one", content: "upper" }, { path: "srv/.wh.two" }],
      ],
    });
    await pullAs(store, image, repository);
    const printed = await kubelet.runIn(`${repository}:1`, ["/bin/sh", "-c", "cat /srv/one; ls /srv"]);
    expect(printed).toBe("upperone\n");
    const seen = await kubelet.image(`${repository}:1`);
    expect(seen).toMatchObject({
      id: image.id,
      repoTags: [`${repository}:1`],
      repoDigests: [`${repository}@${image.index.descriptor.digest}`],
    });
    expect(unfinished(await stateOf(containerd))).toEqual([]);
  });

  test("need no copy of Pulley's own", async () => {
    await pullAs(store, await runnable({ layers: [[{ path: "etc/three", content: "3" }]] }), repository);
    expect((await stat(join(folder, "pulley"))).mode & 0o777).toBe(0o700);
    expect(await readdir(join(folder, "pulley", "ingest"))).toEqual([]);
  });

  test("have none of the image's labels as containerd's", async () => {
    const Labels = { "containerd.io/restart.status": "running", "io.cri-containerd.pinned": "pinned", vendor: "acme" };
    const image = await runnable({ config: { Labels } });
    const published = await pullAs(store, image, "registry.test/labels");
    expect(published.pinned).toBeUndefined();
    const listed = await containerd.ctr(["images", "ls", 'name~="registry.test/labels"']);
    expect(listed).toContain("io.cri-containerd.image=managed");
    expect(listed).not.toMatch(/restart|pinned|acme/);
  });

  test("are removed with all that came with them", async () => {
    for (const { id } of await store.images()) {
      if ((await store.image("pulley.test/pause:1"))?.id !== id) await store.remove(id);
    }
    const before = await stateOf(containerd);
    const image = await runnable({ layers: [[{ path: "etc/four", content: "4" }]] });
    await pullAs(store, image, repository);
    await kubelet.image(`${repository}:1`);
    const removed = await store.remove(image.id);
    expect(removed.deleted).toEqual([image.id]);
    expect(removed.untagged.toSorted()).toEqual([`${repository}:1`, `${repository}@${image.index.descriptor.digest}`]);
    expect(await stateOf(containerd)).toEqual(before);
  });
});

describeWith(containerdTools, "images that others brought into containerd", () => {
  test("are there like any other, pinned where they are", async () => {
    const containerd = await startContainerd();
    const folder = await mkdtemp(join(tmpdir(), "pulley-injection-"));
    const store = await openContainerdStore({ socket: containerd.socket, root: folder, platform });
    try {
      const name = "registry.test/others:1";
      const archive = join(folder, "others.tar");
      await writeFile(archive, (await busyboxImage({ layers: [[{ path: "srv/file", content: "" }]] })).archive(name));
      await containerd.ctr(["images", "import", archive]);
      const image = await store.image(name);
      expect(image).toMatchObject({
        repoTags: [name],
        repoDigests: [],
        platform,
        createdAt: Date.UTC(2026, 0, 2, 3, 4, 5),
      });
      expect(image?.pinned).toBeUndefined();
      expect(await store.record(name)).toEqual({
        name,
        target: image?.manifest,
        image: image?.id,
        manifest: image?.manifest,
        platform,
      });
      await store.confirm(name, 1_700_000_000_000);
      expect((await store.record(name))?.confirmedAt).toBe(1_700_000_000_000);
      await containerd.ctr(["images", "label", name, "io.cri-containerd.pinned=pinned"]);
      await containerd.ctr(["images", "tag", name, "not a reference of Kubernetes"]);
      expect(await store.image(name)).toEqual({ ...image, pinned: true });
      expect(await store.images()).toHaveLength(2);
    } finally {
      await store.close();
      await containerd.stop();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
