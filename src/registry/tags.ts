import { isTag } from "../image/index.ts";
import { errorTable, isPulleyError, PulleyError } from "../support/errors.ts";
import { readBody } from "./body.ts";
import { inTime } from "./deadlines.ts";
import { repositoryUrl } from "./endpoint.ts";
import { describeAsked, isHtml, showUrl } from "./failure.ts";
import { type CallContext, failureOf, sendWithRetry } from "./session.ts";
import { nextLink, nextPage } from "./tag-links.ts";
import { largestPage, type StoredTagPage, type TagPages, validatorsOf } from "./tag-pages.ts";
import type { HttpResponse } from "./transport.ts";

const mostTags = 500_000;
/** Tags to a page: what the registries that have a limit allow. */
const pageLength = 1_000;
/** Pages of a list; more only where they hold {@link leastOnPage} tags on average, as those of an honest registry do. */
const mostPages = 1_000;
const mostPagesEver = 10_000;
const leastOnPage = 20;
/** Pages in a row without a tag that was not there before: some registries have empty ones where tags were removed. */
const mostIdlePages = 20;

const tooManyTags = "No repository of images has so many tags: remove those that nobody uses, or tell who runs it.";
const gaveNoList = "The registry gives no list of this repository's tags: name the tag that is meant.";
const mayNotList = "The login is known but may not list this repository's tags: ask for permission to pull from it.";
const unknownRepository = "Check the repository's name: the registry knows none of this name, or does not show it.";

interface Page {
  readonly tags: readonly string[];
  readonly next: URL | undefined;
}

/**
 * Every tag of the repository, each once. What has not the form of a tag is left out: nobody could pull it.
 * @param pages what earlier calls have been given, if the caller keeps that; the registry is asked whether it still holds
 */
export async function listTags(context: CallContext, pages?: TagPages): Promise<readonly string[]> {
  const tags = new Set<string>();
  const seen = new Set<string>();
  const first = repositoryUrl(context.session.endpoint, `tags/list?n=${pageLength}`);
  let idle = 0;
  for (let address = first; ; ) {
    seen.add(address.href);
    const page = await fetchPage(context, address, first, pages);
    const before = tags.size;
    for (const tag of page.tags) tags.add(tag);
    idle = tags.size > before ? 0 : idle + 1;
    if (tags.size > mostTags) {
      const text = `${context.session.endpoint.origin}: more than ${mostTags} tags`;
      throw new PulleyError("TOO_LARGE", text, { advice: tooManyTags });
    }
    if (page.next === undefined) return [...tags];
    const isThin = seen.size > mostPages && tags.size < seen.size * leastOnPage;
    if (seen.has(page.next.href) || idle > mostIdlePages || isThin || seen.size > mostPagesEver) {
      throw new PulleyError("REGISTRY_PROTOCOL", `${showUrl(page.next)}: the list of tags never ends`, {
        advice: "The registry names page after page without an end: tell who runs it.",
      });
    }
    address = page.next;
  }
}

function fetchPage(context: CallContext, address: URL, first: URL, pages: TagPages | undefined): Promise<Page> {
  const stored = pages?.get(address);
  const headers = { accept: "application/json", ...conditions(stored) };
  const request = { method: "GET", what: address, headers } as const;
  const isOk = (status: number) =>
    status === 200 || status === 405 || status === 501 || (status === 304 && stored !== undefined);
  const { timers: clock, documentTimeout: milliseconds, signal } = context;
  const what = `${showUrl(address)}: a page of tags`;
  return inTime({ clock, milliseconds, what, signal }, (whole) =>
    sendWithRetry({ ...context, signal: whole }, request, isOk, async (answer) => {
      const reading = { ...context, signal: whole };
      if (answer.status === 304 && stored !== undefined) {
        await readBody(answer, largestPage, reading);
        return { tags: stored.tags, next: nextPage(stored.next, answer, first) };
      }
      if (answer.status !== 200) throw advised(await failureOf(answer, reading), gaveNoList, "REGISTRY_PROTOCOL");
      return readPage(answer, await readBody(answer, largestPage, reading), address, first, pages);
    }),
  ).catch((error: unknown) => {
    throw ofList(error);
  });
}

/** RFC 9110, section 13.1: the registry says whether the page is what it was. */
function conditions(stored: StoredTagPage | undefined): Record<string, string> {
  return {
    ...(stored?.etag !== undefined && { "if-none-match": stored.etag }),
    ...(stored?.lastModified !== undefined && { "if-modified-since": stored.lastModified }),
  };
}

function readPage(answer: HttpResponse, body: Buffer, address: URL, first: URL, pages: TagPages | undefined): Page {
  const tags = parsePage(body, answer);
  const next = nextPage(nextLink(answer), answer, first);
  const validators = validatorsOf(answer.headers);
  if (validators !== undefined) pages?.put(address, { ...validators, tags, next: next?.href });
  return { tags, next };
}

function parsePage(body: Buffer, answer: HttpResponse): readonly string[] {
  const document = parseLeniently(body);
  const tags = typeof document === "object" && document !== null && "tags" in document ? document.tags : undefined;
  // Some registries write null for a repository whose tags are all gone.
  if (tags === null) return [];
  if (Array.isArray(tags)) return tags.filter((tag) => typeof tag === "string").filter(isTag);
  const instead = isHtml(answer) ? "a web page instead of a list of tags" : "not a list of tags";
  throw new PulleyError("REGISTRY_PROTOCOL", `${describeAsked(answer.asked)}: ${instead}`);
}

function parseLeniently(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}

/** A failure with the advice that is right for a list: the table's is about an image. */
function ofList(error: unknown): unknown {
  if (!isPulleyError(error)) return error;
  if (error.advice !== errorTable[error.code].advice) return error;
  switch (error.code) {
    case "REGISTRY_NOT_FOUND":
      return advised(error, unknownRepository);
    case "REGISTRY_FORBIDDEN":
      return advised(error, mayNotList);
    case "TOO_LARGE":
      return advised(error, tooManyTags);
    default:
      return error;
  }
}

function advised(error: PulleyError, advice: string, code = error.code): PulleyError {
  return new PulleyError(code, error.message, { advice, cause: error.cause });
}
