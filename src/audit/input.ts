/** The inputs of an audit: texts, and what could not be read or rendered. */
import type { ImagePlace } from "../workload/index.ts";
import type { ReplacedImages } from "./placeholders.ts";
import type { Span } from "./spans.ts";
import type { LiveObject, NotSeen } from "./types.ts";

export interface TextInput {
  readonly kind: "text";
  /** Path as given by the user, or `-` for standard input. */
  readonly file: string;
  readonly text: string;
  /** Whether the user named this file; a folder may also have files that are not manifests. */
  readonly expectManifests: boolean;
  /** Whether objects may be patches, as beside a kustomization: then images may be missing. */
  readonly mayBePatch: boolean;
  /** Whether it is a kustomization that was built: then all of its images are known. */
  readonly isBuilt?: boolean;
  /** Images that a kustomization or Skaffold file replaces, by their names without tags. */
  readonly replacedImages?: ReplacedImages | undefined;
  /** Files with the same scope may be in one cluster: a folder's path; the folder of the file where absent. */
  readonly scope?: string;
  /** Whether the file is outside of the named folders, as a base of an overlay can be: then fixes do not change it. */
  readonly isOutside?: boolean;
  /**
   * For a patch: `rendered` if its result is among the rendered objects, otherwise `alone`. Absent where the file is no
   * patch.
   */
  readonly patch?: "rendered" | "alone" | undefined;
  /** What kustomizations build from the text. */
  readonly rendered?: readonly RenderedObject[];
  /** Containers whose images are set in other files: they are audited there. See `containerKey`. */
  readonly replacedContainers?: readonly string[];
  /**
   * For a rendered text: the text of `file` itself. Findings are reported at the line of it that the rendered line
   * comes from, where that is known, and have no fixes.
   */
  readonly original?: string;
  /** For what runs in a cluster: the object that the text is. It has no fixes, and its Secrets are not known. */
  readonly live?: LiveObject;
}

export interface UnreadableInput {
  readonly kind: "unreadable";
  readonly file: string;
  readonly rule: "input-unreadable" | "render-failed";
  /** Whether only the program that renders it is missing. */
  readonly isProgramMissing?: boolean;
  readonly message: string;
  readonly advice: string;
}

/** What an audit of a folder could not render. It is reported beside the findings. */
export interface NotSeenInput extends NotSeen {
  readonly kind: "notSeen";
}

export type AuditInput = TextInput | UnreadableInput | NotSeenInput;

/** An object that a kustomization built, for the file in which its images are written. */
export interface RenderedObject {
  /** The object, as YAML. */
  readonly text: string;
  /** Files of the kustomizations that build it so. */
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
  /** The container of the file that it is built from: see {@link containerKey}. */
  readonly own: string | undefined;
  /** Whether it is counted with the file in which its object is written. */
  readonly isCountedElsewhere: boolean;
  /** The container of its object's file, where its image is set in another file. */
  readonly replaced?: { readonly file: string; readonly own: string } | undefined;
}

/** Identifies a container in its file; several may share their text through an anchor. */
export function containerKey({ value, path }: Pick<ImagePlace, "value" | "path">): string {
  return `${value.start} ${path}`;
}
