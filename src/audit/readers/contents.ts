/** What readers find in a text. */
import type { ImageFields, Problem, PullPolicy, SourceText, Workload } from "../../workload/index.ts";
import type { Rule } from "../rules/rule.ts";
import type { Span } from "../spans.ts";
import type { Subject } from "../subject.ts";
import type { SecretName } from "../types.ts";

/** A problem with the input itself. */
export interface InputProblem {
  readonly rule: Rule;
  readonly at: Span;
  readonly message: string;
  /** That of the rule where absent. */
  readonly advice?: string;
}

export interface WantedSecret extends SecretName {
  readonly at: Span;
  readonly workload: Workload;
}

export interface ReadText {
  readonly text: SourceText;
  readonly subjects: readonly Subject[];
  /** Objects that ask for images. */
  readonly workloads: number;
  readonly problems: readonly InputProblem[];
  readonly wantedSecrets: readonly WantedSecret[];
  readonly secrets: readonly SecretName[];
  /** Services of Compose that ask for no image, because they are built. */
  readonly built?: readonly Problem[];
}

export interface ReadOptions {
  /** Whether a text without a manifest is reported: not where a folder was searched. */
  readonly expectManifests: boolean;
  /** Whether objects may be patches, as beside a kustomization: then images may be missing. */
  readonly mayBePatch: boolean;
  /** Image fields of custom resources, in addition to the built-in ones. */
  readonly imageFields?: readonly ImageFields[] | undefined;
  /** What the provider of OpenFaaS sets on functions: Always where absent. */
  readonly openfaasPullPolicy?: PullPolicy | undefined;
  /** Present where objects are patches: then they have no names of their own. */
  readonly patch?: "rendered" | "alone" | undefined;
}

/** Containers of one text that are audited, at most: as many as a cluster has, and few enough for memory. */
export const mostSubjects = 50_000;
