/** A rule: its id, its documentation and its check. */
import type { Reference } from "../../image/index.ts";
import type { Decision, Policy } from "../../policy/index.ts";
import { quote } from "../../support/go.ts";
import type { ImageRequest, PullPolicy, Workload } from "../../workload/index.ts";
import type { Span } from "../spans.ts";
import type { EffectivePull, Subject } from "../subject.ts";
import type { Region, SecretName, Severity } from "../types.ts";

/**
 * `recommended`: each image gets the pull policy that fits it. `always`: all images without a digest are Always.
 * `offline`: no container may need a registry to start.
 */
export type Profile = "recommended" | "always" | "offline";

export const profiles: readonly Profile[] = ["recommended", "always", "offline"];

export interface RuleMeta {
  /** A few words, without a full stop. */
  readonly title: string;
  readonly why: string;
  readonly advice: string;
  readonly severity: Readonly<Record<Profile, Severity | "off">>;
  /** Whether `--fix` can correct what the rule finds, at least in some cases. */
  readonly fixable?: true;
  readonly example?: RuleExample;
}

/** Fields of a container, as YAML, for the documentation. */
export interface RuleExample {
  readonly found: string;
  readonly notFound: string;
  /** `recommended` where absent. */
  readonly profile?: Profile;
}

/** A rule without a check of its own. The readers of the input, of comments or of the baseline report it. */
export interface ReportedRule {
  readonly id: string;
  readonly meta: RuleMeta;
}

/** A rule that checks one container. */
export interface ContainerRule extends ReportedRule {
  /** Pure. Returns nothing where the container is as it should be. */
  check(subject: Subject, context: RuleContext): RuleReport | undefined;
}

/** A rule that compares files with each other. */
export interface CrossFileRule extends ReportedRule {
  /** Called once for each audit. */
  create(context: CrossFileContext): CrossFileCheck;
}

export type Rule = ReportedRule | ContainerRule | CrossFileRule;

export interface RuleContext {
  /** Whether a tag is one of those that are pushed again and again. */
  isMoving(tag: string): boolean;
  /** The decision of the policy; absent without a policy. */
  readonly decision: Decision | undefined;
  /** The effective pull policy; absent where the container does not set it. */
  readonly pulls: EffectivePull | undefined;
}

/** What a rule reports about a container. */
export interface RuleReport {
  readonly at: Span;
  /** The reason, with values, in one sentence without a full stop. */
  readonly message: string;
  /** What to write, in one sentence. */
  readonly advice: string;
  /** The change that removes the finding, where it needs no decision. */
  readonly correction?: Correction | undefined;
  /**
   * What it becomes within the finding of another rule (its id) about the same container, where that one is reported.
   */
  readonly folds?: { readonly into: string; readonly message: string; readonly advice: string };
}

export type Correction =
  | { readonly what: "pullPolicy"; readonly value: PullPolicy }
  | { readonly what: "image"; readonly image: string };

export interface CrossFileContext {
  readonly policy: Policy | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** The state of a rule in one audit. Its size is bounded by each rule. */
export interface CrossFileCheck {
  /** Called with each file in turn. */
  file(facts: FileFacts): readonly CrossFileReport[];
  /** Called once all files have been seen. */
  end(): readonly CrossFileReport[];
}

export interface CrossFileReport {
  readonly region: Region;
  readonly message: string;
  /** The container that it is about. */
  readonly request?: ImageRequest;
  /** The workload, where it is about no container. */
  readonly workload?: Workload;
  /** Present where only the whole input shows whether there is a finding: called at the end. */
  readonly holds?: () => boolean;
}

/** The facts of a file that are compared with other files. */
export interface FileFacts {
  readonly uses: readonly ImageUse[];
  readonly wantedSecrets: readonly SecretUse[];
  readonly secrets: readonly SecretName[];
  /** Ids of the exemptions of the policy that it needs. */
  readonly exemptions: readonly string[];
}

/** An image and how it is pulled. */
export interface ImageUse {
  readonly request: ImageRequest;
  /** Normalised. */
  readonly image: string;
  /** In the format's own word. */
  readonly pulls: string;
  /** Containers may share a node if this is the same: `the namespace prod`, `the file compose.yaml`. */
  readonly neighbourhood: string;
  /** Uses with a scope in common may be in one cluster: a folder, or what one kustomization builds. */
  readonly scopes: readonly string[];
  readonly region: Region;
}

/** A pull secret that a workload names. */
export interface SecretUse extends SecretName {
  readonly workload: Workload;
  readonly region: Region;
}

/** One severity under all profiles. */
export function everywhere(severity: Severity): RuleMeta["severity"] {
  return { recommended: severity, always: severity, offline: severity };
}

/** The tag of a pull; `latest` where there is no tag and no digest. */
export function effectiveTag({ tag, digest }: Reference): string | undefined {
  return tag ?? (digest === undefined ? "latest" : undefined);
}

/** The place of the image, or else the start of the container. */
export function imagePlace({ image, head }: Subject): Span {
  return image ?? head;
}

/** The place of the pull policy, or else the start of the container. */
export function policyPlace({ written, head }: Subject): Span {
  return written?.at ?? head;
}

/** A name without tag and digest, as it was written. */
export function nameOf(reference: Reference): string {
  const { given, tag, digest } = reference;
  const untagged = digest === undefined ? given : given.slice(0, -digest.length - 1);
  return shortened(tag === undefined ? untagged : untagged.slice(0, -tag.length - 1));
}

/** The image for messages, shortened where it is very long. */
export function imageText({ request }: Subject): string {
  return shortened(request.image.given);
}

/** A written value for messages, as YAML would quote it. */
export function shown(text: string): string {
  return quote(shortened(text));
}

const longestShown = 200;

function shortened(text: string): string {
  return text.length > longestShown ? `${text.slice(0, longestShown)}…` : text;
}

/** A digest for the examples. */
export const exampleDigest = `sha256:${"0123456789abcdef".repeat(4)}`;
