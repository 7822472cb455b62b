import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { parseReference, parseTag } from "../image/index.ts";
import { openEmbeddedStore } from "../store/index.ts";
import { pullSample, sampleImage } from "../store/testing/sample-image.ts";
import { manualClock } from "../support/manual-clock.ts";
import { createIncompleteImages } from "./incomplete-images.ts";

const { repository } = parseReference("registry.acme.io/shop/app");
const { repository: other } = parseReference("registry.acme.io/shop/other");
const caller = { login: undefined };

async function openIncomplete(keepFor = 1000) {
  const root = await mkdtemp(join(tmpdir(), "pulley-pending-"));
  const store = await openEmbeddedStore(root);
  const clock = manualClock(1_000_000_000_000);
  const incomplete = createIncompleteImages(store, clock, keepFor);
  onTestFinished(async () => {
    await incomplete.close();
    await store.close();
    await rm(root, { recursive: true, force: true });
  });
  /** Has the store remove what nothing protects. */
  const collect = async () => {
    await pullSample(store, sampleImage("another"), ["registry.acme.io/shop/another:1"]);
    await store.remove("registry.acme.io/shop/another:1");
  };
  return { store, clock, incomplete, collect };
}

const image = sampleImage("pending");
const { descriptor, bytes } = image.manifest;
const [layer] = image.layers;

test("a document, and what it lists, is found in its repository and in no other", async () => {
  const { incomplete } = await openIncomplete();
  await incomplete.add(repository, { descriptor, bytes }, caller);
  expect(incomplete.find(repository, descriptor.digest)?.descriptor).toEqual(descriptor);
  expect(incomplete.find(repository, image.id)?.document?.descriptor).toEqual(descriptor);
  expect(incomplete.find(other, descriptor.digest)).toBeUndefined();
  expect(incomplete.find(other, image.id)).toBeUndefined();
  expect(incomplete.documents(other)).toEqual([]);
});

test("what is pending stays, and what nobody asked for in a while is let go", async () => {
  const { store, clock, incomplete, collect } = await openIncomplete(1000);
  await incomplete.add(repository, { descriptor, bytes }, caller);
  await clock.advance(900);
  expect(incomplete.find(repository, image.id)).toBeDefined();
  await clock.advance(900);
  await incomplete.sweep();
  await collect();
  expect(await store.read(descriptor.digest, 10_000)).toEqual(bytes);
  await clock.advance(1001);
  await incomplete.sweep();
  expect(incomplete.documents(repository)).toEqual([]);
  await collect();
  await expect(store.read(descriptor.digest, 10_000)).rejects.toMatchObject({ code: "IMAGE_NOT_FOUND" });
});

test("a tag that was asked for names the document that it stood for last, whichever comes first", async () => {
  const { incomplete } = await openIncomplete();
  incomplete.noteTag(repository, parseTag("1"), descriptor.digest);
  await incomplete.add(repository, { descriptor, bytes }, caller);
  incomplete.noteTag(repository, parseTag("stable"), descriptor.digest);
  expect(incomplete.documents(repository).map(({ tags }) => [...tags])).toEqual([["1", "stable"]]);
  incomplete.noteTag(repository, parseTag("1"), image.id);
  expect(incomplete.documents(repository).map(({ tags }) => [...tags])).toEqual([["stable"]]);
});

test("content that nothing leads to is known by itself", async () => {
  const { incomplete } = await openIncomplete();
  if (layer === undefined) throw new Error("the sample has layers");
  await incomplete.addLoose(repository, layer.descriptor);
  expect(incomplete.find(repository, layer.descriptor.digest)).toMatchObject({ document: undefined });
  expect(incomplete.find(other, layer.descriptor.digest)).toBeUndefined();
});

test("what is no manifest is refused, and nothing of it is kept", async () => {
  const { incomplete } = await openIncomplete();
  const nonsense = { descriptor, bytes: Buffer.from("{}") };
  await expect(incomplete.add(repository, nonsense, caller)).rejects.toMatchObject({ code: "MANIFEST_INVALID" });
  expect(incomplete.documents(repository)).toEqual([]);
});

test("closing lets go of everything, also of what is added after it", async () => {
  const { store, incomplete, collect } = await openIncomplete();
  await incomplete.add(repository, { descriptor, bytes }, caller);
  await incomplete.close();
  await collect();
  await expect(store.read(descriptor.digest, 10_000)).rejects.toMatchObject({ code: "IMAGE_NOT_FOUND" });
  await incomplete.addLoose(repository, descriptor);
  expect(incomplete.find(repository, descriptor.digest)).toBeUndefined();
});

test("content that is here under another size is refused, and holds nothing", async () => {
  const { store, incomplete, collect } = await openIncomplete();
  const lease = await store.lease();
  await lease.put(descriptor, bytes);
  await expect(incomplete.addLoose(repository, { ...descriptor, size: 1 })).rejects.toMatchObject({
    code: "SIZE_MISMATCH",
  });
  expect(incomplete.find(repository, descriptor.digest)).toBeUndefined();
  expect(await lease.has(descriptor)).toBe(true);
  await lease.release();
  await collect();
  await expect(store.read(descriptor.digest, 10_000)).rejects.toMatchObject({ code: "IMAGE_NOT_FOUND" });
});
