/** Collects images: one entry for each, with everybody who uses it and every place that says it. */
import { dirname, join } from "node:path";
import type { NotSeen } from "../audit/index.ts";
import { canonicalText, type ImageName, type Platform } from "../image/index.ts";
import type { Problem } from "../workload/index.ts";
import { unitedPlatforms } from "./platforms.ts";
import {
  renderedFromTemplate,
  type TagPlace,
  type UnknownImage,
  type UsedImage,
  type UsedImages,
  type UsingWorkload,
} from "./used-image.ts";
import { type ManifestText, WorkloadPods } from "./workload-pods.ts";

/** What one container, value or line says. */
export interface ImageUse {
  readonly image: ImageName;
  readonly workload?: UsingWorkload;
  readonly place?: TagPlace | undefined;
  readonly platforms?: readonly Platform[];
}

interface Collected {
  readonly image: ImageName;
  readonly workloads: Map<string, UsingWorkload>;
  readonly places: Map<string, TagPlace>;
  readonly platforms: (readonly Platform[])[];
}

export class ImageCollector {
  readonly unknown: UnknownImage[] = [];
  readonly problems: Problem[] = [];
  readonly notSeen: NotSeen[] = [];
  readonly notes: Problem[] = [];
  readonly manifests: ManifestText[] = [];
  /** Files outside of the named folders: they are read, and not changed. */
  readonly outside = new Set<string>();
  standardInput: string | undefined;
  readonly #images = new Map<string, Collected>();

  add({ image, workload, place, platforms }: ImageUse): void {
    const key = image.kind === "invalid" ? `invalid ${image.given}` : canonicalText(image);
    const known: Collected = this.#images.get(key) ?? {
      image,
      workloads: new Map(),
      places: new Map(),
      platforms: [],
    };
    this.#images.set(key, known);
    // The same container can come twice: by two paths that name one file, or by two kustomizations.
    if (workload !== undefined) known.workloads.set(workloadKey(workload), workload);
    if (place !== undefined) known.places.set(placeKey(place), place);
    if (platforms !== undefined) known.platforms.push(platforms);
  }

  /** A tag that a kustomization keeps under another name belongs to several images: changing it would change all. */
  #keepShared(): void {
    const owners = new Map<string, Collected[]>();
    for (const each of this.#images.values())
      for (const key of each.places.keys()) owners.set(key, [...(owners.get(key) ?? []), each]);
    for (const [key, images] of owners) {
      if (images.length < 2) continue;
      for (const { places } of images) {
        const place = places.get(key);
        if (place !== undefined) places.set(key, never(place, "it is the tag of several images"));
      }
    }
  }

  #changeable(place: TagPlace): TagPlace {
    const { file } = place.source;
    return this.outside.has(file) ? never(place, `${file} is outside of the named folders`) : place;
  }

  result(): UsedImages {
    this.#keepShared();
    const images = [...this.#images.values()].map(
      ({ image, workloads, places, platforms }): UsedImage => ({
        image,
        workloads: [...workloads.values()],
        places: withoutTemplates([...places.values()].map((place) => this.#changeable(place))),
        platforms: unitedPlatforms(platforms),
      }),
    );
    const { unknown, problems, notSeen, notes, manifests, standardInput } = this;
    return { images, unknown, problems, notSeen, notes, pods: new WorkloadPods(manifests), standardInput };
  }
}

function never(place: TagPlace, because: string): TagPlace {
  return { ...place, change: { kind: "none", because } };
}

/** What helm renders from values of the same chart is written in the values, and not in the template. */
function withoutTemplates(places: readonly TagPlace[]): readonly TagPlace[] {
  const values = places.filter(({ format }) => format === "values").map(({ source }) => dirname(source.file));
  return places.filter(
    ({ change, source }) =>
      change.kind !== "none" ||
      change.because !== renderedFromTemplate ||
      !values.some((folder) => source.file.startsWith(join(folder, "/"))),
  );
}

function workloadKey({ workload: { kind, namespace, name }, container, source }: UsingWorkload): string {
  return JSON.stringify([kind, namespace, name, container, source]);
}

/** The users of an anchor share its text, and each is a place: all of them must be changed, or none. */
function placeKey({ source, format, change }: TagPlace): string {
  const path =
    change.kind === "image" || change.kind === "withDefaults"
      ? change.field.path
      : change.kind === "parts"
        ? change.path
        : "";
  return JSON.stringify([source, format, path]);
}
