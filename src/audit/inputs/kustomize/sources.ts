/** The files of kustomizations, each read once. */
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
  type SourceText,
  sourceText,
  textAt,
} from "../../../workload/index.ts";

export interface KustomizeSource {
  readonly file: string;
  readonly text: SourceText;
  readonly objects: readonly SourceObject[];
}

export interface SourceObject {
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
