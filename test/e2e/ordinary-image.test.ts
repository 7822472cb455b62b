/**
 * An image as most are, eight layers with 300 MiB to download, from Debian's registry into either store, and every byte
 * read again. Only sizes like these make pieces, threads and the direct reads of large bodies meet.
 * `PULLEY_ORDINARY_PULLS` asks for more rounds than one.
 */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type BuiltImage, builtImage } from "../../bench/support/image.ts";
import { ImageService } from "../../src/cri/api/runtime/v1/api_pb.js";
import { openChannel } from "../../src/support/grpc/client.ts";
import { wrongBytes } from "../bytes-on-disk.ts";
import { startNode } from "../daemon/daemon.ts";
import {
  containerdTools,
  type DockerRegistry,
  describeWith,
  skopeoCopy,
  startContainerd,
  startDockerRegistry,
} from "../tools.ts";
import { runProgram } from "./pulley.ts";

const rounds = Number(process.env["PULLEY_ORDINARY_PULLS"] ?? 1);
/** Milliseconds: many rounds are longer than any test. */
const timeout = Math.max(300_000, rounds * 60_000);

describeWith(["docker-registry", "skopeo", ...containerdTools], `${rounds} pulls of an ordinary image`, () => {
  let folder: string;
  let image: BuiltImage;
  let registry: DockerRegistry;
  let name: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "pulley-ordinary-"));
    image = await builtImage(join(folder, "image"), { name: "medium", layers: [80, 120, 60, 90, 30, 40, 20, 10] });
    registry = await startDockerRegistry({ storage: join(folder, "registry") });
    name = `${registry.host}/team/ordinary:1`;
    await skopeoCopy(image.source, `docker://${name}`);
  });
  afterAll(async () => {
    await registry?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** Manifest, config and layers are in the folder, and each has the bytes that its name says. */
  async function expectWhole(store: string, blobs: string): Promise<void> {
    const names = await readdir(join(store, blobs));
    expect(names).toEqual(expect.arrayContaining(image.layers.map(({ digest }) => digest.slice("sha256:".length))));
    expect(await wrongBytes(store)).toEqual([]);
  }

  test("into the embedded store are right byte for byte", { timeout }, async () => {
    for (let round = 0; round < rounds; round += 1) {
      const root = join(folder, "store");
      expect(await runProgram(["pull", "--root", root, name])).toMatchObject({ status: 0 });
      await expectWhole(root, join("blobs", "sha256"));
      await rm(root, { recursive: true });
    }
  });

  test("into containerd are right byte for byte", { timeout }, async () => {
    const containerd = await startContainerd();
    const daemon = await startNode(
      folder,
      "--root",
      join(folder, "node"),
      "--runtime",
      containerd.socket,
      "--collect",
      "off",
    );
    const channel = openChannel(daemon.sockets.cri);
    try {
      for (let round = 0; round < rounds; round += 1) {
        const { imageRef } = await channel.unary(
          ImageService.method.pullImage,
          { image: { image: name } },
          { timeout: 60_000 },
        );
        expect(imageRef).toMatch(/^sha256:/);
        await expectWhole(join(containerd.folder, "root"), join("io.containerd.content.v1.content", "blobs", "sha256"));
        await channel.unary(ImageService.method.removeImage, { image: { image: name } }, { timeout: 60_000 });
        // Removing a lease and waiting for the collection that follows leaves nothing for the next round to use.
        await containerd.ctr(["leases", "create", "--id", "round"]);
        await containerd.ctr(["leases", "rm", "--sync", "round"]);
      }
    } finally {
      channel.close();
      await daemon.end();
      await containerd.stop();
    }
  });
});
