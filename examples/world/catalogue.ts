/** What the example registry has: content and tags by repository. */
import type { Descriptor, Digest } from "../../src/image/index.ts";
import type { BuiltContent, BuiltImage } from "./image-builder.ts";

export interface Catalogue {
  add(name: string, image: BuiltImage): void;
  moveTag(name: string, target: Descriptor): void;
  /** Whether there is such a repository. */
  has(repository: string): boolean;
  /** A manifest by its tag or digest, a blob by its digest. */
  find(repository: string, kind: BuiltContent["kind"], version: string): BuiltContent | undefined;
  /** Sorted, as the specification asks. */
  tags(repository: string): readonly string[];
}

interface Shelf {
  readonly content: Map<string, BuiltContent>;
  readonly tags: Map<string, Digest>;
}

export function catalogue(): Catalogue {
  const shelves = new Map<string, Shelf>();
  return {
    add(name, image) {
      const { repository, tag } = splitName(name);
      const shelf = shelves.get(repository) ?? { content: new Map(), tags: new Map() };
      for (const content of image.content.values()) shelf.content.set(content.descriptor.digest, content);
      if (tag !== undefined) shelf.tags.set(tag, image.target.digest);
      shelves.set(repository, shelf);
    },
    moveTag(name, target) {
      const { repository, tag } = splitName(name);
      const shelf = shelves.get(repository);
      if (tag === undefined || !shelf?.content.has(target.digest)) {
        throw new Error(`${name} cannot point to ${target.digest}, which is not in its repository`);
      }
      shelf.tags.set(tag, target.digest);
    },
    has: (repository) => shelves.has(repository),
    find(repository, kind, version) {
      const shelf = shelves.get(repository);
      const found = shelf?.content.get(version.includes(":") ? version : (shelf.tags.get(version) ?? ""));
      return found?.kind === kind ? found : undefined;
    },
    tags: (repository) => [...(shelves.get(repository)?.tags.keys() ?? [])].sort(),
  };
}

function splitName(name: string): { repository: string; tag: string | undefined } {
  const [repository = "", tag] = name.split(":");
  return { repository, tag };
}
