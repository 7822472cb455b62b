import { PulleyError } from "../support/errors.ts";
import { printable } from "../support/printable.ts";
import { type Answered, describeAsked, showUrl } from "./failure.ts";

const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const longestAddress = 16 * 1024;

export function isRedirect({ status }: Answered): boolean {
  return redirects.has(status);
}

/** Where a redirect leads, and what is asked for there. */
export interface Target {
  readonly url: URL;
  /** Path and query, byte for byte as they were given; absent where they have to be worked out. */
  readonly path: string | undefined;
}

/**
 * Where a redirect leads. Whether a login may go along is for the caller to decide, by comparing origins.
 * @throws PulleyError `REDIRECT_REFUSED` from https to anything else, and for addresses that no registry needs
 */
export function redirectTarget({ asked, headers }: Answered): Target {
  const locations = headers["location"] ?? [];
  const [location = ""] = locations;
  const refuse = (why: string) => new PulleyError("REDIRECT_REFUSED", `${describeAsked(asked)}: redirected ${why}`);
  if (locations.length !== 1 || location === "") throw refuse("without saying where");
  if (location.length > longestAddress) throw refuse(`to an address of ${location.length} characters`);
  const text = asText(location);
  if (!URL.canParse(text, asked.url.href)) throw refuse(`to what is no address: ${printable(text, 60)}`);
  const target = new URL(text, asked.url);
  if (target.protocol !== "https:" && target.protocol !== "http:") throw refuse(`to ${target.protocol}`);
  if (target.protocol === "http:" && asked.url.protocol === "https:") throw refuse(`to plain HTTP, ${showUrl(target)}`);
  if (target.username !== "" || target.password !== "") throw refuse(`to an address with a login, at ${target.host}`);
  return { url: target, path: pathAsGiven(location) };
}

/** A header's bytes come as Latin-1; addresses are written in UTF-8. */
function asText(location: string): string {
  const text = Buffer.from(location, "latin1").toString("utf8");
  return text.includes("\uFFFD") ? location : text;
}

/**
 * An address may be signed as it was written, and URL writes some of it otherwise: `'` in a query, letters beyond ASCII.
 * One that has to be worked out (dots, backslashes, relative ones) goes as URL has it.
 */
function pathAsGiven(location: string): string | undefined {
  const [, given] = /^(?:https?:\/\/[^/?#\\]+|(?=\/[^/\\]))([/?][^#]*)/i.exec(location) ?? [];
  if (given === undefined || !/^[\x21-\x7e\x80-\xff]+$/.test(given)) return undefined;
  const [path = ""] = given.split("?", 1);
  if (/\\|\/(?:\.|%2e){1,2}(?:\/|$)/i.test(path)) return undefined;
  return given.startsWith("?") ? `/${given}` : given;
}
