/** Fixing manifests: only the bytes that must change do, and each change is seen to be the one that was meant. */
export { type Attempt, type ImageField, type PolicyField, setImage, setPullPolicy } from "./fields.ts";
export { type FixedFile, type FixInput, type FixReport, fixFiles } from "./files.ts";
export { type PinFailure, type PinOptions, type PinRequest, type PinResult, pinImages } from "./pin.ts";
export type { Refused } from "./plan.ts";
