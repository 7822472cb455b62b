/** What readers make of a text. */
import type { ImageFields, Problem, SourceText, Workload } from "../../workload/index.ts";
import type { Rule } from "../rules/rule.ts";
import type { Span } from "../spans.ts";
import type { Subject } from "../subject.ts";
import type { SecretName } from "../types.ts";

/** Something about the input itself. */
export interface InputProblem {
  readonly rule: Rule;
  readonly at: Span;
  readonly message: string;
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
  /** Whether a text without any manifest is worth a word: not where a folder was searched. */
  readonly expectManifests: boolean;
  /** Whether objects may be patches, as those beside a kustomization are: then their images may be missing. */
  readonly mayBePatch: boolean;
  /** Of custom resources, beside those that are known. */
  readonly imageFields?: readonly ImageFields[] | undefined;
  /** Present where they are patches: then they have no names of their own. */
  readonly patch?: "rendered" | "alone" | undefined;
}

/** Containers of one text that are looked at, at most: a cluster's worth, and not more than memory has room for. */
export const mostSubjects = 50_000;
