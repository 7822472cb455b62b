/** Patterns for images that match nothing, or more than they seem to. */
import type { Pattern } from "./types.ts";

const hub = "docker.io";

/** Names of Docker Hub by which no image is called, unless somebody writes it so: patterns do not take them for it. */
const hubNames: ReadonlySet<string> = new Set([
  "registry.docker.io",
  "registry.hub.docker.com",
  "hub.docker.com",
  "www.docker.com",
  "docker.com",
]);

/** What a path of an image may have between its slashes (distribution/reference). */
const component = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;

/** What is wrong with a pattern that can be read, with the spelling that was meant; `undefined` if nothing is. */
export function imagePatternWarning({ text, segments }: Pattern): string | undefined {
  const [host = "", ...path] = segments;
  const written = text.replace(/^!/, "").split("/");
  const isAll = written.length === 1;
  const meant = (name: string) => `; did you mean ${text.startsWith("!") ? "!" : ""}${name}?`;
  if (hubNames.has(host)) {
    return `images of Docker Hub are matched as ${hub}${meant(isAll ? hub : [hub, ...hubPath(path)].join("/"))}`;
  }
  if (host === hub && path.length === 1 && path[0] !== "**") {
    return `no image of ${hub} has a name of one part${meant([hub, ...hubPath(path)].join("/"))}`;
  }
  const [first = ""] = written;
  if (!/[.:*[]/.test(first) && first !== "localhost") {
    const name = isAll ? `library/${host}` : segments.join("/");
    return `${first} is taken for a registry's host${meant(`${hub}/${name}`)}`;
  }
  if (first !== first.toLowerCase())
    return `hosts are matched in lower case${meant([host, ...written.slice(1)].join("/"))}`;
  const wide = wideHost(host);
  if (wide !== undefined) {
    const also = host.endsWith("*") ? `${host.slice(0, -1)}.example.com` : host.replace("*", "evil");
    return `it matches the registry ${also}, too${meant([wide, ...(isAll ? [] : path)].join("/"))}`;
  }
  const wrong = path.find((part) => !part.includes("*") && !component.test(part));
  return wrong === undefined ? undefined : `no image has ${wrong} in its name`;
}

/** Official images are below `library`. */
function hubPath(path: readonly string[]): readonly string[] {
  if (path.length !== 1 || path[0] === "**") return path;
  return path[0] === "*" ? ["**"] : ["library", ...path];
}

/** The host that was meant where a star stands at its end, or at its beginning without a dot behind. */
function wideHost(host: string): string | undefined {
  const [name = ""] = host.split(":");
  if (!name.includes(".")) return undefined;
  if (name.endsWith("*")) return name.replace(/\.?\*+$/, "");
  return /^\*+[^.*]/.test(name) ? name.replace(/^\*+/, "*.") : undefined;
}
