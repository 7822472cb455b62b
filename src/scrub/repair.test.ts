import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Descriptor, type Digest, digestHex, parseManifest } from "../image/index.ts";
import { kubernetesOnly } from "../policy/index.ts";
import { openPulls } from "../pull/index.ts";
import { type FakeRegistry, fakeRegistry } from "../pull/testing/fake-registry.ts";
import { loginOf, sourceOf } from "../pull/testing/logins.ts";
import { policyOf } from "../pull/testing/policies.ts";
import { dockerTar, sampleImage } from "../store/archive/testing.ts";
import { type ImageStore, loadArchive, openEmbeddedStore, type Verified } from "../store/index.ts";
import { blobPathIn, layOldStore, misorder, misordered, type OldRecord } from "../store/testing/old-store.ts";
import { PulleyError } from "../support/errors.ts";
import { manualClock } from "../support/manual-clock.ts";
import { createRepairer, type RepairerOptions } from "./repair.ts";

let root: string;
let registry: FakeRegistry;
let store: ImageStore;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "pulley-repair-"));
  registry = fakeRegistry();
});
afterEach(async () => {
  await store?.close();
  await rm(root, { recursive: true, force: true });
});

const app = "acme.io/app";
const text = (word: string) => `${word} `.repeat(50_000);

/** What an image consists of, as the registry has it. */
function partsOf(target: Descriptor) {
  const bytesOf = ({ digest }: { readonly digest: Digest }) => registry.contents.get(digest)?.bytes ?? Buffer.alloc(0);
  const document = parseManifest(bytesOf(target), target.mediaType);
  const manifest = document.kind === "manifest" ? target : document.manifests[0];
  if (manifest === undefined) throw new Error("an index without entries");
  const inner = parseManifest(bytesOf(manifest), manifest.mediaType);
  if (inner.kind !== "manifest") throw new Error("a manifest was expected");
  return { target, manifest, config: inner.config, layers: inner.layers };
}

/** A store of the first version with an image that was pulled by tag, some of its content in the wrong order. */
async function oldStore(
  target: Descriptor,
  wrong: readonly { readonly digest: string }[],
  { tag = "1", architecture = "amd64", more = [] as readonly OldRecord[] } = {},
): Promise<ImageStore> {
  const { manifest, config, layers } = partsOf(target);
  const all = [target, manifest, config, ...layers];
  const contents = [manifest, config, ...layers].map(({ digest, size }) => ({ digest, size }));
  const record = { target, manifest, image: config.digest, contents, architecture };
  const names = [`${app}:${tag}`, `${app}@${target.digest}`];
  const records = [...names.map((name) => ({ ...record, name })), ...more];
  const bad = new Set(wrong.map(({ digest }) => digest));
  const bytes = all.map(({ digest }) => {
    const right = registry.contents.get(digest)?.bytes ?? Buffer.alloc(0);
    return [digest, bad.has(digest) ? misordered(right) : right] as const;
  });
  await layOldStore(root, records, new Map(bytes));
  store = await openEmbeddedStore(root);
  return store;
}

function repairer(options: Partial<RepairerOptions> = {}) {
  const anonymous = () => sourceOf();
  const clock = manualClock(1_800_000_000_000);
  const policy = kubernetesOnly;
  const platform = { os: "linux", architecture: "amd64", variant: "" };
  return createRepairer({
    pulls: openPulls({ store, registry, platform, clock }),
    hosts: () => undefined,
    logins: anonymous,
    policy: () => policy,
    ...options,
  });
}

async function faultyOf(): Promise<Verified[]> {
  const faulty: Verified[] = [];
  for await (const blob of store.verify()) if (blob.state !== "sound") faulty.push(blob);
  return faulty;
}

describe("what an earlier version wrote wrong", () => {
  const shapes = [
    ["a layer", (at: ReturnType<typeof partsOf>) => at.layers.slice(0, 1)],
    ["every layer", (at: ReturnType<typeof partsOf>) => at.layers],
    ["the config", (at: ReturnType<typeof partsOf>) => [at.config]],
    ["the manifest", (at: ReturnType<typeof partsOf>) => [at.manifest]],
    ["the index", (at: ReturnType<typeof partsOf>) => [at.target]],
    ["everything", (at: ReturnType<typeof partsOf>) => [at.target, at.manifest, at.config, ...at.layers]],
  ] as const;

  it.each(shapes)("is found and fetched again: %s", async (_, choose) => {
    const target = registry.push(`${app}:1`, {
      layers: [text("lower"), text("upper")],
      platforms: ["linux/amd64", "linux/arm64"],
    });
    const parts = partsOf(target);
    const wrong = choose(parts).map(({ digest }) => digest);
    await oldStore(target, choose(parts));
    // The lengths are right, so that nobody who only looks at them sees it.
    const lease = await store.lease();
    for (const layer of parts.layers) expect(await lease.has(layer)).toBe(true);
    await lease.release();

    const faulty = await faultyOf();
    expect(faulty.map(({ digest, state }) => ({ digest, state }))).toEqual(
      [...wrong].sort().map((digest) => ({ digest, state: "damaged" })),
    );
    const repairs = await repairer().repair(faulty);
    for (const repair of repairs) {
      expect(repair).toMatchObject({ repaired: true, from: `${app}@${target.digest}`, failures: [] });
    }
    expect(await faultyOf()).toEqual([]);
    for (const { digest } of [target, parts.manifest, parts.config, ...parts.layers]) {
      expect(await readFile(blobPathIn(root, digest))).toEqual(registry.contents.get(digest)?.bytes);
    }
    // What was hashed and found wrong is kept for a look, and nothing else was taken away.
    expect((await readdir(join(root, "damaged"))).length).toBe(wrong.length);
    expect((await store.images()).map(({ repoTags, repoDigests }) => [...repoTags, ...repoDigests])).toEqual([
      [`${app}:1`, `${app}@${target.digest}`],
    ]);
  });

  it("is fetched by the digest that is here, though the tag means something else by now", async () => {
    const target = registry.push(`${app}:1`, { layers: [text("old")] });
    registry.push(`${app}:1`, { layers: [text("new")] });
    await oldStore(target, partsOf(target).layers);
    expect(await repairer().repair(await faultyOf())).toMatchObject([{ repaired: true }]);
    expect((await store.record(`${app}:1`))?.target.digest).toBe(target.digest);
    expect(await faultyOf()).toEqual([]);
  });

  it("is fetched for the platform that is here, whatever this machine is", async () => {
    const target = registry.push(`${app}:1`, { layers: [text("s390")], platforms: ["linux/s390x"] });
    await oldStore(target, partsOf(target).layers, { architecture: "s390x" });
    expect(await repairer().repair(await faultyOf())).toMatchObject([{ repaired: true }]);
    expect(await faultyOf()).toEqual([]);
  });

  it("is fetched once for all images that share it, with the logins of a pull", async () => {
    const target = registry.push(`${app}:1`, { layers: [text("shared"), text("own")] });
    registry.users.set(app, ["ann"]);
    const parts = partsOf(target);
    await oldStore(target, parts.layers);
    const logins = () => sourceOf(loginOf("stale", "bob"), loginOf("own", "ann"));
    const repairs = await repairer({ logins }).repair(await faultyOf());
    expect(repairs.map(({ repaired }) => repaired)).toEqual([true, true]);
    expect(registry.count("DOWNLOAD")).toBe(2);
    expect(registry.requests.filter((request) => request.startsWith("HEAD"))).toEqual([
      `HEAD ${app}@${target.digest.slice(0, 15)} as bob`,
      `HEAD ${app}@${target.digest.slice(0, 15)} as ann`,
    ]);
  });
});

describe("what cannot be fetched again", () => {
  it("is told by name, with what the registry says", async () => {
    const target = registry.push(`${app}:1`, { layers: [text("lost"), text("there")] });
    const { layers } = partsOf(target);
    await oldStore(target, layers);
    registry.contents.delete(layers[0]?.digest ?? expect.unreachable());
    const repairs = await repairer().repair(await faultyOf());
    const byDigest = new Map(repairs.map((repair) => [repair.digest, repair]));
    expect(byDigest.get(layers[0]?.digest ?? expect.unreachable())).toMatchObject({
      repaired: false,
      neededBy: [`${app}:1`, `${app}@${target.digest}`],
      failures: [{ image: `${app}@${target.digest}`, code: "REGISTRY_NOT_FOUND" }],
    });
    // Its image's record stays, and so does what is sound.
    expect(await store.image(`${app}:1`)).toBeDefined();
    expect((await faultyOf()).every(({ state }) => state === "missing")).toBe(true);
  });

  it("stays so while registries cannot be reached, and comes with the next attempt", async () => {
    const target = registry.push(`${app}:1`, { layers: [text("later")] });
    await oldStore(target, partsOf(target).layers);
    const { resolve } = registry;
    registry.resolve = async () => {
      throw new PulleyError("REGISTRY_UNREACHABLE", "acme.io: no route");
    };
    const faulty = await faultyOf();
    expect(await repairer().repair(faulty)).toMatchObject([
      { repaired: false, failures: [{ code: "REGISTRY_UNREACHABLE" }] },
    ]);
    registry.resolve = resolve;
    expect(await repairer().repair(await faultyOf())).toMatchObject([{ repaired: true, state: "missing" }]);
  });

  it("is refused where the policy refuses the image", async () => {
    const target = registry.push(`${app}:1`, { layers: [text("denied")] });
    await oldStore(target, partsOf(target).layers);
    const policy = policyOf("{ name: none, match: { images: [acme.io/**] }, admit: Deny }");
    const [repair] = await repairer({ policy: () => policy }).repair(await faultyOf());
    expect(repair).toMatchObject({ repaired: false, failures: [{ image: `${app}@${target.digest}` }] });
    expect(registry.requests).toEqual([]);
  });

  it("came from an archive: an image without a name is told by its id", async () => {
    store = await openEmbeddedStore(root);
    const image = sampleImage("loaded");
    const path = join(root, "archive.tar");
    await writeFile(path, dockerTar(image, null));
    await loadArchive(store, path, { platform: { os: "linux", architecture: "amd64", variant: "" } });
    const [id] = (await store.images()).map((each) => each.id);
    for (const hex of await readdir(join(root, "blobs/sha256"))) {
      if (hex !== digestHex(id ?? expect.unreachable())) await misorder(root, `sha256:${hex}`);
    }
    const repairs = await repairer().repair(await faultyOf());
    expect(repairs.length).toBe(3);
    for (const repair of repairs) {
      expect(repair).toMatchObject({ repaired: false, neededBy: [], nameless: [id], failures: [] });
    }
  });

  it("is not missed where no image needs it", async () => {
    const target = registry.push(`${app}:1`, { layers: [text("here")] });
    await oldStore(target, []);
    const orphan = registry.push(`${app}:2`, { layers: [text("orphan")] });
    await writeFile(
      blobPathIn(root, orphan.digest),
      misordered(registry.contents.get(orphan.digest)?.bytes ?? Buffer.alloc(0)),
    );
    expect(await repairer().repair(await faultyOf())).toMatchObject([
      { digest: orphan.digest, state: "damaged", neededBy: [], repaired: true },
    ]);
    expect(registry.requests).toEqual([]);
  });
});
