/** The content of the store at one moment, indexed by name, id and digest. */
import {
  canonicalText,
  type Digest,
  digestHex,
  isDigest,
  parseReference,
  type Reference,
  withImpliedTag,
} from "../image/index.ts";
import { isPulleyError, PulleyError } from "../support/errors.ts";
import { quote } from "../support/go.ts";
import type { StoredImage } from "./image-store.ts";
import { isNameless, type StoredRecord } from "./stored-record.ts";

interface ImageRecords {
  readonly image: StoredImage;
  /** All of the image's records, in the order of their names. */
  readonly all: readonly StoredRecord[];
}

export interface NamedRecords extends ImageRecords {
  /** Those that the text named; all of them where it was an id. */
  readonly named: readonly StoredRecord[];
  /** The name that was asked for, where it was a tag. */
  readonly tag: Reference | undefined;
}

/** Immutable: after a change to the store there is a new one. */
export class Catalog {
  readonly records: ReadonlyMap<string, StoredRecord>;
  /** In the order of their ids. */
  readonly images: readonly StoredImage[];
  readonly #byImage = new Map<Digest, ImageRecords>();
  #sizes: ReadonlyMap<Digest, number> | undefined;

  constructor(records: Iterable<StoredRecord>) {
    const sorted = [...records].sort((one, other) => compare(one.name, other.name));
    this.records = new Map(sorted.map((record) => [record.name, record]));
    for (const [id, own] of groupByImage(sorted)) this.#byImage.set(id, { image: describeImage(id, own), all: own });
    this.images = [...this.#byImage.values()]
      .map(({ image }) => image)
      .sort((one, other) => compare(digestHex(one.id), digestHex(other.id)) || compare(one.id, other.id));
  }

  image(id: Digest): StoredImage | undefined {
    return this.#byImage.get(id)?.image;
  }

  /** Bytes of content that an image consists of, as its record has them. */
  sizeOf(digest: Digest): number | undefined {
    const contents = () => [...this.records.values()].flatMap((record) => record.contents);
    this.#sizes ??= new Map(contents().map((content) => [content.digest, content.size]));
    return this.#sizes.get(digest);
  }

  /** All records of an image, in the order of their names. */
  of(id: Digest): readonly StoredRecord[] {
    return this.#byImage.get(id)?.all ?? [];
  }

  /**
   * As docker: a whole id, then a name, then the beginning of an id (moby `daemon/images/image.go`).
   * @throws PulleyError `REFERENCE_INVALID`
   */
  find(wanted: Reference | string): NamedRecords | undefined {
    if (typeof wanted !== "string" && !isDigest(wanted.given)) return this.#findReference(wanted);
    const text = typeof wanted === "string" ? wanted : wanted.given;
    const id = isDigest(text) ? text : `sha256:${text}`;
    const whole = isDigest(id) ? this.#byImage.get(id) : undefined;
    if (whole !== undefined) return { ...whole, named: whole.all, tag: undefined };
    const named = this.#findName(text);
    if (named !== undefined) return named;
    const start = this.#findStart(text);
    return start && { ...start, named: start.all, tag: undefined };
  }

  /** As {@link Catalog.find}. @throws PulleyError `IMAGE_NOT_FOUND` too */
  require(text: string): NamedRecords {
    const found = this.find(text);
    if (found === undefined) throw new PulleyError("IMAGE_NOT_FOUND", `there is no image ${quote(text)} in the store`);
    return found;
  }

  /** A digest alone decides, as in containerd, even where there is a tag beside it. */
  #findName(text: string): NamedRecords | undefined {
    const reference = readReference(text);
    return reference && this.#findReference(reference);
  }

  #findReference(reference: Reference): NamedRecords | undefined {
    const { repository, digest } = reference;
    const own =
      digest === undefined
        ? this.records.get(canonicalText(reference))
        : (this.records.get(`${repository.name}@${digest}`) ?? this.#findDigest(repository.name, digest));
    const entry = own && this.#byImage.get(own.image);
    if (own === undefined || entry === undefined) return undefined;
    if (digest === undefined) return { ...entry, named: [own], tag: reference };
    const named = own.name.includes("@")
      ? [own]
      : entry.all.filter((record) => stands(record, repository.name, digest));
    return { ...entry, named, tag: undefined };
  }

  /** By the digest under another name of the repository: the tag's, or that of the index with the manifest. */
  #findDigest(repository: string, digest: Digest): StoredRecord | undefined {
    for (const record of this.records.values()) if (stands(record, repository, digest)) return record;
    return undefined;
  }

  #findStart(text: string): ImageRecords | undefined {
    const hex = /^(?:sha256:)?([0-9a-f]{1,64})$/.exec(text)?.[1];
    if (hex === undefined) return undefined;
    const first = this.#firstFrom(hex);
    const [one, other] = this.images.slice(first, first + 2).filter(({ id }) => digestHex(id).startsWith(hex));
    if (one !== undefined && other !== undefined) {
      throw new PulleyError("REFERENCE_INVALID", `${quote(text)} is the beginning of several images' ids`, {
        advice: "Give more characters of the id.",
      });
    }
    return one && this.#byImage.get(one.id);
  }

  /** Where the first id from `hex` on stands in the order. */
  #firstFrom(hex: string): number {
    let [low, high] = [0, this.images.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const id = this.images[middle]?.id;
      if (id !== undefined && digestHex(id) < hex) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** A text that is no reference may still be an id; one that can be neither is an error. */
function readReference(text: string): Reference | undefined {
  try {
    return withImpliedTag(parseReference(text));
  } catch (error) {
    if (isPulleyError(error) && /^(?:sha256:)?[0-9a-f]{1,64}$/.test(text)) return undefined;
    throw error;
  }
}

function stands({ name, target, manifest }: StoredRecord, repository: string, digest: Digest): boolean {
  if (target.digest !== digest && manifest.digest !== digest) return false;
  return name.startsWith(repository) && /^[:@]/.test(name.slice(repository.length));
}

function groupByImage(records: readonly StoredRecord[]): Map<Digest, StoredRecord[]> {
  const groups = new Map<Digest, StoredRecord[]>();
  for (const record of records) {
    const group = groups.get(record.image);
    if (group === undefined) groups.set(record.image, [record]);
    else group.push(record);
  }
  return groups;
}

/** Several manifests may lead to one config: the image is then described by the first record's. */
export function describeImage(id: Digest, records: readonly StoredRecord[]): StoredImage {
  const [first] = records;
  if (first === undefined) throw new PulleyError("INTERNAL", `the image ${id} has no record`);
  const names = records.filter((record) => !isNameless(record)).map(({ name }) => name);
  return {
    id,
    repoTags: names.filter((name) => !name.includes("@")).sort(),
    repoDigests: names.filter((name) => name.includes("@")).sort(),
    size: first.contents.reduce((sum, { size }) => sum + size, 0),
    platform: first.platform,
    manifest: first.manifest,
    createdAt: first.createdAt,
    ...(records.some(({ pinned }) => pinned) && { pinned: true }),
  };
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}
