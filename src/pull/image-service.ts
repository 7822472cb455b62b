import type { Digest, Reference } from "../image/index.ts";
import type { ImageFacts } from "../policy/index.ts";
import type { StoredImage } from "../store/index.ts";
import type { Login } from "../support/login.ts";
import type { ContentMirror } from "./sources.ts";
import type { PullProgress } from "./types.ts";

/** Images as a kubelet sees them: the part of the Container Runtime Interface that pulling needs. */
export interface ImageService {
  /**
   * The image that a reference stands for on this machine.
   * @param image a text is what somebody typed, or a runtime calls it by: a reference, an id, or the beginning of one
   */
  status(image: Reference | string, signal?: AbortSignal): Promise<LocalImage | undefined>;
  /** What the copy on this machine says of itself; `undefined` if there is none, or one of which something is missing. */
  facts(image: Reference | string): Promise<ImageFacts | undefined>;
  /**
   * Asks the registry, or a mirror, with this login and brings the image in where it is not here already. A caller who
   * leaves as soon as it has heard the facts has caused neither a layer to be fetched nor a name to be given.
   * @throws PulleyError any of the registry and store codes
   */
  pull(image: Reference, login: Login | undefined, call?: PullCall): Promise<PulledImage>;
  /** Ends when a mirror has answered anything. @throws PulleyError as any request to a registry */
  ping(image: Reference, mirror: string, signal?: AbortSignal): Promise<void>;
  /** Bytes of the image on disk; 0 if it is not here. */
  size(id: Digest): Promise<number>;
}

export interface PullCall {
  /** Base address of a mirror to ask in the place of the registry in the image's name; the login is for it. */
  readonly mirror?: string | undefined;
  /** Mirrors to ask for content first, by its digest; what the name stands for is not asked of them. */
  readonly content?: readonly ContentMirror[] | undefined;
  /** Not to wait and try again after a failure, because there is another source to ask. */
  readonly noRetry?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: PullProgress) => void) | undefined;
}

export interface PulledImage {
  /** The image's id, the digest of its config. */
  readonly id: Digest;
  /** What the name stands for: the digest of an index or a manifest. */
  readonly digest: Digest;
  /** Bytes of the layers that were not here before. */
  readonly fetched: number;
  /** What is odd about the image and may be a mistake, in sentences. */
  readonly warnings?: readonly string[];
}

/** An image on this machine, and what is known about the name that it was asked for by. */
export interface LocalImage {
  readonly image: StoredImage;
  /** What the name resolved to when it was last confirmed. */
  readonly digest: Digest | undefined;
  /** When a registry last confirmed that, in milliseconds since the epoch. */
  readonly confirmedAt: number | undefined;
}
