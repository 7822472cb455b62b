import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { digestHex } from "../../image/index.ts";
import { collectStream, expectFailure, nginx } from "../contract/expectations.ts";
import { pullSample, sampleImage } from "../testing/sample-image.ts";
import { openEmbeddedStore } from "./index.ts";

test("a part of content that was sound and has changed since is not given", async () => {
  const root = await mkdtemp(join(tmpdir(), "pulley-part-"));
  const store = await openEmbeddedStore(root);
  onTestFinished(async () => {
    await store.close();
    await rm(root, { recursive: true, force: true });
  });
  const sample = sampleImage("part", { layers: [Buffer.alloc(2_500_000, "0123456789abc")] });
  await pullSample(store, sample, [`${nginx}:1.27`]);
  const { descriptor } = sample.layers[0] ?? expect.unreachable();
  const part = { first: 0, last: 9 };
  const read = async () => collectStream(await store.openPart(descriptor, part));
  expect((await read()).toString()).toBe("0123456789");
  const file = join(root, "blobs/sha256", digestHex(descriptor.digest));
  const sound = await readFile(file);
  // While it is being read, too.
  const reading = await store.openPart(descriptor, { first: 0, last: 2_000_000 });
  const pieces = reading[Symbol.asyncIterator]();
  await pieces.next();
  const damaged = Buffer.from(sound);
  damaged.write("!", 2_400_000);
  await writeFile(file, damaged);
  await expectFailure(pieces.next(), "BLOB_DAMAGED");
  // Now all of it is read again, which finds the damage far from the part.
  await expectFailure(read(), "BLOB_DAMAGED");
  await expectFailure(read(), "IMAGE_NOT_FOUND");
});
