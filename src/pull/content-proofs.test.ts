import { appendFile, mkdtemp, readdir, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { parseReference } from "../image/index.ts";
import { type ImageStore, openEmbeddedStore } from "../store/index.ts";
import { pullSample, sampleImage } from "../store/testing/sample-image.ts";
import { createContentProofs, sharing } from "./content-proofs.ts";

const sample = sampleImage("shown");
const layer = sample.layers[0]?.descriptor.digest ?? sample.id;
const of = (name: string) => parseReference(name).repository;
const [app, other] = [of("acme.io/app"), of("acme.io/other")];

let root: string;
let store: ImageStore;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "pulley-proofs-"));
  store = await openEmbeddedStore(join(root, "store"));
  onTestFinished(async () => {
    await store.close();
    await rm(root, { recursive: true, force: true });
  });
});

describe("what a repository has shown", () => {
  test("is what its images here consist of, and nothing of anybody else's", async () => {
    await pullSample(store, sample, ["acme.io/app:1"]);
    const proofs = createContentProofs(store);
    const [own, others, similar] = await Promise.all([app, other, of("acme.io/app/more")].map(proofs.of));
    for (const digest of [sample.manifest.descriptor.digest, sample.id, layer]) {
      expect([own?.has(digest), others?.has(digest), similar?.has(digest)]).toEqual([true, false, false]);
    }
  });

  test("is what it has given, for another process too, until a week has gone by", async () => {
    const folder = join(root, "proofs");
    await (await createContentProofs(store, folder).of(app)).note(layer);
    const has = async () => (await createContentProofs(store, folder).of(app)).has(layer);
    expect(await has()).toBe(true);
    expect((await createContentProofs(store, folder).of(other)).has(layer)).toBe(false);
    const [file = ""] = await readdir(folder);
    // A line that was cut off does no harm to those before it, nor to those after it.
    await appendFile(join(folder, file), "sha256:abc");
    await (await createContentProofs(store, folder).of(app)).note(sample.id);
    expect(await has()).toBe(true);
    expect((await createContentProofs(store, folder).of(app)).has(sample.id)).toBe(true);
    const old = new Date(Date.now() - 8 * 24 * 3600 * 1000);
    await utimes(join(folder, file), old, old);
    expect(await has()).toBe(false);
    expect(await readdir(folder)).toEqual([]);
  });

  test("is not asked for where content is shared", async () => {
    const proofs = sharing(createContentProofs(store));
    expect((await proofs.of(other)).has(layer)).toBe(true);
  });
});
