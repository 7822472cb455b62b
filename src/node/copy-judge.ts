/**
 * Whether a container may start from the copy of an image that is on this machine already. A kubelet asks for no pull
 * where a copy is here (`IfNotPresent`, `Never`), so the rules are heeded once more when the container is made.
 */
import { isDigest } from "../image/digest.ts";
import type { Decide, Decision, LocalFacts, Policy, Refusal } from "../policy/types.ts";
import { refusalOfCopy } from "../policy/unasked.ts";
import type { Clock } from "../support/clock.ts";
import { isPulleyError } from "../support/errors.ts";
import type { Pod, PodContainer } from "../workload/types.ts";
import type { DecisionLog } from "./decision-log/index.ts";
import { createRecorder } from "./decision-log/recorder.ts";
import { failureOf } from "./image-pull.ts";
import type { ImageService, LocalImage } from "./image-service.ts";
import { type HostsFor, nameForRuntime } from "./local-facts.ts";
import type { EnsuredImage } from "./types.ts";

/** A container that is about to be made, or an image volume of it. */
export interface Start {
  readonly pod: Pod;
  /** Its image is the one that was written by whoever made the pod, as far as that is known. */
  readonly container: PodContainer;
  /** What the runtime will take the copy by: its id, or a name. */
  readonly copy: string;
}

export interface CopyJudge {
  /** Why it may not start; `undefined` if it may. */
  judge(start: Start): Promise<Refusal | undefined>;
  /** Notes that an image has just been asked for: the start that follows is no decision of its own. */
  asked(pod: Pod, image: string): void;
}

export interface CopyJudgeOptions {
  readonly images: Pick<ImageService, "status" | "facts">;
  readonly decide: Decide;
  /** The rules that hold now; asked for at each start. */
  readonly policy: () => Policy;
  readonly hosts?: HostsFor | undefined;
  readonly clock: Pick<Clock, "now">;
  /** Where decisions are written down; absent: nowhere. */
  readonly log?: Pick<DecisionLog, "append"> | undefined;
  /** Hears of each decision. */
  readonly onEnsured?: ((ensured: EnsuredImage) => void) | undefined;
}

/** What is known of the copy, and by which names it may have been asked for. */
interface Seen {
  readonly facts: LocalFacts;
  readonly names: readonly string[];
  readonly local: LocalImage | undefined;
}

/** Pods whose pull has not been followed by a start yet. */
const mostAsked = 1000;

export function createCopyJudge(options: CopyJudgeOptions): CopyJudge {
  const { images, decide, clock, onEnsured } = options;
  const recorder = createRecorder(options.log);
  const asked = new Set<string>();

  async function look({ container, copy }: Start): Promise<Seen> {
    const written = isDigest(container.image) ? undefined : nameForRuntime(container.image);
    const local = await statusOf(copy);
    if (local === undefined) return { facts: { presence: "absent" }, names: [container.image], local };
    const { id, repoTags, repoDigests } = local.image;
    const byName = written && (await statusOf(written.name));
    const others = repoTags.length > 0 ? repoTags : repoDigests;
    const isNamed = byName?.image.id === id;
    // A name that stands for another image by now, or none at all: any of the copy's own may have been meant.
    const names = isNamed || written === undefined ? [] : [container.image];
    const all = isNamed ? [container.image] : [...names, ...others];
    const { digest, confirmedAt } = isNamed ? byName : { digest: undefined, confirmedAt: undefined };
    const said = await images.facts((isNamed ? written?.name : others[0]) ?? id);
    const hosts = written && options.hosts?.(written.reference);
    return {
      facts: {
        ...({ presence: "present", digest, confirmedAt, access: "granted" } as const),
        ...(said && { image: said }),
        ...(hosts && { hosts }),
      },
      names: all.length > 0 ? all : [container.image],
      local,
    };
  }

  /** What is no name of any image here is for the runtime to complain about. */
  async function statusOf(text: string): Promise<LocalImage | undefined> {
    try {
      return await images.status(text);
    } catch (error) {
      if (isPulleyError(error, "REFERENCE_INVALID")) return undefined;
      throw error;
    }
  }

  function judgeAs({ container: { request } }: Start, image: string, facts: LocalFacts) {
    const named = { ...request, image };
    const decision = decide(named, options.policy(), facts, clock.now());
    return { decision, refusal: refusalOfCopy(decision, named) };
  }

  function note(start: Start, { facts, local }: Seen, decision: Decision, now: number): void {
    const { pod, container } = start;
    const refused = decision.action === "Refuse" ? decision : undefined;
    const wasAsked = asked.delete(keyOf(pod, container.image));
    if (refused === undefined && (wasAsked || local === undefined)) return;
    const digest = facts.presence === "present" ? facts.digest : undefined;
    recorder.note(start, {
      ...{ now, ended: clock.now(), facts, decision },
      result: refused === undefined && local ? local.image.id : failureOf(refused?.reason ?? "", decision.message),
      outcome: refused === undefined ? { kind: "used", digest } : { kind: "refused", failure: refused.reason },
    });
    onEnsured?.({
      labels: { pullPolicy: "IfNotPresent", presentLocally: local !== undefined, pullRequired: false },
      ...{ decision, outcome: refused === undefined ? "used" : "refused", failure: undefined, pull: undefined },
    });
  }

  return {
    judge: async (start) => {
      const now = clock.now();
      const seen = await look(start);
      const judged = seen.names.map((name) => judgeAs(start, name, seen.facts));
      const refusal = judged.find((each) => each.refusal !== undefined)?.refusal;
      const decision = refusal ?? judged[0]?.decision;
      if (decision !== undefined) note(start, seen, decision, now);
      return refusal;
    },
    asked: (pod, image) => {
      const [oldest] = asked;
      if (asked.size >= mostAsked && oldest !== undefined) asked.delete(oldest);
      asked.add(keyOf(pod, image));
    },
  };
}

function keyOf({ uid }: Pod, image: string): string {
  return JSON.stringify([uid, nameForRuntime(image)?.name ?? image]);
}
