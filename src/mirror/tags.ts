/** Lists of tags (distribution-spec 1.1, "Listing Tags"). */
import { isDigest, parseReference, parseTag, type Repository } from "../image/index.ts";
import { isUnreachable, type Source } from "../pull/index.ts";
import type { ImageRecord } from "../store/index.ts";
import { isPulleyError, PulleyError } from "../support/errors.ts";
import type { CallerAccess } from "./access.ts";
import type { MirrorContext } from "./context.ts";
import { type Headers, jsonResponse, type MirrorResponse } from "./response.ts";
import type { RequestContext } from "./types.ts";

/** Tags in one answer; clients follow the link to the next (CVE-2023-2253). */
const mostOnPage = 1_000;
/** The tag that is used to ask the policy about a list of tags. */
const latest = parseTag("latest");

/** @param name as it was asked for */
export async function listTags(
  context: MirrorContext,
  repository: Repository,
  request: RequestContext,
  asked: { readonly name: string; readonly query: URLSearchParams },
): Promise<MirrorResponse> {
  const { authorizer, access, deps, stored } = context;
  const list = (from: Source) => deps.registry.tags(repository, { ...from, signal: request.signal });
  const { refusal, ...outline } = authorizer.outline(repository, latest);
  // A list is no pull: that one of the tags is refused says nothing of it, except whom not to ask.
  const known = { ...outline, refusal: refusal && noTags(repository) };
  const entry = await access.authorize(known, request, { ask: list, records: () => stored.records(repository) });
  const { tags, cache } = await tagsOf(context, repository, entry, list, request);
  return { ...pageOf(tags, asked), cache };
}

/** What a registry lists, and what is here besides, which a rule may have served without asking one. */
async function tagsOf(
  context: MirrorContext,
  repository: Repository,
  { answer: told, failure }: CallerAccess<readonly string[]>,
  list: (from: Source) => Promise<readonly string[]>,
  request: RequestContext,
) {
  const { authorizer, sources, access } = context;
  const here = () => tagsHere(context, repository, request);
  if (told !== undefined) return { tags: [...told.value, ...(await here())], cache: "miss" } as const;
  const authorized = await authorizer.image(repository, latest, request.signal).catch((error: unknown) => {
    if (isPulleyError(error, "IMAGE_REFUSED", "IMAGE_NOT_FOUND")) return undefined;
    throw error;
  });
  if (authorized === undefined || authorized.decision.action === "Use") {
    return { tags: await orNotFound(here(), repository), cache: "hit" } as const;
  }
  try {
    if (failure !== undefined) throw failure;
    const listed = await sources.ask(authorized, request, list);
    access.grant(repository, request.auth);
    return { tags: [...listed.value, ...(await here())], cache: "miss" } as const;
  } catch (error) {
    request.signal.throwIfAborted();
    const gone = isPulleyError(error, "REGISTRY_NOT_FOUND");
    if (!gone && !isUnreachable(error)) throw error;
    const tags = await here();
    if (tags.length === 0) throw error;
    return { tags, cache: gone ? "hit" : "stale" } as const;
  }
}

/** The tags in the store that the client may see. */
async function tagsHere(
  { stored, access }: MirrorContext,
  repository: Repository,
  { auth: caller }: RequestContext,
): Promise<string[]> {
  const known = access.known(repository, caller) !== undefined;
  const tags: string[] = [];
  for (const record of await stored.records(repository)) {
    const tag = tagOf(record);
    if (tag !== undefined && (known || (await access.recorded(record)))) tags.push(tag);
  }
  return tags;
}

async function orNotFound(looking: Promise<string[]>, repository: Repository): Promise<string[]> {
  const tags = await looking;
  if (tags.length > 0) return tags;
  throw noTags(repository);
}

function noTags({ name }: Repository): PulleyError {
  return new PulleyError("IMAGE_NOT_FOUND", `${name}: no tag of it is here`);
}

function tagOf({ name }: ImageRecord): string | undefined {
  return isDigest(name) ? undefined : parseReference(name).tag;
}

function pageOf(
  tags: readonly string[],
  { name, query }: { readonly name: string; readonly query: URLSearchParams },
): MirrorResponse {
  const last = query.get("last");
  const count = pageSize(query.get("n"));
  const sorted = [...new Set(tags)].sort(compare);
  const rest = last === null ? sorted : sorted.filter((tag) => compare(tag, last) > 0);
  const page = rest.slice(0, count);
  const end = page.at(-1);
  const next = new URLSearchParams(query);
  next.set("n", `${count}`);
  next.set("last", end ?? "");
  const more = end !== undefined && page.length < rest.length;
  const link: Headers = more ? { link: `</v2/${name}/tags/list?${next.toString()}>; rel="next"` } : {};
  return jsonResponse(200, { name, tags: page }, link);
}

function pageSize(n: string | null): number {
  return n !== null && /^[0-9]{1,9}$/.test(n) ? Math.min(Number(n), mostOnPage) : mostOnPage;
}

/** "Lexical order (i.e. case-insensitive alphanumeric order)", and the same for all where only the case differs. */
function compare(one: string, other: string): number {
  const [a, b] = [one.toLowerCase(), other.toLowerCase()];
  if (a !== b) return a < b ? -1 : 1;
  return one === other ? 0 : one < other ? -1 : 1;
}
