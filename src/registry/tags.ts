import { parseTag } from "../image/index.ts";
import { PulleyError } from "../support/errors.ts";
import { readBody } from "./body.ts";
import { inTime } from "./deadlines.ts";
import { describeAsked, showUrl } from "./failure.ts";
import { type CallContext, type SessionRequest, sendWithRetry } from "./session.ts";
import type { HttpResponse } from "./transport.ts";

const pageLimit = 4 * 1024 * 1024;
const mostPages = 1_000;
const mostTags = 500_000;
/** Tags to a page: what the registries that have a limit allow. */
const pageLength = 1_000;

interface Page {
  readonly tags: readonly string[];
  readonly next: URL | undefined;
}

/** Every tag of the repository. What has not the form of a tag is left out: nobody could pull it. */
export async function listTags(context: CallContext): Promise<readonly string[]> {
  const tags: string[] = [];
  const seen = new Set<string>();
  let what: SessionRequest["what"] = `tags/list?n=${pageLength}`;
  for (;;) {
    const page: Page = await fetchPage(context, what);
    for (const tag of page.tags) tags.push(tag);
    if (tags.length > mostTags) {
      throw new PulleyError("TOO_LARGE", `${context.session.endpoint.origin}: more than ${mostTags} tags`);
    }
    if (page.next === undefined) return tags;
    if (seen.has(page.next.href) || seen.size >= mostPages) {
      throw new PulleyError("REGISTRY_PROTOCOL", `${showUrl(page.next)}: the list of tags never ends`);
    }
    seen.add(page.next.href);
    what = page.next;
  }
}

function fetchPage(context: CallContext, what: SessionRequest["what"]): Promise<Page> {
  const request = { method: "GET", what, headers: { accept: "application/json" } } as const;
  const isOk = (status: number) => status === 200;
  const { timers: clock, documentTimeout: milliseconds, signal } = context;
  const place = typeof what === "string" ? context.session.endpoint.origin : showUrl(what);
  return inTime({ clock, milliseconds, what: `${place}: a page of tags`, signal }, (whole) =>
    sendWithRetry({ ...context, signal: whole }, request, isOk, async (answer) => {
      const body = await readBody(answer, pageLimit, { ...context, signal: whole });
      return { tags: parsePage(body, answer), next: nextPage(answer, context.session.endpoint.origin) };
    }),
  );
}

function parsePage(body: Buffer, { asked }: HttpResponse): readonly string[] {
  const document = parseLeniently(body);
  const tags = typeof document === "object" && document !== null && "tags" in document ? document.tags : undefined;
  // Some registries write null for a repository whose tags are all gone.
  if (tags === null) return [];
  if (!Array.isArray(tags)) throw new PulleyError("REGISTRY_PROTOCOL", `${describeAsked(asked)}: not a list of tags`);
  return tags.filter(isTag);
}

function parseLeniently(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}

function isTag(value: unknown): value is string {
  if (typeof value !== "string") return false;
  try {
    parseTag(value);
    return true;
  } catch {
    return false;
  }
}

/**
 * The address in `Link: <…>; rel="next"`.
 * @throws PulleyError `REDIRECT_REFUSED` if it is not the registry's own (oras GHSA-h7vf-4x9w-h99v)
 */
function nextPage({ asked, headers }: HttpResponse, origin: string): URL | undefined {
  const link = (headers["link"] ?? []).join(", ");
  const address = /<([^<>]*)>\s*;[^<]*\brel\s*=\s*"?next\b/i.exec(link)?.[1];
  if (address === undefined) return undefined;
  const next = URL.canParse(address, asked.url.href) ? new URL(address, asked.url) : undefined;
  if (next?.origin === new URL(origin).origin && next.username === "" && next.password === "") return next;
  throw new PulleyError("REDIRECT_REFUSED", `${describeAsked(asked)}: the next page of tags is said to be elsewhere`);
}
