/** A daemon that collects by its kubelet's configuration, from its first minute on. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildImage } from "../../examples/world/image-builder.ts";
import { type Registry, startRegistry } from "../../examples/world/registry.ts";
import { pulley, runProgram } from "./pulley.ts";

let folder: string;
let registry: Registry;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pulley-e2e-room-"));
  registry = await startRegistry();
  for (const name of ["base", "app", "web"]) {
    registry.addImage(`team/${name}:1`, await buildImage({ layers: [{ filler: 10_000 }], seed: name }));
  }
});

afterAll(async () => {
  await registry.close();
  await rm(folder, { recursive: true, force: true });
});

/** What a daemon with these lines of configuration, which is ended as soon as it has said `word`, leaves of three images. */
async function leftBy(word: string, ...lines: readonly string[]) {
  const root = await mkdtemp(join(folder, "store-"));
  const names = ["base", "app", "web"].map((name) => `${registry.host}/team/${name}:1`);
  expect(await pulley(["pull", "--root", root, ...names])).toMatchObject({ status: 0 });
  const file = `${root}.yaml`;
  await writeFile(
    file,
    ["apiVersion: kubelet.config.k8s.io/v1beta1", "kind: KubeletConfiguration", ...lines].join("\n"),
  );
  const sockets = ["--cri-socket", join(root, "cri.sock"), "--socket", join(root, "api.sock")];
  const args = ["--root", root, ...sockets, "--kubelet-config", file, "--pin", `${registry.host}/team/base`];
  const { status, stderr } = await runProgram(["node", ...args, "--log-format", "json", "--log-level", "debug"], {
    meanwhile: async (child) => {
      let said = "";
      child.stderr?.on("data", (piece: Buffer) => {
        said += piece.toString();
      });
      await expect.poll(() => said).toContain(word);
      child.kill("SIGTERM");
    },
  });
  expect({ status, stderr }).toMatchObject({ status: 0 });
  const { stdout } = await pulley(["images", "--root", root, "-o", "json"]);
  const images: readonly { readonly repoTags: readonly string[] }[] = JSON.parse(stdout).images;
  return { left: images.map(({ repoTags: [tag] }) => tag?.replace(/^.*team\//, "")).sort(), stderr };
}

it("deletes what is neither pinned nor young when the disk is too full", async () => {
  const { left, stderr } = await leftBy(
    "Insufficient free disk space",
    "imageGCHighThresholdPercent: 1",
    "imageGCLowThresholdPercent: 0",
    "imageMinimumGCAge: 1ms",
  );
  expect(left).toEqual(["base:1"]);
  expect(stderr).toContain('"reason":"FreeDiskSpaceFailed"');
  expect(stderr.match(/an image was deleted/g)).toHaveLength(2);
});

it("deletes it under pressure, too, whatever the thresholds are", async () => {
  const { left } = await leftBy(
    "images were collected",
    "imageGCHighThresholdPercent: 100",
    "imageMinimumGCAge: 1ms",
    "evictionHard: {imagefs.available: 99.99%}",
  );
  expect(left).toEqual(["base:1"]);
});

it("deletes nothing that is young", async () => {
  const { left } = await leftBy(
    "collection ended early",
    "imageGCHighThresholdPercent: 1",
    "imageGCLowThresholdPercent: 0",
    "imageMinimumGCAge: 1h",
  );
  expect(left).toEqual(["app:1", "base:1", "web:1"]);
});
