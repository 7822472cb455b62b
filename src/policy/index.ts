/** The rules, and the one decision about each request for an image. */
export { decide, effectivePullPolicy } from "./decide.ts";
export { policyJsonSchema } from "./language/json-schema.ts";
export { type PolicyText, type ReadPolicy, readPolicy } from "./language/read.ts";
export { createReplay, type PastRequest, type Replay } from "./simulation.ts";
export {
  type Decision,
  type EffectivePullPolicy,
  type ImageFacts,
  imageFieldsIn,
  kubernetesOnly,
  type LocalFacts,
  type Policy,
  type Refusal,
  type RefusalReason,
  type TraceStep,
  type Warning,
} from "./types.ts";
