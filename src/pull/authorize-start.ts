/**
 * Whether a container may start from the copy of an image that is on this machine already. A kubelet asks for no pull
 * where a copy is here (`IfNotPresent`, `Never`), so the rules are heeded once more when the container is made.
 */
import { type Digest, givenWithTag, type ImageName, isDigest, type Reference } from "../image/index.ts";
import {
  type Start as CopyStart,
  type Decision,
  type ImageFacts,
  type LocalFacts,
  noTrial,
  type Policy,
  type Prepare,
  prepare as prepareRequest,
  type Refusal,
  type Warning,
} from "../policy/index.ts";
import type { StoredImage } from "../store/index.ts";
import type { Clock } from "../support/clock.ts";
import { isPulleyError } from "../support/errors.ts";
import type { Pod, PodContainer } from "../workload/index.ts";
import type { DecisionLog } from "./decision-log/index.ts";
import { createRecorder } from "./decision-log/recorder.ts";
import { failureOf } from "./image-pull.ts";
import type { ImageService, LocalImage } from "./image-service.ts";
import type { HostsFor } from "./local-facts.ts";
import type { EnsuredImage } from "./types.ts";

/** A container that is about to be made, or an image volume of it. */
export interface Start {
  readonly pod: Pod;
  /** Its image is the one that was written by whoever made the pod, as far as that is known. */
  readonly container: PodContainer;
  /** What the runtime will take the copy by: its id, or a name. */
  readonly copy: string;
}

export interface StartAuthorizer {
  /** Whether all of these may start, which happens together or not at all; the first that may not, and why. */
  authorize(starts: readonly Start[]): Promise<RefusedStart | undefined>;
  /** Notes that an image has just been asked for: the start that follows is no decision of its own. */
  asked(pod: Pod, image: ImageName): void;
}

export interface RefusedStart {
  readonly start: Start;
  readonly refusal: Refusal;
}

export interface StartAuthorizerOptions {
  readonly images: Pick<ImageService, "status" | "facts">;
  /** Default: the one decision. */
  readonly prepare?: Prepare | undefined;
  /** The rules that hold now; asked for at each start. */
  readonly policy: () => Policy;
  readonly hosts?: HostsFor | undefined;
  readonly clock: Pick<Clock, "now">;
  /** Where decisions are written down; absent: nowhere. */
  readonly log?: Pick<DecisionLog, "append"> | undefined;
  /** Called with each decision. */
  readonly onEnsured?: ((ensured: EnsuredImage) => void) | undefined;
  /** Called with what rules on trial would refuse in what starts. */
  readonly onWarning?: ((start: Start, warning: Warning) => void) | undefined;
}

/** What is known of the copy, and by which names it may have been asked for. */
interface Seen {
  readonly facts: LocalFacts;
  readonly names: readonly string[];
  /** Absent where there is no copy: the runtime will say so. */
  readonly id: Digest | undefined;
}

interface AuthorizedStart extends Pick<Seen, "facts" | "id">, CopyStart {
  readonly start: Start;
  /** When it was decided, in milliseconds since the epoch. */
  readonly now: number;
}

/** Pods whose pull has not been followed by a start yet. */
const mostAsked = 1000;

export function createStartAuthorizer(options: StartAuthorizerOptions): StartAuthorizer {
  const { images, prepare = prepareRequest, clock } = options;
  const recorder = createRecorder(options.log, options.policy);
  const asked = new Set<string>();
  // What an image says of itself never changes, and a store gives the same object until something about it does.
  const known = new WeakMap<StoredImage, Map<string, ImageFacts>>();

  /** What is no name of any image here is for the runtime to complain about. */
  async function statusOf(text: Reference | string): Promise<LocalImage | undefined> {
    try {
      return await images.status(text);
    } catch (error) {
      if (isPulleyError(error, "REFERENCE_INVALID")) return undefined;
      throw error;
    }
  }

  async function look({ container: { image: written, request }, copy }: Start): Promise<Seen> {
    const local = await statusOf(copy);
    if (local === undefined) return { facts: { presence: "absent" }, names: [written], id: undefined };
    const { id, repoTags, repoDigests } = local.image;
    const named = isDigest(written) || request.image.kind === "invalid" ? undefined : request.image;
    const byName = named && (await statusOf(named));
    if (named !== undefined && byName?.image.id === id) {
      return { facts: await factsOf(byName, named, named), names: [written], id };
    }
    // The name stands for another image by now, or none is known: any that the copy has may have been meant.
    const others = repoTags.length > 0 ? repoTags : repoDigests;
    const names = isDigest(written) && others.length > 0 ? others : [written, ...others];
    const unnamed = { ...local, digest: undefined, confirmedAt: undefined };
    return { facts: await factsOf(unnamed, others[0] ?? id, named), names, id };
  }

  async function saidOf(image: StoredImage, wanted: Reference | string): Promise<ImageFacts | undefined> {
    const name = typeof wanted === "string" ? wanted : givenWithTag(wanted);
    const remembered = known.get(image)?.get(name);
    if (remembered !== undefined) return remembered;
    const said = await images.facts(wanted);
    if (said !== undefined) known.set(image, new Map(known.get(image)).set(name, said));
    return said;
  }

  async function factsOf(
    { image, digest, confirmedAt }: LocalImage,
    name: Reference | string,
    reference: Reference | undefined,
  ): Promise<LocalFacts> {
    const said = await saidOf(image, name);
    const hosts = reference && options.hosts?.(reference);
    const present = { presence: "present", digest, confirmedAt, access: "granted" } as const;
    return { ...present, ...(said && { image: said }), ...(hosts && { hosts }) };
  }

  async function authorizeOne(start: Start): Promise<AuthorizedStart> {
    const now = clock.now();
    const prepared = prepare(start.container.request, options.policy(), now);
    const { facts, names, id } = await look(start);
    return { start, facts, id, now, ...prepared.under(names).start(facts) };
  }

  function noteRefused({ start, facts, decision, now, id }: AuthorizedStart, { reason, message }: Refusal): void {
    asked.delete(keyOf(start.pod, start.container.request.image));
    const result = failureOf(reason, message);
    const outcome = { kind: "refused", failure: reason } as const;
    recorder.note(start, { now, ended: clock.now(), facts, decision, result, outcome });
    tell(decision, "refused", id);
  }

  function noteUsed({ start, facts, decision, warnings, now, id }: AuthorizedStart): void {
    if (asked.delete(keyOf(start.pod, start.container.request.image)) || id === undefined) return;
    const digest = facts.presence === "present" ? facts.digest : undefined;
    const outcome = { kind: "used", digest } as const;
    recorder.note(start, { now, ended: clock.now(), facts, decision, result: id, outcome });
    tell({ ...decision, trial: { ...noTrial, warnings } }, "used", id);
    for (const warning of warnings) options.onWarning?.(start, warning);
  }

  function tell(decision: Decision, outcome: "used" | "refused", id: Digest | undefined): void {
    const labels = { pullPolicy: "IfNotPresent", presentLocally: id !== undefined, pullRequired: false } as const;
    options.onEnsured?.({ labels, decision, outcome, failure: undefined, pull: undefined });
  }

  return {
    authorize: async (starts) => {
      const authorized: AuthorizedStart[] = [];
      for (const start of starts) {
        const one = await authorizeOne(start);
        const { refusal } = one;
        if (refusal !== undefined) {
          noteRefused(one, refusal);
          return { start, refusal };
        }
        authorized.push(one);
      }
      for (const one of authorized) noteUsed(one);
      return undefined;
    },
    asked: (pod, image) => {
      const [oldest] = asked;
      if (asked.size >= mostAsked && oldest !== undefined) asked.delete(oldest);
      asked.add(keyOf(pod, image));
    },
  };
}

function keyOf({ uid }: Pod, image: ImageName): string {
  return JSON.stringify([uid, image.kind === "invalid" ? image.given : givenWithTag(image)]);
}
