/** The rules, and the one decision about each request for an image. */
export { inCluster } from "./cluster.ts";
export { decide, type Prepare, type Prepared, prepare } from "./decide.ts";
export { exemptionFindings } from "./exemptions.ts";
export { imageSegments, parseImagePattern } from "./language/image-pattern.ts";
export { policyJsonSchema } from "./language/json-schema.ts";
export { parseMoment } from "./language/moment.ts";
export { isListed, parseNamePattern } from "./language/pattern.ts";
export { keyPosition, positionOf } from "./language/place.ts";
export { type PolicyText, type ReadPolicy, readPolicy } from "./language/read.ts";
export { selects } from "./language/selector.ts";
export { parseSize } from "./language/size.ts";
export { suggestion } from "./language/spelling.ts";
export type { LabelRequirement, LabelSelector, Pattern, Policy, VersionStep } from "./language/types.ts";
export type { Start } from "./on-copy.ts";
export { refuse } from "./refusals.ts";
export {
  addCost,
  type Cost,
  createReplay,
  noCost,
  type PastRequest,
  type Replay,
  type Verdict,
  verdictOf,
} from "./simulation.ts";
export { policyInit } from "./starter.ts";
export { warningText } from "./trial.ts";
export {
  type ConfiguredHosts,
  type Decision,
  type EffectivePullPolicy,
  type Fetching,
  type ImageFacts,
  imageFieldsIn,
  kubernetesOnly,
  type LocalFacts,
  type Mislabelled,
  noTrial,
  type Presence,
  type Refusal,
  type RefusalReason,
  type Subject,
  type TraceStep,
  type Trial,
  type Warning,
} from "./types.ts";
export { type EndOfLife, type ListedTag, type VersionLimits, versionsFor } from "./versions.ts";
