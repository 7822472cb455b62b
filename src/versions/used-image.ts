/** The images that inputs name, who uses them, and where they are written. */
import type { ImageField, NotSeen } from "../audit/index.ts";
import type { ImageName, Platform } from "../image/index.ts";
import type { ImageRequest, MappingValue, Position, Problem, SourceText } from "../workload/index.ts";
import type { WorkloadPods } from "./workload-pods.ts";

/** One image, however often and in whatever spelling it is written. */
export interface UsedImage {
  /** What a node asks a registry for, with the tag that it implies: after kustomize and helm. The first spelling. */
  readonly image: ImageName;
  /**
   * Empty for an image of a list, of a command line, or of values that no template was seen to use. The values in a
   * HelmRelease or an Application are its containers, called by their path: `controllers.app.image`.
   */
  readonly workloads: readonly UsingWorkload[];
  /** Every place in the files that says its tag or digest. */
  readonly places: readonly TagPlace[];
  /**
   * What its workloads need, where they say so: all of them together, each once. A part that they leave open is empty,
   * for `completePlatform`.
   */
  readonly platforms: readonly Platform[];
}

/** One container (or image volume) that uses an image. */
export interface UsingWorkload extends Pick<ImageRequest, "workload" | "container"> {
  /** Where its image is written; in a template that helm rendered, the line that it comes from. */
  readonly source: Position;
  /** The context of the cluster that it was read from, if it was: then it is in no file. */
  readonly cluster?: string;
  /** As it was read: {@link WorkloadPods} finds its pod by it. */
  readonly request: ImageRequest;
}

/** A place in a file that says which tag or digest an image has. */
export interface TagPlace {
  readonly source: Position;
  readonly format: "manifest" | "compose" | "openfaas" | "kustomization" | "values" | "list";
  readonly change: TagChange;
}

/** How a tag or a digest can be changed at its place. */
export type TagChange =
  /** The whole image is one scalar. */
  | { readonly kind: "image"; readonly text: SourceText; readonly field: ImageField }
  /** The same, with variables in it that have defaults. */
  | { readonly kind: "withDefaults"; readonly text: SourceText; readonly field: ImageField }
  /** Tag and digest have keys of their own: `newTag`, `tag`, `digest`. A key is absent where it is not written. */
  | {
      readonly kind: "parts";
      readonly text: SourceText;
      readonly holder: MappingValue;
      /** Of the holder, in its object: `images[0]`. */
      readonly path: string;
      readonly tagKey?: string | undefined;
      readonly digestKey?: string | undefined;
    }
  /** A word of a list; `start` is its offset. */
  | { readonly kind: "word"; readonly text: SourceText; readonly start: number; readonly image: string }
  /** Half a sentence on why it cannot: `it is rendered from a template`. */
  | { readonly kind: "none"; readonly because: string };

/** Why nothing is changed in a template: what it renders to is not known. */
export const renderedFromTemplate = "it is rendered from a template";

/** An image that is named but not known before something is replaced. */
export interface UnknownImage {
  /** As it is written. */
  readonly given: string;
  readonly source: Position;
  /** Half a sentence: `it has a variable without a default in it`. */
  readonly because: string;
  /** Absent for Helm values. */
  readonly workload?: UsingWorkload;
}

export interface UsedImages {
  /** In the order of their first use. */
  readonly images: readonly UsedImage[];
  readonly unknown: readonly UnknownImage[];
  /** What could not be read or rendered although it was named, and containers without an image: the status is 2. */
  readonly problems: readonly Problem[];
  /** Charts and kustomizations that were not rendered, and links that were not followed. */
  readonly notSeen: readonly NotSeen[];
  /** Files that were named and have no image. */
  readonly notes: readonly Problem[];
  readonly pods: WorkloadPods;
  /** What came from standard input, as it was read; absent where it was not named. */
  readonly standardInput: string | undefined;
}

/** How an image is asked for: as by its first workload, or by nobody in particular where no one is seen to use it. */
export function requestOf({ image, workloads: [first] }: Pick<UsedImage, "image" | "workloads">): ImageRequest {
  if (first !== undefined) return first.request;
  const workload = { apiVersion: "v1", kind: "Pod", namespace: "", name: "", labels: {}, annotations: {} };
  return { workload, container: { name: "", kind: "container" }, image, pullPolicy: undefined };
}
