/** What the rules look at: one container, with the place of each of its words. */
import type { Reference } from "../image/index.ts";

import type { ImageRequest, PullPolicy } from "../workload/index.ts";
import type { ImageField, PolicyField } from "./fix/fields.ts";
import type { Span } from "./spans.ts";

/** Where an image is asked for: a manifest, a Compose file, a stack file of OpenFaaS. */
export type InputFormat = "kubernetes" | "compose" | "openfaas";

/** What a format calls the field, and the pull policies. */
export interface FormatWords {
  readonly field: string;
  readonly values: Readonly<Record<PullPolicy, string>>;
  /** Other values that the format takes. */
  readonly others: readonly string[];
  /** Who sets the default, and who refuses a wrong value. */
  readonly reader: string;
  /** What keeps images, with its article. */
  readonly machine: string;
}

/** A pull policy as it is written. */
export interface WrittenPolicy {
  readonly text: string;
  readonly at: Span;
  /** `Periodic`: Compose asks the registry every so often. Absent where the value is not one of the format's. */
  readonly meaning: PullPolicy | "Periodic" | undefined;
}

export interface Subject {
  readonly format: InputFormat;
  readonly words: FormatWords;
  readonly request: ImageRequest;
  /** What can be changed mechanically: not an image that has a variable in it, nor a pull policy without a place. */
  readonly fields: { readonly image?: ImageField | undefined; readonly policy?: PolicyField | undefined };
  /** Where the image is written; absent where it is not. */
  readonly image: Span | undefined;
  /** The container's first key. */
  readonly head: Span;
  /** The parsed image; absent where it does not parse, and where the image is not known. */
  readonly reference: Reference | undefined;
  /** Why the image does not parse. */
  readonly problem: string | undefined;
  /** A variable without a default, a template's braces or a placeholder: the image is not known before it is put in. */
  readonly unresolved: "variable" | "template" | "placeholder" | undefined;
  /** Of a placeholder, half a sentence: who replaces it. */
  readonly placeholder?: string | undefined;
  readonly written: WrittenPolicy | undefined;
  /** A field that looks like the pull policy's, but that nobody reads here. */
  readonly ignored: { readonly field: string; readonly at: Span } | undefined;
  /** What is pulled when, as it is written or by default; absent where the format leaves it to somebody else. */
  readonly pulls: EffectivePull | undefined;
  /** A container whose image may be missing, because it is a patch for another one. */
  readonly mayBePatch: boolean;
}

/** The format's own word for what is pulled when. */
export function pullsText(
  { words, written }: Pick<Subject, "words" | "written">,
  value: EffectivePull["value"],
): string {
  return value === "Periodic" ? (written?.text ?? value) : words.values[value];
}

/** What is pulled when. */
export interface EffectivePull {
  readonly value: PullPolicy | "Periodic";
  readonly from: "manifest" | "default";
  /** For defaults: half a sentence, what about the image made it so. */
  readonly because: string;
}
