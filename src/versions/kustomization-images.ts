/** The `images` of kustomizations: what each entry makes of an image, and where its tag and digest are written. */
import {
  containerKey,
  type ImageChange,
  imageChanges,
  isKustomization,
  isKustomizationFile,
  type PlaceholderTest,
  type ReadText,
  type ReplacedImages,
  readText,
  scalarSpan,
} from "../audit/index.ts";
import { type ImageName, type Reference, readImageName } from "../image/index.ts";
import { longestConfigFile, longestInput, readInputBytes } from "../support/input-file.ts";
import { decodeText } from "../support/text-bytes.ts";
import {
  type ImageFields,
  type Problem,
  readValues,
  type ScalarValue,
  type SourceText,
  textAt,
} from "../workload/index.ts";
import type { ImageUse } from "./image-collector.ts";
import type { TagPlace, UnknownImage, UsedImages } from "./used-image.ts";

/** One entry, with the text that it is in. */
export interface KustomizationEntry {
  readonly text: SourceText;
  readonly change: ImageChange;
}

/** The entries of a text; empty where it is no kustomization. */
export function kustomizationEntries(content: string, file: string): readonly KustomizationEntry[] {
  // Most texts are none, and reading a text takes its time.
  if (!isKustomizationFile(file) && !content.includes("kustomize.config.k8s.io/")) return [];
  const { text, values } = readValues(content, file);
  return values.flatMap((value) => {
    const isNamed = isKustomizationFile(file) || textAt(value, "apiVersion") !== undefined;
    return isNamed && isKustomization(value) ? imageChanges(value).map((change) => ({ text, change })) : [];
  });
}

/** The kustomizations that replace images of other files, each read once. */
export class Kustomizations {
  readonly #known = new Map<string, readonly KustomizationEntry[]>();
  readonly #manifests = new Map<string, ReadText | undefined>();
  readonly #imageFields: readonly ImageFields[];

  /** @param imageFields of custom resources, beside those that are known */
  constructor(imageFields: readonly ImageFields[]) {
    this.#imageFields = imageFields;
  }

  /** The entry that replaces an image; of several, the last, as in kustomize. */
  entryFor(reference: Reference | undefined, replaced: ReplacedImages = {}): KustomizationEntry | undefined {
    if (reference === undefined) return undefined;
    const name = writtenName(reference);
    const file = Object.hasOwn(replaced, name) ? replaced[name] : undefined;
    return file === undefined ? undefined : this.#entries(file).findLast(({ change }) => change.name === name);
  }

  /** The place of the tag that an entry keeps: the manifest's own, if it can still be found there. */
  keptPlace({ file, own }: { readonly file: string; readonly own: string }, tag: string): TagPlace | undefined {
    if (!this.#manifests.has(file)) this.#manifests.set(file, manifestIn(file, this.#imageFields));
    const read = this.#manifests.get(file);
    const subject = read?.subjects.find(({ fields }) => fields.image && containerKey(fields.image) === own);
    const field = subject?.fields.image;
    if (read === undefined || subject?.image === undefined || field === undefined) return undefined;
    if (subject.reference?.tag !== tag) return undefined;
    const source = read.text.position(subject.image.start);
    return { source, format: "manifest", change: { kind: "image", text: read.text, field } };
  }

  #entries(file: string): readonly KustomizationEntry[] {
    const entries = this.#known.get(file) ?? entriesOf(file);
    this.#known.set(file, entries);
    return entries;
  }
}

function manifestIn(file: string, imageFields: readonly ImageFields[]): ReadText | undefined {
  try {
    const text = decodeText(readInputBytes(file, { limit: longestInput }));
    return readText(text, file, { expectManifests: false, mayBePatch: true, imageFields });
  } catch {
    return undefined;
  }
}

/** What cannot be read is reported with the file itself. */
function entriesOf(file: string): readonly KustomizationEntry[] {
  if (!isKustomizationFile(file)) return [];
  try {
    return kustomizationEntries(decodeText(readInputBytes(file, { limit: longestConfigFile })), file);
  } catch {
    return [];
  }
}

/**
 * The image that an entry makes, as kustomize does (`api/internal/image/image.go`): a new tag or digest takes the place
 * of both. Without `given`, what the entry itself says; `undefined` where that is not all.
 */
export function replacedImage({ change, text }: KustomizationEntry, given?: Reference): string | undefined {
  const { name, newName, newTag, digest, tagSuffix } = change;
  const suffix = shownText(tagSuffix, text) ?? "";
  const own = { tag: shownText(newTag, text), digest: shownText(digest, text) };
  const isWhole = own.tag !== undefined || own.digest !== undefined;
  if (!isWhole && given === undefined) return undefined;
  const version = isWhole ? own : { tag: given?.tag, digest: given?.digest };
  const tag = version.tag === undefined ? "" : `:${version.tag}${suffix}`;
  return `${shownText(newName, text) ?? name}${tag}${version.digest === undefined ? "" : `@${version.digest}`}`;
}

/** The place of an entry's tag and digest. */
export function entryPlace({ change, text }: KustomizationEntry): TagPlace {
  const { newTag, digest, newName, tagSuffix, value, path } = change;
  const source = text.position((newTag ?? digest ?? newName ?? value).start);
  const place = (own: TagPlace["change"]): TagPlace => ({ source, format: "kustomization", change: own });
  if (tagSuffix !== undefined) return place({ kind: "none", because: "tagSuffix adds to its tag" });
  if (newTag === undefined && digest === undefined) {
    return place({ kind: "none", because: "newName sets no tag" });
  }
  const tagKey = newTag && "newTag";
  return place({ kind: "parts", text, holder: value, path, tagKey, digestKey: digest && "digest" });
}

/** The entry whose scalar begins at an offset and makes this image: where the audit found a built image to be set. */
export function entryAt(
  entries: readonly KustomizationEntry[],
  start: number | undefined,
  image: string,
): KustomizationEntry | undefined {
  const here = entries.filter(({ change }) =>
    [change.newTag, change.digest, change.newName].some((scalar) => scalar?.start === start),
  );
  return here.find((entry) => replacedImage(entry) === image) ?? (here.length === 1 ? here[0] : undefined);
}

/** The images that the entries of a kustomization name by themselves; a placeholder is not known. */
export function imagesOfEntries(
  entries: readonly KustomizationEntry[],
  placeholderIn: PlaceholderTest,
): Pick<UsedImages, "unknown"> & { readonly uses: readonly ImageUse[] } {
  const uses: ImageUse[] = [];
  const unknown: UnknownImage[] = [];
  for (const entry of entries) {
    const image = replacedImage(entry);
    if (image === undefined) continue;
    const place = entryPlace(entry);
    const because = placeholderIn(image);
    if (because === undefined) uses.push({ image: readImageName(image), place });
    else unknown.push({ given: image, source: place.source, because });
  }
  return { uses, unknown };
}

/** Tags that kustomize refuses: it reads a number as a number, and wants a string. */
export function refusedTags(entries: readonly KustomizationEntry[]): readonly Problem[] {
  return entries.flatMap(({ change: { newTag }, text }) =>
    newTag === undefined || typeof newTag.value === "string"
      ? []
      : {
          source: text.position(newTag.start),
          message: `newTag: ${shownText(newTag, text) ?? ""} is no string, so kustomize refuses it: write it in quotes`,
        },
  );
}

/** Whether an entry sets a tag or a digest, and not only a name. */
export function setsVersion({ change: { newTag, digest } }: KustomizationEntry): boolean {
  return newTag !== undefined || digest !== undefined;
}

/** What an entry makes of an image that is read without kustomize. */
export function effectiveImage(entry: KustomizationEntry, given: Reference): ImageName {
  return readImageName(replacedImage(entry, given) ?? given.given);
}

/** As it is written: `1.10` is not the number 1.1. */
function shownText(scalar: ScalarValue | undefined, { text }: SourceText): string | undefined {
  if (scalar === undefined || scalar.value === "") return undefined;
  if (typeof scalar.value === "string") return scalar.value;
  const { start, end } = scalarSpan(text, scalar);
  return text.slice(start, end);
}

/** The name as it is written, without tag and digest: kustomize compares it letter by letter. */
function writtenName({ given, tag, digest }: Reference): string {
  const name = digest === undefined ? given : given.slice(0, -digest.length - 1);
  return tag !== undefined && name.endsWith(`:${tag}`) ? name.slice(0, -tag.length - 1) : name;
}
