/** What a rule is given, and what it answers. */
import type { Reference } from "../../image/reference.ts";
import type { Decision } from "../../policy/types.ts";
import { quote } from "../../support/go.ts";
import type { PullPolicy } from "../../workload/types.ts";
import type { RuleId } from "../rules.ts";
import type { Span } from "../spans.ts";
import type { Pulls, Subject } from "../subject.ts";

/** What one rule has to say about one container. */
export interface Observation {
  readonly at: Span;
  /** Why here, with the values, in one sentence without a full stop at its end. */
  readonly message: string;
  /** What to write, in one sentence. */
  readonly advice: string;
  /** What would remove the finding, where that needs no decision. */
  readonly change?: Change | undefined;
  /** What it becomes within the finding of another rule about the same container, where that one is told. */
  readonly folds?: { readonly into: RuleId; readonly message: string; readonly advice: string };
}

export type Change =
  | { readonly what: "pullPolicy"; readonly value: PullPolicy }
  | { readonly what: "image"; readonly image: string };

export interface Circumstances {
  /** Whether a tag is one of those that are pushed again and again. */
  isMoving(tag: string): boolean;
  /** What the policy says; absent without one. */
  readonly decision: Decision | undefined;
  /** What is pulled when; absent where that is not the container's to say. */
  readonly pulls: Pulls | undefined;
}

/** A rule: pure, and silent where it has nothing to say. */
export type Check = (subject: Subject, circumstances: Circumstances) => Observation | undefined;

/** The tag under which a registry is asked; the one that is implied where there is neither tag nor digest. */
export function effectiveTag({ tag, digest }: Reference): string | undefined {
  return tag ?? (digest === undefined ? "latest" : undefined);
}

/** Where the image stands, or else where the container begins. */
export function imagePlace({ image, head }: Subject): Span {
  return image ?? head;
}

/** Where the pull policy stands, or else where the container begins. */
export function policyPlace({ written, head }: Subject): Span {
  return written?.at ?? head;
}

/** A name without tag and digest, as it was written. */
export function nameOf(reference: Reference): string {
  const { given, tag, digest } = reference;
  const untagged = digest === undefined ? given : given.slice(0, -digest.length - 1);
  return shortened(tag === undefined ? untagged : untagged.slice(0, -tag.length - 1));
}

/** The image for messages: whole where it is not very long. */
export function imageText({ request }: Subject): string {
  return shortened(request.image);
}

/** A written value for messages, as YAML would quote it. */
export function shown(text: string): string {
  return quote(text.length > longestShown ? `${text.slice(0, longestShown)}…` : text);
}

const longestShown = 200;

function shortened(text: string): string {
  return text.length > longestShown ? `${text.slice(0, longestShown)}…` : text;
}
