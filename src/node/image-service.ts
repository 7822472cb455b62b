import type { Digest } from "../image/digest.ts";
import type { StoredImage } from "../store/index.ts";
import type { Login } from "../support/login.ts";
import type { PullProgress } from "./types.ts";

/** Images as a kubelet sees them: the part of the Container Runtime Interface that pulling needs. */
export interface ImageService {
  /** The image that a reference stands for on this machine. */
  status(image: string, signal?: AbortSignal): Promise<LocalImage | undefined>;
  /**
   * Asks the registry with this login and brings the image in where it is not here already.
   * @param image a reference with a tag or a digest
   * @returns the image's id, the digest of its config
   * @throws PulleyError any of the registry and store codes
   */
  pull(image: string, login: Login | undefined, call?: PullCall): Promise<Digest>;
  /** Bytes of the image on disk; 0 if it is not here. */
  size(id: Digest): Promise<number>;
}

export interface PullCall {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: PullProgress) => void) | undefined;
}

/** An image on this machine, and what is known about the name that it was asked for by. */
export interface LocalImage {
  readonly image: StoredImage;
  /** What the name resolved to when it was last confirmed. */
  readonly digest: Digest | undefined;
  /** When a registry last confirmed that, in milliseconds since the epoch. */
  readonly confirmedAt: number | undefined;
}
