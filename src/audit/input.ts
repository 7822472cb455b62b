/** What is audited: texts, and what should have been one but could not be read or rendered. */
import type { ReplacedImages } from "./placeholders.ts";

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

export type AuditInput = TextInput | UnreadableInput;
