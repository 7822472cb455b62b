/** What rules check: one container, with the places of its values. */
import type { Reference } from "../image/index.ts";

import type { ImageRequest, PullPolicy, Value } from "../workload/index.ts";
import type { ImageField, PolicyField } from "./fix/fields.ts";
import type { Span } from "./spans.ts";

/** The format of the file: a Kubernetes manifest, a Compose file, an OpenFaaS stack file. */
export type InputFormat = "kubernetes" | "compose" | "openfaas";

/** The names that a format has for the field and the pull policies. */
export interface FormatWords {
  readonly field: string;
  readonly values: Readonly<Record<PullPolicy, string>>;
  /** Other values that the format accepts. */
  readonly others: readonly string[];
  /** What sets the default and refuses a wrong value, with its article. */
  readonly reader: string;
  /** What stores images, with its article. */
  readonly machine: string;
}

/** A pull policy as it is written. */
export interface WrittenPolicy {
  readonly text: string;
  readonly at: Span;
  /** `Periodic`: Compose asks the registry at an interval. Absent where the value is not valid. */
  readonly meaning: PullPolicy | "Periodic" | undefined;
}

/** A field that looks like a pull policy and is none. */
export interface IgnoredField {
  readonly field: string;
  readonly at: Span;
  /** Half a sentence, where it is not just a field that the format does not know. */
  readonly why?: string;
}

export interface Subject {
  readonly format: InputFormat;
  readonly words: FormatWords;
  readonly request: ImageRequest;
  /** What a fix can change: not an image with a variable, and not a pull policy without a place. */
  readonly fields: {
    readonly image?: ImageField | undefined;
    readonly policy?: PolicyField | undefined;
    /** An image that is known by the defaults of its variables: `nginx:${TAG:-1.27}`. */
    readonly withDefaults?: ImageField | undefined;
  };
  /** What says where the container runs: the pod's specification, the service, the function. */
  readonly runs: Value | undefined;
  /** Where the image is written; absent where it is not. */
  readonly image: Span | undefined;
  /** The container's first key. */
  readonly head: Span;
  /** Absent where the image does not parse or is not known. */
  readonly reference: Reference | undefined;
  /** Why the image does not parse. */
  readonly problem: string | undefined;
  /** A variable without a default, a template or a placeholder: the image is not known before it is replaced. */
  readonly unresolved: "variable" | "template" | "placeholder" | undefined;
  /** Of a placeholder, half a sentence: who replaces it. */
  readonly placeholder?: string | undefined;
  readonly written: WrittenPolicy | undefined;
  /** A field that looks like the pull policy, but is not read here. */
  readonly ignored: IgnoredField | undefined;
  /** As written or by default; absent where the format leaves the pull policy to another program. */
  readonly pulls: EffectivePull | undefined;
  /** A container whose image may be missing, because it is a patch for another one. */
  readonly mayBePatch: boolean;
}

/** The format's own word for a pull policy. */
export function pullsText(
  { words, written }: Pick<Subject, "words" | "written">,
  value: EffectivePull["value"],
): string {
  return value === "Periodic" ? (written?.text ?? value) : words.values[value];
}

/** The pull policy that applies. */
export interface EffectivePull {
  readonly value: PullPolicy | "Periodic";
  /** `provider`: that of OpenFaaS sets it on every function, and no function can say otherwise. */
  readonly from: "manifest" | "default" | "provider";
  /** Where it is not in the manifest: why, in half a sentence. */
  readonly because: string;
}
