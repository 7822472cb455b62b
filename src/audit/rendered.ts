/** What becomes of a file's containers when kustomizations are built. */
import type { ImagePlace } from "../workload/index.ts";
import type { Span } from "./spans.ts";

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
