/** What registries say of the images that clusters use. */
import type { ComparedCopies, OutdatedImage } from "../../versions/index.ts";

export interface FleetUpstream {
  /** By the canonical text of the image; those whose name is none are not among them. */
  readonly images: ReadonlyMap<string, UpstreamImage>;
  /** In the order of their names. */
  readonly registries: readonly AskedRegistry[];
}

export interface UpstreamImage {
  readonly answer: OutdatedImage;
  /** `undefined` where the registry has not told. */
  readonly copies: ComparedCopies | undefined;
  /** What of it is gone, as a kubelet would notice: by the digest where the name has one, and else by the tag. */
  readonly gone: OutdatedImage["gone"];
}

/** A registry, and how many of its images could not be judged. */
export interface AskedRegistry {
  /** Its host, `ghcr.io`. */
  readonly name: string;
  readonly images: number;
  readonly unanswered: number;
  /** Why not, where there are some: the first reason of the worst kind. */
  readonly failure: { readonly code: string; readonly message: string } | null;
}

/** One for each registry that could not be asked about everything. */
export function registryNotes(registries: readonly AskedRegistry[]): readonly string[] {
  return registries.flatMap(({ name, images, unanswered, failure }) => {
    if (failure === null) return [];
    return [`${name}: ${checkedWords(images, unanswered)}: ${failure.message}`];
  });
}

function checkedWords(images: number, unanswered: number): string {
  if (images === 1) return "its image could not be checked";
  if (unanswered === images) return `none of its ${images} images could be checked`;
  return `${unanswered} of its ${images} images could not be checked`;
}
