/** From command line arguments to the images that they name. */
import { type AuditInput, auditInputs, type InputOptions, placeholderTest, type TextInput } from "../audit/index.ts";
import { readImageName } from "../image/index.ts";
import { isInputPath } from "../support/input-file.ts";
import { isImageList } from "../workload/index.ts";
import { ImageCollector } from "./image-collector.ts";
import { Kustomizations } from "./kustomization-images.ts";
import { imagesOfList } from "./listed-images.ts";
import { type ManifestOptions, manifestImages } from "./manifest-images.ts";
import type { UsedImages } from "./used-image.ts";

export interface UsedImagesOptions extends InputOptions {
  /** Patterns of images that are placeholders, in addition to the known ones. */
  readonly placeholders?: readonly string[] | undefined;
}

/**
 * The images that words name: files, folders, charts and kustomizations as {@link auditInputs} reads them, lists of
 * images (`*.txt`, and standard input that begins as one), and images by their names. What cannot be read is among the
 * problems. Never throws.
 */
export async function usedImages(words: readonly string[], options: UsedImagesOptions): Promise<UsedImages> {
  const reading: ReadingContext = {
    collector: new ImageCollector(),
    manifestOptions: {
      imageFields: options.imageFields ?? [],
      placeholderIn: placeholderTest(options.placeholders),
      kustomizations: new Kustomizations(),
    },
  };
  for (const word of words) {
    if (word !== "-" && !isInputPath(word)) reading.collector.add({ image: readImageName(word) });
    else for await (const input of auditInputs([word], options)) readInput(input, reading);
  }
  return reading.collector.result();
}

interface ReadingContext {
  readonly collector: ImageCollector;
  readonly manifestOptions: ManifestOptions;
}

function readInput(input: AuditInput, reading: ReadingContext): void {
  const { collector } = reading;
  switch (input.kind) {
    case "text":
      if (isList(input)) for (const use of imagesOfList(input.text, input.file)) collector.add(use);
      else readManifest(input, reading);
      break;
    case "unreadable":
      collector.problems.push({ source: { file: input.file, line: 1, column: 1 }, message: input.message });
      break;
    case "notSeen":
      collector.notSeen.push({ file: input.file, what: input.what, why: input.why });
      break;
  }
}

/** A folder gives no text files: one that comes was named. */
function isList({ file, text }: TextInput): boolean {
  return /\.txt$/i.test(file) || (file === "-" && isImageList(text));
}

function readManifest(input: TextInput, { collector, manifestOptions }: ReadingContext): void {
  const found = manifestImages(input, manifestOptions);
  for (const use of found.uses) collector.add(use);
  for (const unknown of found.unknown) collector.unknown.push(unknown);
  for (const problem of found.problems) collector.problems.push(problem);
  for (const note of found.notes) collector.notes.push(note);
  for (const manifest of found.manifests) collector.manifests.push(manifest);
}
