/** Reads the URL of a request (distribution-spec 1.1, "Endpoints"). */

export type Route =
  | { readonly kind: "base" }
  | { readonly kind: "manifest"; readonly name: string; readonly version: string }
  | { readonly kind: "blob"; readonly name: string; readonly digest: string }
  | { readonly kind: "tags"; readonly name: string }
  | { readonly kind: "referrers"; readonly name: string; readonly digest: string }
  | { readonly kind: "unknown" };

export interface Address {
  readonly route: Route;
  readonly query: URLSearchParams;
}

/** Characters of a URL; a name has at most 255, a digest 135. */
const longestAddress = 4096;

/**
 * Reads a URL as it was sent: nothing in it is normalised, so that no two readers can see different paths
 * in it. A repository's name may itself contain `manifests` or `blobs`; the last of them counts.
 */
export function readAddress(address: string): Address {
  const question = address.indexOf("?");
  const path = question < 0 ? address : address.slice(0, question);
  const query = new URLSearchParams(question < 0 ? "" : address.slice(question + 1));
  return { route: address.length > longestAddress ? { kind: "unknown" } : readPath(path), query };
}

function readPath(path: string): Route {
  if (path === "/v2/" || path === "/v2") return { kind: "base" };
  const segments = decodeSegments(path);
  if (segments === undefined) return { kind: "unknown" };
  const [root, version, ...inner] = segments;
  const last = inner.pop();
  const kind = inner.pop();
  const name = inner.join("/");
  if (root !== "" || version !== "v2" || last === undefined || last === "" || name === "") return { kind: "unknown" };
  switch (kind) {
    case "manifests":
      return { kind: "manifest", name, version: last };
    case "blobs":
      return { kind: "blob", name, digest: last };
    case "referrers":
      return { kind: "referrers", name, digest: last };
    case "tags":
      return last === "list" ? { kind: "tags", name } : { kind: "unknown" };
    default:
      return { kind: "unknown" };
  }
}

/** The parts between slashes, decoded; `undefined` where that is impossible, or would bring forth more slashes. */
function decodeSegments(path: string): string[] | undefined {
  try {
    const segments = path.split("/").map(decodeURIComponent);
    return segments.some((segment) => segment.includes("/")) ? undefined : segments;
  } catch {
    return undefined;
  }
}
