/** Who asks for images: every container in every kind of manifest, and what Kubernetes itself does about it. */
export { type DefaultPullPolicy, defaultPullPolicy } from "./defaults.ts";
export { type ManifestDocument, type ManifestInput, readManifests, readValues, type ValueInput } from "./documents.ts";
export type { ImageFields } from "./image-fields.ts";
export { checkNames } from "./names.ts";
export { type ExpandedPods, type PodsOptions, podsOf } from "./pods.ts";
export type { Problem } from "./problem.ts";
export { imageRequests, requestOf, workloadOf } from "./requests.ts";
export { groupOf, type ImagePlace, imagePlaces, type PodTemplate, podTemplates } from "./templates.ts";
export type {
  ContainerKind,
  ImageRequest,
  Pod,
  PodContainer,
  Position,
  PullPolicy,
  PullSecret,
  Workload,
} from "./types.ts";
export { type Validation, validate } from "./validation.ts";
export { itemsAt, mappingAt, textAt, type Value, valueAt } from "./value.ts";
