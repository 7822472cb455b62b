/** Paths as GitHub and GitLab expect them: relative to the repository, with forward slashes. */
import { isAbsolute, relative, sep } from "node:path";
import { pathToFileURL } from "node:url";
import type { LiveObject } from "../types.ts";
import { standardInputName } from "./format.ts";

/** The path from the root, `deploy/web.yaml`; unchanged where the file is outside of the root. */
export function relativePath(file: string, root: string): string {
  if (file === "-") return standardInputName;
  const path = isAbsolute(file) ? fromRoot(file, root) : file;
  return path
    .split(sep)
    .join("/")
    .replace(/^(?:\.\/+)+/, "");
}

/** An artifact location of SARIF 2.1.0 (3.4): relative where the file is below the root. */
export function artifactLocation(file: string, root: string): { uri: string; uriBaseId?: string } {
  if (file === "-") return { uri: standardInputName };
  const path = relativePath(file, root);
  if (isAbsolute(path)) return { uri: pathToFileURL(path).href };
  const uri = path.split("/").map(encodeSegment).join("/");
  return { uri, uriBaseId: "%SRCROOT%" };
}

/** `eu/shop/Deployment/web` of an object in a cluster, each part encoded as in a URI. */
export function objectPath({ cluster, namespace, kind, name }: LiveObject): string {
  return [cluster, namespace, kind, name]
    .filter((part) => part !== "")
    .map(encodeSegment)
    .join("/");
}

/** The root as the base of relative locations: with a slash at its end, as SARIF demands (3.14.14). */
export function rootUri(root: string): string {
  const { href } = pathToFileURL(root);
  return href.endsWith("/") ? href : `${href}/`;
}

function fromRoot(file: string, root: string): string {
  const path = relative(root, file);
  return path === ".." || path.startsWith(`..${sep}`) || isAbsolute(path) ? file : path;
}

/** RFC 3986's pchar without the colon; a lone surrogate, which has no UTF-8, becomes U+FFFD. */
function encodeSegment(segment: string): string {
  return encodeURIComponent(Buffer.from(segment).toString()).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
