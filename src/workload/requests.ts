/** Who asks for which image: one request for every container and image volume of an object. */
import { readImageName } from "../image/index.ts";
import type { ManifestDocument } from "./documents.ts";
import type { ImageFields } from "./image-fields.ts";
import { groupOf, type ImagePlace, imagePlaces, type PodTemplate, podTemplates } from "./templates.ts";
import type { ImageRequest, PullPolicy, Workload } from "./types.ts";
import { isNull, textAt, textsAt } from "./value.ts";

/** The three pull policies, in the order in which Kubernetes names them. */
export const pullPolicies: readonly PullPolicy[] = ["Always", "IfNotPresent", "Never"];

/**
 * The requests of an object: for each of its pod templates the init containers, containers, ephemeral containers and
 * image volumes. A missing image gives a request for the empty name, at the container's place, as it would reach a
 * kubelet; an image that is no text gives none. What is wrong with the object is for `validate` to say. Never throws.
 * @param more fields of custom resources that have images, beside those that are known
 */
export function imageRequests(document: ManifestDocument, more?: readonly ImageFields[]): ImageRequest[] {
  return podTemplates(document, more).flatMap((template) => templateRequests(document, template));
}

/** The requests of one of the object's pod templates. */
export function templateRequests(document: ManifestDocument, template: PodTemplate): ImageRequest[] {
  const workload = workloadOf(document, template);
  const requests: ImageRequest[] = [];
  for (const place of imagePlaces(template, groupOf(document.apiVersion))) {
    const request = requestOf(document, workload, place);
    if (request !== undefined) requests.push(request);
  }
  return requests;
}

/** The object as a workload, with the labels and annotations of its pods: admission and nodes see no others. */
export function workloadOf(document: ManifestDocument, template: PodTemplate | undefined): Workload {
  const { apiVersion, kind, root } = document;
  const metadata = template === undefined ? root.entries.get("metadata") : template.metadata;
  return {
    apiVersion,
    kind,
    namespace: namespaceOf(document),
    name: textAt(root, "metadata", "name") ?? textAt(root, "metadata", "generateName") ?? "",
    labels: textsAt(metadata, "labels"),
    annotations: textsAt(metadata, "annotations"),
  };
}

/** The object's namespace; `default` where it names none. */
export function namespaceOf({ root }: ManifestDocument): string {
  return textAt(root, "metadata", "namespace") || "default";
}

export function isPullPolicy(text: string): text is PullPolicy {
  return (pullPolicies as readonly string[]).includes(text);
}

/** The request of one place; `undefined` where the image is no text. */
export function requestOf(document: ManifestDocument, workload: Workload, place: ImagePlace): ImageRequest | undefined {
  const { kind, name, value, imageKey, policyKey } = place;
  const written = value.entries.get(imageKey);
  const missing = written === undefined || isNull(written);
  const image = missing ? "" : textAt(written);
  if (image === undefined) return undefined;
  const policy = textAt(value, policyKey) ?? "";
  return {
    source: document.text.position(missing ? value.start : written.start),
    workload,
    container: { name, kind },
    image: readImageName(image),
    pullPolicy: isPullPolicy(policy) ? policy : undefined,
  };
}
