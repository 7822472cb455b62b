/**
 * Pod templates, wherever they are: at their place in Kubernetes' own kinds, and found by their shape in all others,
 * because Argo Rollouts, Knative Services, OpenKruise CloneSets, Tekton Tasks and the next operator's kind have them too.
 */
import type { ManifestDocument } from "./documents.ts";
import { type FoundField, type ImageFields, imageFieldsOf } from "./image-fields.ts";
import type { ContainerKind } from "./types.ts";
import { itemsAt, type MappingValue, mappingAt, textAt, type Value, valueAt } from "./value.ts";

export interface PodTemplate {
  /** `pod`: a Pod itself. `template`: at its place in a kind of Kubernetes. `shape`: found in another kind. */
  readonly form: "pod" | "template" | "shape";
  /** Where the pod's specification is in the object: `spec.template.spec`. */
  readonly path: string;
  /** The pod's specification, whatever was written there. */
  readonly spec: Value | undefined;
  readonly metadata: MappingValue | undefined;
  /** For an image in a field of a custom resource: the only one that the template asks for. */
  readonly field?: ImagePlace;
}

/** A place in a pod template that asks for an image. */
export interface ImagePlace {
  readonly kind: ContainerKind;
  /** `spec.template.spec.containers[0]`, `spec.volumes[2].image` */
  readonly path: string;
  /** The container's name, or the volume's; empty where there is none. */
  readonly name: string;
  readonly value: MappingValue;
  /** `image`; `reference` in image volumes, `imageName` in some custom resources. */
  readonly imageKey: string;
  readonly policyKey: "imagePullPolicy" | "pullPolicy";
}

interface OwnKind {
  readonly groups: readonly string[];
  readonly path: readonly string[];
}

const workloadGroups = ["apps", "extensions"];
const inTemplate = ["spec", "template", "spec"];

const ownKinds: ReadonlyMap<string, OwnKind> = new Map(
  Object.entries({
    Pod: { groups: [""], path: ["spec"] },
    PodTemplate: { groups: [""], path: ["template", "spec"] },
    ReplicationController: { groups: [""], path: inTemplate },
    ReplicaSet: { groups: workloadGroups, path: inTemplate },
    Deployment: { groups: workloadGroups, path: inTemplate },
    StatefulSet: { groups: workloadGroups, path: inTemplate },
    DaemonSet: { groups: workloadGroups, path: inTemplate },
    Job: { groups: ["batch"], path: inTemplate },
    CronJob: { groups: ["batch"], path: ["spec", "jobTemplate", "spec", "template", "spec"] },
  }),
);

/** Groups whose objects speak about containers without being workloads: patterns, schemas, measurements. */
const speakAboutContainers = new Set([
  "admissionregistration.k8s.io",
  "apiextensions.k8s.io",
  "metrics.k8s.io",
  "kyverno.io",
  "policies.kyverno.io",
  "templates.gatekeeper.sh",
  "constraints.gatekeeper.sh",
  "mutations.gatekeeper.sh",
]);

interface ContainerKeys {
  readonly lists: readonly (readonly [key: string, kind: ContainerKind])[];
  /** Keys that hold one container each, called `main` if it has no name. */
  readonly singles: readonly string[];
}

const ownKeys: ContainerKeys = {
  lists: [
    ["initContainers", "initContainer"],
    ["containers", "container"],
    ["ephemeralContainers", "ephemeralContainer"],
  ],
  singles: [],
};

/** What holds containers in groups that have further names for it. */
const keysOfGroups: ReadonlyMap<string, ContainerKeys> = new Map([
  [
    "tekton.dev",
    { lists: [...ownKeys.lists, ["steps", "container"], ["sidecars", "container"]], singles: ["stepTemplate"] },
  ],
  ["argoproj.io", { lists: [...ownKeys.lists, ["sidecars", "container"]], singles: ["container", "script"] }],
] satisfies [string, ContainerKeys][]);

/**
 * The pod templates of an object, in the order in which they are written.
 * @param more fields of custom resources that have images, beside those that are known
 */
export function podTemplates(document: ManifestDocument, more?: readonly ImageFields[]): readonly PodTemplate[] {
  const group = groupOf(document.apiVersion);
  const own = ownKinds.get(document.kind);
  if (own?.groups.includes(group)) return [ownTemplate(document, own)];
  if (speakAboutContainers.has(group)) return [];
  const found: PodTemplate[] = imageFieldsOf({ ...document, group }, more).map((field) =>
    fieldTemplate(document, field),
  );
  findTemplates(document.root, "", undefined, { group, found });
  return found;
}

/** An operator makes a pod for the image; what else is in that pod is not known. */
function fieldTemplate({ kind, root }: ManifestDocument, { holder, path, key, name }: FoundField): PodTemplate {
  const place = containerPlace("container", path, holder, name ?? kind.toLowerCase());
  const metadata = mappingAt(root, "metadata");
  return { form: "shape", path, spec: holder, metadata, field: { ...place, imageKey: key } };
}

/** The group of an `apiVersion`; empty for the core group. */
export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf("/");
  return slash < 0 ? "" : apiVersion.slice(0, slash);
}

/** What asks for images in a template: init containers, containers, ephemeral containers, image volumes. */
export function imagePlaces(template: PodTemplate, group: string): readonly ImagePlace[] {
  const { spec, path, field } = template;
  if (field !== undefined) return [field];
  const places: ImagePlace[] = [];
  const { lists, singles } = keysOf(group);
  for (const [key, kind] of lists) {
    itemsAt(spec, key).forEach((value, index) => {
      if (value.kind === "mapping") places.push(containerPlace(kind, `${child(path, key)}[${index}]`, value));
    });
  }
  for (const key of singles) {
    const value = mappingAt(spec, key);
    if (value !== undefined) places.push(containerPlace("container", child(path, key), value, "main"));
  }
  itemsAt(spec, "volumes").forEach((volume, index) => {
    const place = volumePlace(volume, `${child(path, "volumes")}[${index}]`);
    if (place !== undefined) places.push(place);
  });
  // In the kinds of others a container may be a patch for one that an operator adds: without an image it asks for none.
  return template.form === "shape" ? places.filter(hasImage) : places;
}

export function child(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}

function ownTemplate({ kind, root }: ManifestDocument, { path }: OwnKind): PodTemplate {
  return {
    form: kind === "Pod" ? "pod" : "template",
    path: path.join("."),
    spec: valueAt(root, ...path),
    metadata: mappingAt(root, ...path.slice(0, -1), "metadata"),
  };
}

function findTemplates(
  value: Value,
  path: string,
  metadata: MappingValue | undefined,
  search: { readonly group: string; readonly found: PodTemplate[] },
): void {
  if (value.kind === "sequence") {
    value.items.forEach((item, index) => findTemplates(item, `${path}[${index}]`, undefined, search));
  } else if (value.kind === "mapping") {
    const template: PodTemplate = {
      form: "shape",
      path,
      spec: value,
      metadata: metadata ?? mappingAt(value, "metadata"),
    };
    const asks = imagePlaces(template, search.group).some(asksForImage);
    if (asks) search.found.push(template);
    for (const [key, entry] of value.entries) {
      if (key === "metadata" || key === "status" || (asks && isTaken(key, search.group))) continue;
      findTemplates(entry, child(path, key), key === "spec" ? mappingAt(value, "metadata") : undefined, search);
    }
  }
}

function hasImage({ value, imageKey }: ImagePlace): boolean {
  return valueAt(value, imageKey) !== undefined && textAt(value, imageKey) !== "";
}

function asksForImage({ value, imageKey }: ImagePlace): boolean {
  return (textAt(value, imageKey) ?? "") !== "";
}

/** Whether what is under the key already belongs to the template that was found. */
function isTaken(key: string, group: string): boolean {
  const { lists, singles } = keysOf(group);
  return key === "volumes" || singles.includes(key) || lists.some(([name]) => name === key);
}

function keysOf(group: string): ContainerKeys {
  return keysOfGroups.get(group) ?? ownKeys;
}

function containerPlace(kind: ContainerKind, path: string, value: MappingValue, otherwise = ""): ImagePlace {
  const name = textAt(value, "name") ?? otherwise;
  return { kind, path, name, value, imageKey: "image", policyKey: "imagePullPolicy" };
}

/** A volume made of an image: Kubernetes' own, or KubeVirt's disk from a container image. */
function volumePlace(volume: Value, path: string): ImagePlace | undefined {
  const name = textAt(volume, "name") ?? "";
  const image = mappingAt(volume, "image");
  if (image !== undefined) {
    return {
      kind: "imageVolume",
      path: `${path}.image`,
      name,
      value: image,
      imageKey: "reference",
      policyKey: "pullPolicy",
    };
  }
  const disk = mappingAt(volume, "containerDisk");
  if (disk === undefined) return undefined;
  const keys = { imageKey: "image", policyKey: "imagePullPolicy" } as const;
  return { kind: "imageVolume", path: `${path}.containerDisk`, name, value: disk, ...keys };
}
