/**
 * What the store holds of a repository. Content is looked up by repository and never by its digest alone: the same bytes
 * under another name may be another's secret (KEP-2535).
 */
import {
  type Descriptor,
  type Digest,
  type Index,
  type Manifest,
  manifestLimit,
  parseManifest,
  type Repository,
} from "../image/index.ts";
import type { ImageRecord, ImageStore } from "../store/index.ts";
import { isPulleyError } from "../support/errors.ts";

/** Content, and a name through which the repository has it. */
export interface ContentOfName {
  readonly descriptor: Descriptor;
  readonly record: ImageRecord;
}

export interface RepositoryContents {
  /** Every name of the repository. */
  records(repository: Repository): Promise<readonly ImageRecord[]>;
  /** An index or a manifest. */
  documents(repository: Repository, digest: Digest): Promise<readonly ContentOfName[]>;
  /** A config or a layer; once for each name that needs it. */
  blobs(repository: Repository, digest: Digest): Promise<readonly ContentOfName[]>;
  /** Everything that its names need. */
  contents(repository: Repository): Promise<ReadonlySet<Digest>>;
}

/** Manifests whose contents are remembered. */
const mostRemembered = 2_000;

export function createRepositoryContents(store: ImageStore): RepositoryContents {
  const contents = new Map<Digest, readonly Descriptor[]>();

  async function records({ name }: Repository): Promise<readonly ImageRecord[]> {
    const images = await store.images();
    const names = images.flatMap(({ repoTags, repoDigests }) => [...repoTags, ...repoDigests]);
    const own = names.filter((full) => full.startsWith(`${name}:`) || full.startsWith(`${name}@`));
    return (await Promise.all(own.map((full) => store.record(full)))).filter((record) => record !== undefined);
  }

  async function listed({ digest, mediaType }: Descriptor): Promise<readonly Descriptor[]> {
    const known = contents.get(digest);
    if (known !== undefined) return known;
    try {
      const read = contentsOf(parseManifest(await store.read(digest, manifestLimit), mediaType));
      const [oldest] = contents.keys();
      if (contents.size >= mostRemembered && oldest !== undefined) contents.delete(oldest);
      contents.set(digest, read);
      return read;
    } catch (error) {
      // Gone, or damaged and set aside: then nothing is known to belong to it.
      if (isPulleyError(error, "IMAGE_NOT_FOUND", "BLOB_DAMAGED", "MANIFEST_INVALID")) return [];
      throw error;
    }
  }

  return {
    records,
    documents: async (repository, digest) =>
      (await records(repository)).flatMap((record) => {
        const descriptor = [record.target, record.manifest].find((document) => document.digest === digest);
        return descriptor === undefined ? [] : { descriptor, record };
      }),
    blobs: async (repository, digest) => {
      const found: ContentOfName[] = [];
      for (const record of await records(repository)) {
        const descriptor = (await listed(record.manifest)).find((content) => content.digest === digest);
        if (descriptor !== undefined) found.push({ descriptor, record });
      }
      return found;
    },
    contents: async (repository) => {
      const found = new Set<Digest>();
      for (const { target, manifest } of await records(repository)) {
        for (const { digest } of [target, manifest, ...(await listed(manifest))]) found.add(digest);
      }
      return found;
    },
  };
}

/** What a document says that it consists of, apart from itself: nothing, for an index lists documents. */
export function contentsOf(document: Manifest | Index | undefined): readonly Descriptor[] {
  return document?.kind === "manifest" ? [document.config, ...document.layers] : [];
}
