/** From command line arguments to the images that they name. */
import { statSync } from "node:fs";
import {
  type AuditInput,
  auditInputs,
  type InputOptions,
  placeholderTest,
  type TextInput,
  type UnreadableInput,
  walk,
} from "../audit/index.ts";
import { readImageName } from "../image/index.ts";
import { isInputPath } from "../support/input-file.ts";
import { isImageList } from "../workload/index.ts";
import { ImageCollector } from "./image-collector.ts";
import { Kustomizations } from "./kustomization-images.ts";
import { imagesOfList } from "./listed-images.ts";
import { type ManifestOptions, manifestImages } from "./manifest-images.ts";
import type { UsedImages } from "./used-image.ts";
import {
  isValuesFile,
  type ValuesImages,
  type ValuesOptions,
  valuesIn,
  valuesInObjects,
  valuesOfChart,
} from "./values-files.ts";

export interface UsedImagesOptions extends InputOptions {
  /** Patterns of images that are placeholders, in addition to the known ones. */
  readonly placeholders?: readonly string[] | undefined;
  /** What runs in clusters. */
  readonly live?: AsyncIterable<LiveObjects> | undefined;
}

/** Some of the objects of a cluster. */
export interface LiveObjects {
  /** The name of its context. */
  readonly cluster: string;
  /** Workloads, Secrets and service accounts, as they would be applied. */
  readonly objects: readonly object[];
}

/**
 * The images that words name: files, folders, charts and kustomizations as {@link auditInputs} reads them, the values of
 * charts, lists of images (`*.txt`, and standard input that begins as one), and images by their names. What cannot be
 * read is among the problems. Throws only what `live` throws.
 */
export async function usedImages(words: readonly string[], options: UsedImagesOptions): Promise<UsedImages> {
  const collector = new ImageCollector();
  const { imageFields = [], placeholders, live = [] } = options;
  const reading = new Reading(collector, {
    imageFields,
    placeholderIn: placeholderTest(placeholders),
    kustomizations: new Kustomizations(imageFields),
  });
  for (const word of words) {
    if (word !== "-" && !isInputPath(word)) {
      collector.add({ image: readImageName(word) });
      continue;
    }
    for await (const input of auditInputs([word], options)) reading.read(input);
    if (options.render !== false) for (const chart of chartsBelow(word)) reading.readChart(chart);
  }
  for await (const objects of live) reading.readLive(objects);
  return collector.result();
}

/** The folders with a chart. */
function chartsBelow(word: string): readonly string[] {
  if (word === "-" || !isFolder(word)) return [];
  return [...walk(word, { findCharts: true })].flatMap((found) => (found.kind === "chart" ? found.path : []));
}

/** What cannot be looked at is among the problems already. */
function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** One reading of all words. */
class Reading {
  readonly #collector: ImageCollector;
  readonly #options: ManifestOptions;
  /** Folders of charts that helm has rendered. */
  readonly #rendered = new Set<string>();
  /** They have no names of files: each page gets one, so that each has places of its own. */
  #livePages = 0;

  constructor(collector: ImageCollector, options: ManifestOptions) {
    this.#collector = collector;
    this.#options = options;
  }

  read(input: AuditInput): void {
    switch (input.kind) {
      case "text":
        if (input.file === "-") this.#collector.standardInput = input.text;
        if (isList(input)) for (const use of imagesOfList(input.text, input.file)) this.#collector.add(use);
        else this.#readText(input);
        break;
      case "unreadable":
        this.#readFailure(input);
        break;
      case "notSeen":
        this.#collector.notSeen.push({ file: input.file, what: input.what, why: input.why });
        break;
    }
  }

  readLive({ cluster, objects }: LiveObjects): void {
    if (objects.length === 0) return;
    this.#livePages += 1;
    const text = JSON.stringify({ apiVersion: "v1", kind: "List", items: objects });
    const file = `${cluster} ${this.#livePages}`;
    const input: TextInput = { kind: "text", file, text, expectManifests: true, mayBePatch: false };
    const found = manifestImages(input, this.#options);
    for (const { place: _, workload, ...use } of found.uses) {
      this.#collector.add({ ...use, ...(workload !== undefined && { workload: { ...workload, cluster } }) });
    }
    for (const manifest of found.manifests) this.#collector.manifests.push({ ...manifest, cluster });
  }

  readChart(folder: string): void {
    for (const found of valuesOfChart(folder, this.#valuesOptions(this.#rendered.has(folder)))) this.#take(found);
  }

  /** Without helm, the values of a chart still say most of its images. */
  #readFailure({ file, message, isProgramMissing }: UnreadableInput): void {
    if (isProgramMissing) this.#collector.notSeen.push({ file, what: "chart", why: message });
    else this.#collector.problems.push({ source: { file, line: 1, column: 1 }, message });
  }

  #readText(input: TextInput): void {
    if (input.isOutside) this.#collector.outside.add(input.file);
    if (input.original !== undefined && input.scope !== undefined) this.#rendered.add(input.scope);
    const found = manifestImages(input, this.#options);
    const values =
      mayBeValues(input) && found.uses.length === 0
        ? valuesIn(input.text, input.file, this.#valuesOptions(false))
        : undefined;
    const hasValues = values !== undefined && values.uses.length + values.unknown.length > 0;
    this.#take({ ...found, notes: hasValues ? [] : found.notes });
    if (hasValues) this.#take({ ...values, problems: [] });
    // A folder may have broken files that are no manifests, but a file of this name is meant as values.
    else if (values !== undefined && isValuesFile(input.file) && found.problems.length === 0)
      this.#take({ uses: [], unknown: [], problems: values.problems });
    if (input.original === undefined) this.#take(valuesInObjects(input.text, input.file, this.#valuesOptions(false)));
    for (const manifest of found.manifests) this.#collector.manifests.push(manifest);
  }

  #valuesOptions(isRendered: boolean): ValuesOptions {
    return { isRendered, placeholderIn: this.#options.placeholderIn };
  }

  #take({ uses, unknown, problems, notes = [] }: ValuesImages & Partial<Pick<UsedImages, "notes">>): void {
    for (const use of uses) this.#collector.add(use);
    for (const each of unknown) this.#collector.unknown.push(each);
    for (const problem of problems) this.#collector.problems.push(problem);
    for (const note of notes) this.#collector.notes.push(note);
  }
}

/** A folder gives no text files: one that comes was named. */
function isList({ file, text }: TextInput): boolean {
  return /\.txt$/i.test(file) || (file === "-" && isImageList(text));
}

/** A file that the user named, or one that is called so. */
function mayBeValues({ file, expectManifests, original }: TextInput): boolean {
  return original === undefined && (expectManifests || isValuesFile(file));
}
