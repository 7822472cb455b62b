import { PulleyError } from "../support/errors.ts";
import { type Answered, describeAsked, printable, showUrl } from "./failure.ts";

const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const longestAddress = 16 * 1024;

export function isRedirect({ status }: Answered): boolean {
  return redirects.has(status);
}

/**
 * Where a redirect leads. Whether a login may go along is for the caller to decide, by comparing origins.
 * @throws PulleyError `REDIRECT_REFUSED` from https to anything else, and for addresses that no registry needs
 */
export function redirectTarget({ asked, headers }: Answered): URL {
  const locations = headers["location"] ?? [];
  const [location = ""] = locations;
  const refuse = (why: string) => new PulleyError("REDIRECT_REFUSED", `${describeAsked(asked)}: redirected ${why}`);
  if (locations.length !== 1 || location === "") throw refuse("without saying where");
  if (location.length > longestAddress) throw refuse(`to an address of ${location.length} characters`);
  if (!URL.canParse(location, asked.url.href)) throw refuse(`to what is no address: ${printable(location, 60)}`);
  const target = new URL(location, asked.url);
  if (target.protocol !== "https:" && target.protocol !== "http:") throw refuse(`to ${target.protocol}`);
  if (target.protocol === "http:" && asked.url.protocol === "https:") throw refuse(`to plain HTTP, ${showUrl(target)}`);
  if (target.username !== "" || target.password !== "") throw refuse(`to an address with a login, at ${target.host}`);
  return target;
}
