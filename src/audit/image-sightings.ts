/** How each image is pulled, from one file to the next. */

import { findingOf } from "./finding.ts";
import type { Fingerprints } from "./fingerprint.ts";
import type { Standards } from "./standards.ts";
import type { ImageUse } from "./text-audit.ts";
import type { Finding } from "./types.ts";

/** Images in namespaces that are remembered, at most; those beyond are not compared. */
const mostImages = 200_000;

interface Sighting {
  readonly pulls: string;
  /** `Deployment web (web.yaml)` */
  readonly who: string;
  /** Other ways to pull it that have been told already: each once is enough. */
  told?: readonly string[];
}

/** Finds images that two containers of one cluster's namespace, which may share a node, have pulled in two ways. */
export class ImageSightings {
  readonly #standards: Standards;
  readonly #limit: number;
  readonly #sightings = new Map<string, Sighting>();

  constructor(standards: Standards, limit = mostImages) {
    this.#standards = standards;
    this.#limit = limit;
  }

  /** Takes note of a container, and tells if it pulls in another way than the first that asked for the image. */
  add(use: ImageUse, fingerprints: Fingerprints): readonly Finding[] {
    const others = use.scopes.flatMap((scope) => this.#other(use, scope) ?? []);
    const [first] = others;
    if (first === undefined) return [];
    const { request, image, pulls, neighbourhood, region } = use;
    const message = `${image.slice(0, 300)} is pulled ${pulls} here, but ${first.pulls} by ${first.who}, in ${neighbourhood}`;
    return findingOf("pull-policy-conflict", { region, message, request }, this.#standards, fingerprints);
  }

  /** Who else in the scope pulls the image in another way, if that has not been told. */
  #other({ request, image, pulls, neighbourhood, region }: ImageUse, scope: string): Sighting | undefined {
    const key = `${scope}\n${neighbourhood}\n${image}`;
    const first = this.#sightings.get(key);
    if (first === undefined) {
      const { kind, name } = request.workload;
      const who = `${kind} ${name} (${region.file})`;
      if (this.#sightings.size < this.#limit) this.#sightings.set(inOnePiece(key), { pulls, who: inOnePiece(who) });
      return undefined;
    }
    const { told = [] } = first;
    if (first.pulls === pulls || told.includes(pulls)) return undefined;
    first.told = [...told, pulls];
    return first;
  }
}

/** A text that was put together keeps all of its parts in memory; one that was read does not. */
function inOnePiece(text: string): string {
  return Buffer.from(text).toString();
}
