import { createHash } from "node:crypto";
import type { Clock } from "../../support/clock.ts";
import type { CacheKeyType, ProviderLogin } from "./response.ts";
import type { TokenCacheType } from "./types.ts";

/** Answers of one provider, each for as long as it is good (k8s pkg/credentialprovider/plugin `cacheEntry`). */
export interface AnswerCache {
  /** The answer for the image itself, for its registry, or for everything. */
  find(image: string, who: string): readonly ProviderLogin[] | undefined;
  /** @param duration milliseconds */
  keep(key: string, who: string, logins: readonly ProviderLogin[], duration: number): void;
}

interface CachedAnswer {
  readonly logins: readonly ProviderLogin[];
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** Milliseconds between two sweeps for entries that nobody asks for any more. */
const purgeInterval = 15 * 60_000;
/** Answers that are kept; the oldest goes first. */
const mostEntries = 10_000;

/** No image's name, and no registry's. */
const everything = "<global>";

export function createAnswerCache(clock: Clock): AnswerCache {
  const entries = new Map<string, CachedAnswer>();
  let purgedAt = clock.now();

  function get(key: string): CachedAnswer | undefined {
    const entry = entries.get(key);
    if (entry === undefined || clock.now() <= entry.expiresAt) return entry;
    entries.delete(key);
    return undefined;
  }

  function purge(): void {
    const now = clock.now();
    if (now <= purgedAt + purgeInterval) return;
    purgedAt = now;
    for (const [key, { expiresAt }] of entries) if (now > expiresAt) entries.delete(key);
  }

  return {
    find: (image, who) => {
      purge();
      for (const base of [image, registryOf(image), everything]) {
        const entry = get(joined([base, who]));
        if (entry !== undefined) return entry.logins;
      }
      return undefined;
    },
    keep: (key, who, logins, duration) => {
      entries.set(joined([key, who]), { logins, expiresAt: clock.now() + duration });
      const [oldest] = entries.keys();
      if (entries.size > mostEntries && oldest !== undefined) entries.delete(oldest);
    },
  };
}

/** What an answer is to be kept under. */
export function baseKey(type: CacheKeyType, image: string): string {
  switch (type) {
    case "Image":
      return image;
    case "Registry":
      return registryOf(image);
    case "Global":
      return everything;
  }
}

/** A service account as part of a key. */
export interface AccountKey {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Those that the provider is given. */
  readonly annotations: Readonly<Record<string, string>>;
  readonly cacheType: TokenCacheType;
  readonly token: string;
}

/** Different for everything that an answer may depend on; with a token's hash where the answer is for that token alone. */
export function accountKey({ namespace, name, uid, annotations, cacheType, token }: AccountKey): string {
  const own = cacheType === "Token" ? ["token", tokenHash(token)] : [];
  return joined([namespace, name, uid, annotationsText(annotations), ...own]);
}

/** What askers at the same time must have in common to share one run. */
export function sharedRunKey(image: string, token: string, annotations: Readonly<Record<string, string>>): string {
  return joined([image, token === "" ? "" : tokenHash(token), annotationsText(annotations)]);
}

function annotationsText(annotations: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(annotations).sort(([one], [other]) => (one < other ? -1 : 1));
  return joined(sorted.flat());
}

function tokenHash(token: string): string {
  return `sha256:${createHash("sha256").update(token).digest("hex")}`;
}

function registryOf(image: string): string {
  return image.split("/", 1)[0] ?? "";
}

/** So that no two lists of texts give the same one. */
function joined(texts: readonly string[]): string {
  return texts.map((text) => `${text.length}:${text}`).join("");
}
