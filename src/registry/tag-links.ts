/**
 * Where the next page of a list of tags is. A registry's word for that is not taken for an address: the list goes on at
 * the address where it began, and only the query, which says from where on, is the registry's.
 */
import { PulleyError } from "../support/errors.ts";
import { describeAsked } from "./failure.ts";
import type { HttpResponse } from "./transport.ts";

const longestLink = 16 * 1024;

/** One link of a header `Link` (RFC 8288): its target and its parameters. */
const link = /<([^<>]*)>((?:\s*;\s*[^\s=;,<>]+(?:\s*=\s*(?:"[^"]*"|[^\s";,<>]*))?)*)/g;
const relation = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s";,]*))/i;

/** The target of the link whose relations have `next` among them, as it was written. */
export function nextLink({ headers }: Pick<HttpResponse, "headers">): string | undefined {
  for (const [, target, parameters = ""] of (headers["link"] ?? []).join(", ").matchAll(link)) {
    const [, quoted, bare] = relation.exec(parameters) ?? [];
    if ((quoted ?? bare ?? "").toLowerCase().split(/\s+/).includes("next")) return target;
  }
  return undefined;
}

/**
 * @param target what the registry, or the memory of an earlier answer, says
 * @param first where the list begins
 * @throws PulleyError `REDIRECT_REFUSED` if it is no page of this list at this registry (oras GHSA-h7vf-4x9w-h99v)
 */
export function nextPage(
  target: string | undefined,
  { asked }: Pick<HttpResponse, "asked">,
  first: URL,
): URL | undefined {
  if (target === undefined) return undefined;
  const said =
    target.length <= longestLink && URL.canParse(target, asked.url.href) ? new URL(target, asked.url) : undefined;
  const isOwn = said !== undefined && [first, asked.url].some((own) => isSameList(said, own));
  if (!isOwn || said.username !== "" || said.password !== "") {
    throw new PulleyError("REDIRECT_REFUSED", `${describeAsked(asked)}: the next page of tags is said to be elsewhere`);
  }
  const next = new URL(first);
  next.search = said.search;
  const namespace = first.searchParams.get("ns");
  if (namespace !== null && next.searchParams.get("ns") !== namespace) next.searchParams.set("ns", namespace);
  return next;
}

/**
 * Artifactory leaves out its own repository, which comes first in the path, and sometimes the `/v2` (RTFACT-18971):
 * `/library/node/tags/list` of `/v2/docker-remote/library/node/tags/list`.
 */
function isSameList(said: URL, own: URL): boolean {
  if (said.origin !== own.origin) return false;
  const [path, ownPath] = [said, own].map(({ pathname }) => pathname.replace(/%2f/gi, "/").replace(/^\/v2(?=\/)/, ""));
  return (
    path !== undefined &&
    ownPath !== undefined &&
    path !== "/tags/list" &&
    /^\/.+\/tags\/list$/.test(path) &&
    ownPath.endsWith(path)
  );
}
