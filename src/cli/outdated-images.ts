/** Which images `pulley outdated` judges: those of its inputs and of this machine, and of them the one that is asked about. */
import { canonicalText, type Digest, readImageName } from "../image/index.ts";
import { PulleyError } from "../support/errors.ts";
import type { AskedImage, UsedImage } from "../versions/index.ts";
import type { Io } from "./io.ts";
import { type ImagesPlace, withImages } from "./store.ts";

/** The images of the store or of the runtime: each name, with the digest of its copy. */
export async function storedImages({ root, runtime }: ImagesPlace, io: Io): Promise<readonly AskedImage[]> {
  const images = await withImages({ root, runtime }, io, async (open) => {
    const names = (await open.images()).flatMap(({ repoTags }) => repoTags);
    return Promise.all(names.map((name) => open.record(name)));
  });
  return images.flatMap((record) => {
    if (record === undefined) return [];
    const used: UsedImage = {
      image: readImageName(record.name),
      workloads: [],
      places: [],
      platforms: [record.platform],
    };
    return [{ used, runs: record.target.digest }];
  });
}

/** An image of a file that is here, too, is one. */
export function withStored(images: readonly UsedImage[], stored: readonly AskedImage[]): readonly AskedImage[] {
  const byName = new Map(stored.map((each) => [keyOf(each.used), each]));
  const written = images.map((used): AskedImage => {
    const copy = byName.get(keyOf(used));
    byName.delete(keyOf(used));
    return { used, runs: copy?.runs };
  });
  return [...written, ...byName.values()];
}

function keyOf({ image }: UsedImage): string {
  return image.kind === "invalid" ? image.given : canonicalText(image);
}

/** What clusters run of an image stands before what this machine has of it. */
export function withRunning(
  images: readonly AskedImage[],
  running: ReadonlyMap<string, Digest>,
): readonly AskedImage[] {
  return images.map((asked) => ({ ...asked, runs: running.get(keyOf(asked.used)) ?? asked.runs }));
}

/** @throws PulleyError `USAGE` if the image that is to be explained is not among them */
export function imagesNamed(images: readonly AskedImage[], explain: string): readonly AskedImage[] {
  const wanted = readImageName(explain);
  const found = images.filter(({ used: { image } }) => {
    if (image.kind === "invalid" || wanted.kind === "invalid") return image.given === explain;
    return (
      canonicalText(image) === canonicalText(wanted) ||
      (!/[:@]/.test(lastPart(explain)) && image.repository.name === wanted.repository.name)
    );
  });
  if (found.length > 0) return found;
  throw new PulleyError("USAGE", `${explain} is not among the images`, {
    advice: "Name it as it is written, or alone.",
  });
}

function lastPart(text: string): string {
  return text.slice(text.lastIndexOf("/") + 1);
}
