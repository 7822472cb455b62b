/** The rule about images that containers of one namespace have pulled in two ways. */
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

/** Images in namespaces that are remembered, at most; those beyond are not compared. */
const mostImages = 200_000;

interface FirstUse {
  readonly pulls: string;
  /** `Deployment web (web.yaml)` */
  readonly who: string;
  /** Other ways to pull it that have been told already: each once is enough. */
  told?: readonly string[];
}

/** Finds images that two containers of one cluster's namespace, which may share a node, have pulled in two ways. */
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

  /** Remembers a container, and reports it if it pulls in another way than the first that asked for the image. */
  #report(use: ImageUse): CrossFileReport | undefined {
    const [first] = use.scopes.flatMap((scope) => this.#otherUse(use, scope) ?? []);
    if (first === undefined) return undefined;
    const { request, image, pulls, neighbourhood, region } = use;
    const message = `${image.slice(0, 300)} has the pull policy ${pulls} here, but ${first.pulls} in ${first.who}, in ${neighbourhood}`;
    return { region, message, request };
  }

  /** Who else in the scope pulls the image in another way, if that has not been told. */
  #otherUse({ request, image, pulls, neighbourhood, region }: ImageUse, scope: string): FirstUse | undefined {
    const key = `${scope}\n${neighbourhood}\n${image}`;
    const first = this.#firstUses.get(key);
    if (first === undefined) {
      const { kind, name } = request.workload;
      const who = `${kind} ${name} (${region.file})`;
      if (this.#firstUses.size < this.#limit) this.#firstUses.set(inOnePiece(key), { pulls, who: inOnePiece(who) });
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
