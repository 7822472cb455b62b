/** The rule about images with two pull policies in one namespace. */
import {
  type CrossFileCheck,
  type CrossFileReport,
  type CrossFileRule,
  everywhere,
  type FileFacts,
  type ImageUse,
} from "./rule.ts";

export const pullPolicyConflict = {
  id: "pull-policy-conflict",
  meta: {
    title: "One image has two pull policies",
    why: "Containers that may share a node use its copy of the image differently. Whether the copy is fresh depends on which container started last.",
    advice: "Give the image the same pull policy everywhere.",
    severity: everywhere("warning"),
  },
  create: (): CrossFileCheck => new PullPolicyConflicts(),
} as const satisfies CrossFileRule;

/** Images that are remembered, at most; the rest is not compared. */
const mostImages = 200_000;

interface FirstUse {
  readonly pulls: string;
  /** `Deployment web (web.yaml)` */
  readonly who: string;
  /** Other pull policies that have been reported: each is reported once. */
  told?: readonly string[];
}

/**
 * Finds images that have different pull policies in two containers that may share a node: those of one namespace in one
 * cluster.
 */
export class PullPolicyConflicts implements CrossFileCheck {
  readonly #limit: number;
  readonly #firstUses = new Map<string, FirstUse>();

  constructor(limit = mostImages) {
    this.#limit = limit;
  }

  file({ uses }: Pick<FileFacts, "uses">): readonly CrossFileReport[] {
    return uses.flatMap((use) => this.#report(use) ?? []);
  }

  end(): readonly CrossFileReport[] {
    return [];
  }

  /** Remembers a container, and reports it if its pull policy is another one than that of the first with the image. */
  #report(use: ImageUse): CrossFileReport | undefined {
    const [first] = use.scopes.flatMap((scope) => this.#otherUse(use, scope) ?? []);
    if (first === undefined) return undefined;
    const { request, image, pulls, neighbourhood, region } = use;
    const message = `${image.slice(0, 300)} has the pull policy ${pulls} here, but ${first.pulls} in ${first.who}, in ${neighbourhood}`;
    return { region, message, request };
  }

  /** The first use of the image in the scope, if it has another pull policy and that has not been reported. */
  #otherUse({ request, image, pulls, neighbourhood, region }: ImageUse, scope: string): FirstUse | undefined {
    const key = `${scope}\n${neighbourhood}\n${image}`;
    const first = this.#firstUses.get(key);
    if (first === undefined) {
      const { kind, name } = request.workload;
      const who = region.live === undefined ? `${kind} ${name} (${region.file})` : `${kind} ${name}`;
      if (this.#firstUses.size < this.#limit) this.#firstUses.set(inOnePiece(key), { pulls, who: inOnePiece(who) });
      return undefined;
    }
    const { told = [] } = first;
    if (first.pulls === pulls || told.includes(pulls)) return undefined;
    first.told = [...told, pulls];
    return first;
  }
}

/** A concatenated string keeps all of its parts in memory; a decoded one does not. */
function inOnePiece(text: string): string {
  return Buffer.from(text).toString();
}
