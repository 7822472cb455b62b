/**
 * A process that brings images in, gives them names and takes them away again, as fast as it can, until it is killed or
 * has done its rounds: `node churn.mjs ROOT SEED ROUNDS`. Several of them share names and layers. Prints a line when it
 * has the store open, and one at its end.
 */
import { isPulleyError } from "../../support/errors.ts";
import { openEmbeddedStore } from "../embedded/index.ts";
import type { ImageStore, Lease } from "../image-store.ts";
import { blobsOf, bring, recordOf, type SampleImage, sampleImage } from "./sample-image.ts";

const repository = "docker.io/library/churn";

/** The same numbers for the same seed (a linear congruential generator). */
function numbersFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Few images that share layers, so that what one process takes away another one has just found. */
function imageOf(number: number): SampleImage {
  const own = Buffer.alloc(20_000, `layer of image ${number} `);
  const shared = Buffer.alloc(20_000, `layer of every second image ${number % 2} `);
  return sampleImage(`churn ${number}`, { layers: [shared, own], docker: number === 3 });
}

async function churn(store: ImageStore, next: (below: number) => number): Promise<void> {
  const image = imageOf(next(4));
  const tag = `${repository}:${next(3)}`;
  switch (next(4)) {
    case 0:
    case 1:
      return pull(store, image, [tag, `${repository}@${image.manifest.descriptor.digest}`]);
    case 2:
      return store.tag(tag, `${repository}:${next(3)}`).catch(unlessGone);
    default:
      return store.remove(next(2) === 0 ? tag : image.id).then(() => undefined, unlessGone);
  }
}

/** Nothing that others do may make it fail, or take away what its lease has. */
async function pull(store: ImageStore, image: SampleImage, names: readonly string[]): Promise<void> {
  const lease = await store.lease();
  await bring(lease, image);
  await requireAll(lease, image);
  await lease.publish(names.map((name) => recordOf(image, name)));
  await requireAll(lease, image);
  await lease.release();
}

async function requireAll(lease: Lease, image: SampleImage): Promise<void> {
  for (const { descriptor } of blobsOf(image)) {
    if (!(await lease.has(descriptor))) throw new Error(`${descriptor.digest} is gone in spite of a lease`);
  }
}

/** Another process may have taken away what this one was about to name. */
function unlessGone(error: unknown): void {
  if (!isPulleyError(error, "IMAGE_NOT_FOUND", "CONTENT_MISSING")) throw error;
}

async function main([root = "", seed = "1", rounds = "1"]: readonly string[]): Promise<void> {
  const next = numbersFrom(Number(seed));
  const store = await openEmbeddedStore(root);
  process.stdout.write("open\n");
  for (let round = 0; round < Number(rounds); round += 1) {
    await churn(store, next);
  }
  await store.close();
  process.stdout.write("done\n");
}

await main(process.argv.slice(2));
