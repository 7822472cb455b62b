/** Where the image of a built container is written: in its object's file, or in what changes that object. */

import { longestInput, readInputBytes } from "../../../support/input-file.ts";
import { decodeTextLoosely } from "../../../support/text-bytes.ts";
import {
  groupOf,
  type ImageFields,
  type ImagePlace,
  imagePlaces,
  type ManifestDocument,
  podTemplates,
  readManifests,
  type ScalarValue,
  type SourceText,
  sourceText,
  textAt,
  valueAt,
} from "../../../workload/index.ts";
import { containerKey } from "../../input.ts";
import { firstKeySpan, type Span, scalarSpan } from "../../spans.ts";
import type { ImageChange, Kustomization } from "./kustomization.ts";

export interface ImageLocation {
  readonly file: string;
  readonly at: Span;
  /** The container of that file that it is: see {@link containerKey}. */
  readonly own: string | undefined;
  /** The container of the object's file whose image is set elsewhere. */
  readonly replaced: { readonly file: string; readonly own: string } | undefined;
}

/** The container of an object's file that a built container comes from. */
export function containerIn(source: KustomizeSource, object: SourceObject, built: ImagePlace): ImagePlace | undefined {
  const alike = source.objects.filter(({ kind, name }) => kind === object.kind && object.name.includes(name));
  const longest = alike.toSorted((one, other) => other.name.length - one.name.length)[0];
  const places = longest?.places ?? [];
  return (
    places.find(({ kind, name, path }) => kind === built.kind && name === built.name && path === built.path) ??
    places.find(({ kind, name }) => kind === built.kind && name === built.name)
  );
}

/**
 * The place of a container: in its object's file if the image is the same there, else where a kustomization of the chain
 * sets it; if that cannot be found, in the object's file again, or else at the beginning of the topmost kustomization.
 */
export function placeOf(
  built: ImagePlace,
  written: { readonly source: KustomizeSource; readonly place: ImagePlace | undefined } | undefined,
  chain: readonly Kustomization[],
  sources: KustomizeSources,
): ImageLocation {
  const image = textAt(built.value, built.imageKey);
  const source = written?.source;
  const own = written?.place;
  const here = source &&
    own && { file: source.file, at: spanOf(own, source), own: containerKey(own), replaced: undefined };
  if (here && own && (image === undefined || textAt(own.value, own.imageKey) === image)) return here;
  const set = image === undefined ? undefined : setting(image, built.name, chain, sources);
  if (set !== undefined) return { ...set, replaced: here && { file: here.file, own: here.own } };
  if (here) return here;
  const found = source && image !== undefined ? textIn(source.text.text, image) : undefined;
  const file = found && source ? source.file : (chain[0]?.file ?? "");
  return { file, at: found ?? { start: 0, end: 0 }, own: undefined, replaced: undefined };
}

type ImageSetting = Omit<ImageLocation, "replaced">;

/** What sets the image, from the topmost kustomization down: the last to be applied counts. */
function setting(
  image: string,
  container: string,
  chain: readonly Kustomization[],
  sources: KustomizeSources,
): ImageSetting | undefined {
  for (const { file, text, images, changes } of chain) {
    const entry = images.map((each) => entryFor(image, each)).find((each) => each !== undefined);
    if (entry !== undefined) return { file, at: scalarSpan(text.text, entry), own: undefined };
    for (const change of [...changes, file]) {
      const found = inSource(sources.at(change), image, container);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** The scalar of an `images` entry that sets the image. */
function entryFor(image: string, { name, newName, newTag, digest }: ImageChange): ScalarValue | undefined {
  const base = newName === undefined ? name : String(newName.value);
  if (base === "" || !image.startsWith(base)) return undefined;
  const rest = image.slice(base.length);
  if (newTag !== undefined && rest.startsWith(`:${newTag.value}`)) return newTag;
  if (digest !== undefined && rest.endsWith(`@${digest.value}`)) return digest;
  return newTag === undefined && digest === undefined && /^(?:[:@]|$)/.test(rest) ? newName : undefined;
}

function inSource(source: KustomizeSource | undefined, image: string, container: string): ImageSetting | undefined {
  if (source === undefined) return undefined;
  const { file, text, objects } = source;
  const places = objects.flatMap((object) => object.places).filter((own) => textAt(own.value, own.imageKey) === image);
  const place = places.find(({ name }) => name === container) ?? places[0];
  if (place !== undefined) return { file, at: spanOf(place, source), own: containerKey(place) };
  const at = textIn(text.text, image);
  return at && { file, at, own: undefined };
}

function spanOf({ value, imageKey }: ImagePlace, { text }: KustomizeSource): Span {
  const image = valueAt(value, imageKey);
  return image?.kind === "scalar" ? scalarSpan(text.text, image) : firstKeySpan(text.text, value);
}

/** The place of an image in a text, as a whole word. */
function textIn(text: string, image: string): Span | undefined {
  for (let start = text.indexOf(image); start >= 0; start = text.indexOf(image, start + 1)) {
    const end = start + image.length;
    if (!/[\w.:/@-]/.test(text[start - 1] ?? " ") && !/[\w.:/@-]/.test(text[end] ?? " ")) return { start, end };
  }
  return undefined;
}

// The files of kustomizations, each read once.

interface KustomizeSource {
  readonly file: string;
  readonly text: SourceText;
  readonly objects: readonly SourceObject[];
}

interface SourceObject {
  readonly kind: string;
  readonly name: string;
  readonly places: readonly ImagePlace[];
}

export class KustomizeSources {
  readonly #known = new Map<string, KustomizeSource | undefined>();
  readonly #imageFields: readonly ImageFields[] | undefined;

  /** @param imageFields of custom resources, beside those that are known */
  constructor(imageFields?: readonly ImageFields[]) {
    this.#imageFields = imageFields;
  }

  /** A file; `undefined` where it cannot be read. */
  at(file: string): KustomizeSource | undefined {
    if (!this.#known.has(file)) this.#known.set(file, this.#read(file));
    return this.#known.get(file);
  }

  objectOf(document: ManifestDocument): SourceObject {
    const group = groupOf(document.apiVersion);
    return {
      kind: document.kind,
      name: textAt(document.root, "metadata", "name") ?? "",
      places: podTemplates(document, this.#imageFields).flatMap((template) => imagePlaces(template, group)),
    };
  }

  #read(file: string): KustomizeSource | undefined {
    try {
      const text = decodeTextLoosely(readInputBytes(file, { limit: longestInput }));
      const { documents } = readManifests(text, file);
      const objects = documents.map((document) => this.objectOf(document));
      return { file, text: documents[0]?.text ?? sourceText(text, file), objects };
    } catch {
      return undefined;
    }
  }
}
