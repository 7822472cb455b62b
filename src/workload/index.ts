/** Who asks for images: every container in every kind of manifest, and what Kubernetes itself does about it. */
export { type DefaultPullPolicy, defaultPullPolicy } from "./defaults.ts";
export { type ManifestDocument, type ManifestInput, readManifests, readValues, type ValueInput } from "./documents.ts";
export { duplicate, forbidden, invalid, notSupported, required, shown, wrongType } from "./field-errors.ts";
export { type FieldReader, fieldReader, type RefuseField } from "./go-fields.ts";
export type { ImageFields } from "./image-fields.ts";
export { isImageList, type ListedImage, listedImages } from "./image-list.ts";
export { credentialProviderScheme, kubeletDecodeProblem, kubeletScheme } from "./kubelet-schemes.ts";
export { tellsOfLimit } from "./limits.ts";
export { checkNames } from "./names.ts";
export { commandOf, environmentOf } from "./pod-spec/environment.ts";
export { expand, unknownNames } from "./pod-spec/expand.ts";
export type { PodFacts } from "./pod-spec/facts.ts";
export type {
  ContainerSpec,
  DataObject,
  DataObjects,
  FilesSource,
  HostPathType,
  PodSpec,
  RestartPolicy,
  Volume,
  VolumeMount,
} from "./pod-spec/types.ts";
export { volumeFiles } from "./pod-spec/volume-files.ts";
export { type ExpandedPods, type PodsOptions, podsOf } from "./pods.ts";
export type { Problem } from "./problem.ts";
export { imageRequests, isPullPolicy, pullPolicies, requestOf, workloadOf } from "./requests.ts";
export { plainScalar } from "./scalar.ts";
export { markLength, type SourceText, sourceText } from "./source-text.ts";
export { child, groupOf, type ImagePlace, imagePlaces, type PodTemplate, podTemplates } from "./templates.ts";
export type {
  ContainerKind,
  ImageRequest,
  OtherDefault,
  Pod,
  PodContainer,
  Position,
  PullPolicy,
  PullSecret,
  Workload,
} from "./types.ts";
export { type Validation, validate } from "./validation.ts";
export {
  isNull,
  itemsAt,
  type MappingValue,
  mappingAt,
  plain,
  type ScalarValue,
  sortOf,
  textAt,
  textsAt,
  type Value,
  valueAt,
} from "./value.ts";
export { lineEnd, type YamlPart, yamlParts } from "./yaml-parts.ts";
