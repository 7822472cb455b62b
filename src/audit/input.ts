/** What is audited: texts, and what should have been one but could not be read or rendered. */
import type { ImagePlace } from "../workload/index.ts";
import type { ReplacedImages } from "./placeholders.ts";
import type { Span } from "./spans.ts";
import type { NotSeen } from "./types.ts";

export interface TextInput {
  readonly kind: "text";
  /** Path as given by the user, or `-` for standard input. */
  readonly file: string;
  readonly text: string;
  /** Whether the text was named as one to audit; among the files of a folder there are others, too. */
  readonly expectManifests: boolean;
  /** Whether objects may be patches, as those beside a kustomization are: then their images may be missing. */
  readonly mayBePatch: boolean;
  /** Images that a kustomization or Skaffold nearby replaces, by their names without tags. */
  readonly replacedImages?: ReplacedImages | undefined;
  /** What one cluster would hold together with it: a folder's path; the file's own where absent. */
  readonly scope?: string;
  /** Whether it is outside of what was named, as a base of an overlay can be: then it is not for a fix to change. */
  readonly isOutside?: boolean;
  /** Of a patch, whether what it comes to is among what was `rendered`; else it stands `alone`. Absent where it is none. */
  readonly patch?: "rendered" | "alone" | undefined;
  /** What kustomizations make of the containers of the text. */
  readonly rendered?: readonly RenderedObject[];
  /** Containers whose images kustomizations set elsewhere: they are looked at there. See `containerKey`. */
  readonly replacedContainers?: readonly string[];
  /**
   * For texts that were rendered: what `file` says itself. Findings are told at the line of it that the rendered line
   * comes from, where that can be told, and have no fixes.
   */
  readonly original?: string;
}

export interface UnreadableInput {
  readonly kind: "unreadable";
  readonly file: string;
  readonly rule: "input-unreadable" | "render-failed";
  readonly message: string;
  readonly advice: string;
}

/** What an audit of a folder leaves out, because it could not be rendered. It is told beside the findings. */
export interface NotSeenInput extends NotSeen {
  readonly kind: "notSeen";
}

export type AuditInput = TextInput | UnreadableInput | NotSeenInput;

/** An object as a kustomization makes it, for the file in which images of it are written. */
export interface RenderedObject {
  /** The object, as YAML. */
  readonly text: string;
  /** Files of the kustomizations that make it so. */
  readonly kustomizations: readonly string[];
  /** Whether other kustomizations, which could not be built, may still change it. */
  readonly mayBeChanged: boolean;
  readonly containers: readonly RenderedContainer[];
}

export interface RenderedContainer {
  /** Where it is in the object: `spec.template.spec.containers[0]`. */
  readonly path: string;
  /** Where its image is written in the file. */
  readonly at: Span;
  /** The container of the file that it is, or that makes it what it is: see {@link containerKey}. */
  readonly own: string | undefined;
  /** Whether it is counted with another file, in which its object is written. */
  readonly isCountedElsewhere: boolean;
}

/** Tells the containers of one file apart; several may share their text through an anchor. */
export function containerKey({ value, path }: Pick<ImagePlace, "value" | "path">): string {
  return `${value.start} ${path}`;
}
