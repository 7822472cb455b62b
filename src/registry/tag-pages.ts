/** Pages of lists of tags that are kept from one call to the next, with what the registry needs to say that they hold. */

/** The page's tags and what the registry called this state of it; at least one of the two validators is there. */
export interface StoredTagPage {
  /** `ETag`, as it was sent. */
  readonly etag?: string | undefined;
  /** `Last-Modified`, as it was sent. */
  readonly lastModified?: string | undefined;
  readonly tags: readonly string[];
  /** Where the next page is; absent on the last one. It is checked like a registry's own word. */
  readonly next?: string | undefined;
}

/**
 * Where pages are kept, by their address. A page is used only after the registry has said, to the caller's own login, that
 * it is still the same: who may not list a repository gets nothing of it from here.
 */
export interface TagPages {
  get(address: URL): StoredTagPage | undefined;
  put(address: URL, page: StoredTagPage): void;
}

/** Bytes of one page: some registries send all tags in one, 100 000 of 128 characters say. */
export const largestPage = 16 * 1024 * 1024;

/** What can be sent back in a header without saying anything else there. */
const entityTag = /^(?:W\/)?"[\x21\x23-\x7e]{0,512}"$/;
const httpDate = /^[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT$/;

export type Validators = Pick<StoredTagPage, "etag" | "lastModified">;

/** `undefined` if there is none: such a page cannot be asked for again. */
export function validatorsOf(headers: NodeJS.Dict<string[]>): Validators | undefined {
  return checkedValidators(headers["etag"]?.[0], headers["last-modified"]?.[0]);
}

export function checkedValidators(etag: unknown, lastModified: unknown): Validators | undefined {
  const checked = {
    ...(typeof etag === "string" && entityTag.test(etag) && { etag }),
    ...(typeof lastModified === "string" && httpDate.test(lastModified) && { lastModified }),
  };
  return Object.keys(checked).length === 0 ? undefined : checked;
}
