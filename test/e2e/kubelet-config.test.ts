/** `--kubelet-config` for the commands that pull. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildImage } from "../../examples/world/image-builder.ts";
import { type Registry, startRegistry } from "../../examples/world/registry.ts";
import { pulley } from "./pulley.ts";

let folder: string;
let registry: Registry;
/** Pulls that no machine is too slow to begin faster than one a second. */
const most = 30;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pulley-e2e-kubelet-"));
  registry = await startRegistry();
  const image = await buildImage({ layers: [{ filler: 1000 }] });
  for (let tag = 1; tag <= most; tag += 1) registry.addImage(`team/app:${tag}`, image);
});

afterAll(async () => {
  await registry.close();
  await rm(folder, { recursive: true, force: true });
});

/** The path of a configuration that says this. */
async function configuration(...lines: readonly string[]): Promise<string> {
  const file = join(await mkdtemp(join(folder, "configuration-")), "kubelet.yaml");
  await writeFile(
    file,
    ["apiVersion: kubelet.config.k8s.io/v1beta1", "kind: KubeletConfiguration", ...lines].join("\n"),
  );
  return file;
}

function names(length = 3): readonly string[] {
  return Array.from({ length }, (_, at) => `${registry.host}/team/app:${at + 1}`);
}

describe("pulley run", () => {
  /** A store with an image that was loaded: nobody has shown a registry that he may have it. */
  async function preloaded(): Promise<string> {
    const [elsewhere, root] = [await mkdtemp(join(folder, "store-")), await mkdtemp(join(folder, "store-"))];
    const archive = join(elsewhere, "app.tar");
    const [name = ""] = names();
    for (const call of [
      ["pull", "--root", elsewhere, name],
      ["save", "--root", elsewhere, "--file", archive, name],
      ["load", "--root", root, archive],
    ]) {
      expect(await pulley(call)).toMatchObject({ status: 0 });
    }
    return root;
  }

  it.each([
    ["AlwaysVerify", 1],
    ["NeverVerifyPreloadedImages", 0],
  ])("under %s asks the registry about an image that was here before, so many times: %d", async (policy, times) => {
    const root = await preloaded();
    const file = await configuration(`imagePullCredentialsVerificationPolicy: ${policy}`);
    const before = registry.log.length;
    const [name = ""] = names();
    const ran = await pulley([
      "run",
      "--once",
      "--root",
      root,
      "--pull",
      "IfNotPresent",
      "--kubelet-config",
      file,
      name,
    ]);
    expect(ran).toMatchObject({ status: 0 });
    expect(registry.log.slice(before).filter(({ method }) => method === "HEAD")).toHaveLength(times);
  });

  it("takes the limits of how fast pulls may begin from it, and from flags before it", async () => {
    const file = await configuration("registryPullQPS: 1", "registryBurst: 1", "maxParallelImagePulls: 3");
    const run = async (...args: readonly string[]) => {
      const root = await mkdtemp(join(folder, "store-"));
      return pulley(["run", "--once", "--root", root, "--kubelet-config", file, ...args, ...names(most)]);
    };
    expect((await run()).stderr).toContain("pull QPS exceeded");
    expect((await run("--registry-qps", "0")).stderr).not.toContain("pull QPS exceeded");
    const refused = await run("--registry-burst", "-2");
    expect(refused).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("registryBurst (--registry-burst) -2"),
    });
  });

  it("does not begin with one that a kubelet would not begin with", async () => {
    const file = await configuration(
      "serializeImagePulls: true",
      "maxParallelImagePulls: 2",
      "nodeStatusMaxImages: -3",
    );
    const root = join(folder, "never");
    const { status, stderr } = await pulley(["run", "--once", "--root", root, "--kubelet-config", file, ...names()]);
    expect(status).toBe(2);
    expect(stderr).toContain(
      `${file}:4:24: error: invalid configuration: maxParallelImagePulls cannot be larger than 1`,
    );
    expect(stderr).toContain(`${file}:5:22: error: invalid configuration: nodeStatusMaxImages`);
  });
});

describe("pulley pull", () => {
  it("begins as many pulls at once as it allows, and any number without it", async () => {
    const file = await configuration("registryPullQPS: 1", "registryBurst: 2");
    const root = await mkdtemp(join(folder, "store-"));
    const limited = await pulley(["pull", "--root", root, "--kubelet-config", file, ...names(most)]);
    expect(limited).toMatchObject({ status: 1, stderr: expect.stringContaining("pull QPS exceeded") });
    expect(await pulley(["pull", "--root", root, ...names()])).toMatchObject({ status: 0 });
  });
});
