/** `pulley verify --repair` as people call it, over a store in which an earlier version left wrong bytes. */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { type BuiltImage, buildImage } from "../../examples/world/image-builder.ts";
import { oddImage } from "../../examples/world/odd-image.ts";
import { type Registry, startRegistry } from "../../examples/world/registry.ts";
import { misorder } from "../../src/store/testing/old-store.ts";
import { pulley } from "./pulley.ts";

vi.setConfig({ testTimeout: 60_000 });

let folder: string;
let registry: Registry;
let image: BuiltImage;
let other: BuiltImage;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pulley-e2e-verify-"));
  registry = await startRegistry({
    access: { users: { ann: "secret-of-ann" }, repositories: { "team/app": ["ann"] } },
  });
  image = await buildImage({ layers: [{ filler: 700_000 }, { filler: 400_000 }] });
  other = await buildImage({ layers: [{ filler: 300_000 }], seed: "other" });
  registry.addImage("team/app:1", image);
  registry.addImage("lost/app:1", other);
});

afterAll(async () => {
  await registry.close();
  await rm(folder, { recursive: true, force: true });
});

const creds = ["--creds", "ann:secret-of-ann"];

async function spoiltStore(...names: readonly string[]) {
  const root = await mkdtemp(join(folder, "root-"));
  for (const name of names) {
    expect(await pulley(["pull", "--root", root, ...creds, `${registry.host}/${name}`])).toMatchObject({ status: 0 });
  }
  const large = (built: BuiltImage) => built.manifests[0]?.layers ?? [];
  const wrong = names.flatMap((name) => large(name.startsWith("team") ? image : other).map(({ digest }) => digest));
  for (const digest of wrong) await misorder(root, digest);
  return { root, wrong: wrong.sort() };
}

it("finds and fetches again what an earlier version wrote in the wrong order, with the login of a pull", async () => {
  const { root, wrong } = await spoiltStore("team/app:1");
  // Nobody has read it yet, and its lengths are right.
  expect((await pulley(["pull", "--root", root, ...creds, `${registry.host}/team/app:1`])).stdout).toContain(
    "is up to date",
  );
  const { status, stdout, stderr } = await pulley(["verify", "--root", root, "--repair", ...creds, "-o", "json"]);
  const target = `${registry.host}/team/app@${image.target.digest}`;
  expect(JSON.parse(stdout)).toEqual({
    apiVersion: "pulley.dev/v1alpha1",
    sound: 2,
    blobs: wrong.map((digest) => ({
      digest,
      state: "damaged",
      neededBy: [`${registry.host}/team/app:1`, target],
      nameless: [],
      repair: { repaired: true, from: target, failures: [] },
    })),
    unfit: [],
  });
  expect({ status, sides: stderr.match(/was set aside/g)?.length }).toEqual({ status: 0, sides: wrong.length });
  expect(stderr).not.toContain("secret-of-ann");
  const again = await pulley(["verify", "--root", root]);
  expect(again).toMatchObject({ status: 0, stdout: "4 sound, 0 damaged, missing or unreadable\n", stderr: "" });
  expect(await readdir(join(root, "damaged"))).toHaveLength(wrong.length);
});

it("says by name what cannot be had, why, and what to do; and what the exit status is", async () => {
  const { root, wrong } = await spoiltStore("team/app:1");
  const found = await pulley(["verify", "--root", root]);
  expect(found.status).toBe(1);
  expect(found.stdout).toContain(
    `${wrong[0]}: damaged\n  needed by ${registry.host}/team/app:1: run pulley verify --repair\n`,
  );
  const refused = await pulley(["verify", "--root", root, "--repair"]);
  expect(refused.status).toBe(1);
  expect(refused.stdout).toContain(
    `${wrong[0]}: missing\n  not fetched with ${registry.host}/team/app@${image.target.digest}: `,
  );
  expect(refused.stdout).toContain("Log in");
  expect(refused.stdout).toContain("of those, 0 are sound again");
  const repaired = await pulley(["verify", "--root", root, "--repair", ...creds]);
  expect(repaired.status).toBe(0);
  expect(repaired.stdout).toContain(`${wrong[0]}: missing; fetched again with ${registry.host}/team/app@`);
});

it("tells a registry that cannot be reached from one that says no", async () => {
  const gone = await startRegistry();
  gone.addImage("lost/app:1", other);
  const root = await mkdtemp(join(folder, "root-"));
  await pulley(["pull", "--root", root, `${gone.host}/lost/app:1`]);
  const [layer] = other.manifests[0]?.layers ?? [];
  await misorder(root, layer?.digest ?? expect.unreachable());
  await gone.close();
  const { status, stdout } = await pulley(["verify", "--root", root, "--repair", "-o", "json"]);
  expect(status).toBe(3);
  expect(JSON.parse(stdout).blobs).toMatchObject([
    { digest: layer?.digest, repair: { repaired: false, failures: [{ code: "REGISTRY_UNREACHABLE" }] } },
  ]);
  // Nothing is removed for it: the record is there, and what was set aside is kept.
  expect(await readdir(join(root, "records"))).toHaveLength(2);
  expect(await readFile(join(root, "index.json"), "utf8")).toContain("lost/app:1");
});

it("tells of layers that do not fit what their image says, which no fetching mends, and save refuses them", async () => {
  const root = await mkdtemp(join(folder, "root-"));
  const wrong = `sha256:${"0".repeat(64)}`;
  const unfit = oddImage(await buildImage({ layers: [{ files: { a: "b" } }], seed: "unfit" }), {
    config: { rootfs: { type: "layers", diff_ids: [wrong] } },
  });
  registry.addImage("unfit/app:1", unfit);
  const name = `${registry.host}/unfit/app:1`;
  expect(await pulley(["pull", "--root", root, name])).toMatchObject({ status: 0 });
  const read = await pulley(["verify", "--root", root]);
  expect(read.status).toBe(1);
  expect(read.stdout).toMatch(
    /does not fit its image: the layer sha256:\S+ unpacks to sha256:\S+, but the image's config/,
  );
  expect(read.stdout).toContain(`needed by ${name}: whoever builds it has to build and push it again`);
  const { status, stdout } = await pulley(["verify", "--root", root, "--repair", "-o", "json"]);
  expect(status).toBe(1);
  const layer = unfit.manifests[0]?.layers[0]?.digest;
  expect(JSON.parse(stdout)).toMatchObject({
    blobs: [],
    unfit: [{ layer, diffId: wrong, code: "DIGEST_MISMATCH", neededBy: expect.arrayContaining([name]) }],
  });
  const file = join(folder, "unfit.tar");
  const saved = await pulley(["save", "--root", root, "--format", "docker-archive", "--file", file, name]);
  expect(saved).toMatchObject({ status: 1, stderr: expect.stringContaining("but the image's config says") });
});
