/** Addresses of mirrors. */
import { isLoopback } from "../../image/index.ts";
import type { Parsed } from "./parsed.ts";

export const mirrorPattern = "^https?://[^\\s/?#@]+(/[^\\s?#]*)?$";

const shape = /^(https?):\/\/((?:\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?)((?:\/[A-Za-z0-9._~%+-]+)*)\/*$/i;

/**
 * The address of a mirror as it is to be used: without a slash at its end. A path in it comes before the repository's,
 * behind `/v2`, as pull-through caches have it: `https://harbor.acme.io/hub` has `/v2/hub/library/nginx`.
 */
export function parseMirror(text: string): Parsed<string> {
  if (/[@?#]/.test(text))
    return { problem: "an address has no login and no query; the nodes have the logins", secret: true };
  const [, scheme = "", host = "", path = ""] = shape.exec(text) ?? [];
  if (host === "") return { problem: `a mirror is written like https://mirror.acme.io${meant(text)}` };
  if (!isPort(host)) return { problem: "there is no such port" };
  if (path.endsWith("/v2")) return { problem: "leave /v2 out: it comes behind the host anyway" };
  if (path.split("/").some((segment) => segment === "." || segment === "..")) {
    return { problem: "the path of a mirror must not lead upwards" };
  }
  return { value: `${scheme.toLowerCase()}://${host.toLowerCase()}${path}` };
}

/** Whether what a mirror sends could be read and changed on its way. */
export function isExposed(mirror: string): boolean {
  return mirror.startsWith("http://") && !isLoopback(mirror.slice("http://".length).split("/")[0] ?? "");
}

function isPort(host: string): boolean {
  const port = /:([0-9]+)$/.exec(host)?.[1];
  return port === undefined || (Number(port) > 0 && Number(port) < 65_536);
}

function meant(text: string): string {
  return shape.test(`https://${text}`) ? `; did you mean https://${text}?` : "";
}
