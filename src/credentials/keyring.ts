import type { Login } from "../support/login.ts";
import { type Location, locationMatches, parseLocation } from "./location.ts";

/** Logins by where they are for, found as a kubelet finds them (k8s pkg/credentialprovider/keyring.go). */
export interface Keyring {
  /**
   * Every login for an image, in the order in which they are to be tried.
   * @param image its normalised name without tag and digest, `docker.io/library/nginx`
   */
  lookup(image: string): readonly Login[];
}

interface Place {
  readonly location: Location;
  readonly logins: Login[];
}

/** The key under which files keep the logins for Docker Hub, reduced to its host. */
const dockerHub = "index.docker.io";

/**
 * @param entries each with its location as it is written in its file; those that are no location are ignored, several
 * for one location are tried in this order
 */
export function createKeyring(entries: Iterable<readonly [location: string, login: Login]>): Keyring {
  const places = new Map<string, Place>();
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
function parseEntryLocation(text: string): Location | undefined {
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
