/** For tests: an answer. */
import type { OutdatedImage } from "../report.ts";

/** An image that is up to date. @param given its name and tag, `q.io/a:1.0` */
export function currentImage(given: string, changes: Partial<OutdatedImage> = {}): OutdatedImage {
  const colon = given.lastIndexOf(":");
  const tag = given.slice(colon + 1);
  return {
    image: { given, name: given.slice(0, colon), tag, digest: null },
    status: "current",
    current: tag,
    patch: tag,
    minor: tag,
    latest: tag,
    distance: "none",
    lag: null,
    because: "nothing is newer",
    workloads: [],
    elsewhere: null,
    places: [],
    error: null,
    gone: null,
    created: null,
    endOfLife: null,
    platforms: [],
    ...changes,
  };
}
