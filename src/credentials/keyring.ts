import type { Login } from "../support/login.ts";
import { globMatches } from "../support/wildcards.ts";

/** Logins by where they are for, found as a kubelet finds them (k8s pkg/credentialprovider/keyring.go). */
export interface Keyring {
  /**
   * Every login for an image, in the order in which they are to be tried.
   * @param image its normalised name without tag and digest, `docker.io/library/nginx`
   */
  lookup(image: string): readonly Login[];
}

interface LoginsAtLocation {
  readonly location: LoginLocation;
  readonly logins: Login[];
}

/** The key under which files keep the logins for Docker Hub, reduced to its host. */
const dockerHub = "index.docker.io";

/**
 * @param entries each with its location as it is written in its file; those that are no location are ignored, several
 * for one location are tried in this order
 */
export function createKeyring(entries: Iterable<readonly [location: string, login: Login]>): Keyring {
  const places = new Map<string, LoginsAtLocation>();
  for (const [text, login] of entries) {
    const location = parseEntryLocation(text);
    if (location === undefined) continue;
    const key = location.authority + location.path;
    const place = places.get(key) ?? { location, logins: [] };
    place.logins.push(login);
    places.set(key, place);
  }
  // The longer of two keys comes last in alphabetic order, so that in reverse the more specific one is tried first.
  const ordered = [...places].sort(([one], [other]) => (one < other ? 1 : -1)).map(([, place]) => place);

  return {
    lookup: (image) => {
      const target = parseLocation(image);
      const matching = ordered.filter(({ location }) => target !== undefined && locationMatches(location, target));
      if (matching.length > 0) return matching.flatMap(({ logins }) => logins);
      return isOnDockerHub(image) ? (places.get(dockerHub)?.logins ?? []) : [];
    },
  };
}

/** A path of only an API version, as docker wrote it for Hub, means the whole host. */
function parseEntryLocation(text: string): LoginLocation | undefined {
  const location = parseLocation(text);
  if (location === undefined) return undefined;
  const path = /^\/v[12]\//.test(location.path) ? location.path.slice("/v1".length) : location.path;
  return { ...location, path: path === "/" ? "" : path };
}

/** A first segment that looks like no host is a part of a name on Docker Hub; so the kubelet takes `localhost/…`, too. */
function isOnDockerHub(image: string): boolean {
  const [first = "", ...rest] = image.split("/");
  if (first === "") return false;
  return rest.length === 0 || first === "docker.io" || first === dockerHub || !/[.:]/.test(first);
}

/**
 * Where a login of a kubelet is for: `registry.acme.io:5000/team`, `*.acme.io`
 * (k8s pkg/credentialprovider/keyring.go `ParseSchemelessURL`, `SplitURL`).
 */
export interface LoginLocation {
  /** Host and port, as they are written. */
  readonly authority: string;
  /** The parts of the host between its dots, each a pattern. */
  readonly labels: readonly string[];
  /** Empty where none is written. */
  readonly port: string;
  /** With the slash that it begins with; empty where none is written. */
  readonly path: string;
}

const userInfo = /^[A-Za-z0-9\-._~:!$&'()*+,;=%@]*$/;
/** What Go takes for a host, and `?` and `^` of the documented patterns. */
const hostCharacters = /^[A-Za-z0-9\-._~!$&'()*+,;=[\]<>"?^\u0080-\u{10ffff}]*$/u;
const portAtEnd = /:([0-9]*)$/;
const addressWithPort = /^\[([0-9A-Fa-f:.]+)\]:([0-9]*)$/;

/**
 * Reads the location of an entry, or an image's name. A kubelet leaves this to Go's URL parser, which makes the URL's
 * query of what follows a `?`, and of late refuses `[` in a host; here both are the patterns that Kubernetes documents.
 * @returns `undefined` for what is no URL: such an entry is ignored
 */
export function parseLocation(text: string): LoginLocation | undefined {
  if (hasControlCharacter(text)) return undefined;
  const [url = ""] = text.replace(/^https?:\/\//, "").split("#", 1);
  const slash = url.indexOf("/");
  const written = slash < 0 ? url : url.slice(0, slash);
  const at = written.lastIndexOf("@");
  if (at >= 0 && !userInfo.test(written.slice(0, at))) return undefined;
  const authority = written.slice(at + 1);
  const host = parseHost(authority);
  const path = decodePath(slash < 0 ? "" : url.slice(slash));
  return host === undefined || path === undefined ? undefined : { authority, ...host, path };
}

/**
 * Whether a login for the pattern is one for the target: equal ports, as many labels and each matching, and the
 * pattern's path the beginning of the target's, be it in the midst of a segment.
 */
export function locationMatches(pattern: LoginLocation, target: LoginLocation): boolean {
  return (
    pattern.port === target.port &&
    pattern.labels.length === target.labels.length &&
    target.path.startsWith(pattern.path) &&
    pattern.labels.every((label, position) => globMatches(label, target.labels[position] ?? ""))
  );
}

function parseHost(authority: string): Pick<LoginLocation, "labels" | "port"> | undefined {
  const [, address, addressPort = ""] = addressWithPort.exec(authority) ?? [];
  if (address !== undefined) return { labels: address.split("."), port: addressPort };
  const port = portAtEnd.exec(authority);
  const host = authority.slice(0, port?.index);
  return hostCharacters.test(host) ? { labels: host.split("."), port: port?.[1] ?? "" } : undefined;
}

function decodePath(text: string): string | undefined {
  const [path = ""] = text.split("?", 1);
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

function hasControlCharacter(text: string): boolean {
  return /[\u0000-\u001f\u007f]/.test(text);
}
