import type { Digest } from "./digest.ts";
import type { Platform } from "./platform.ts";

/** A pointer to content: what it is, its digest and its size (image-spec `descriptor.md`). Checked when it was parsed. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes; never negative. */
  readonly size: number;
  readonly platform?: Platform;
  readonly annotations?: Readonly<Record<string, string>>;
}
