/** Fixing manifests: only the bytes that must change do, and each change is seen to be the one that was meant. */
export { type Attempt, type ImageField, type PolicyField, setImage, setPullPolicy } from "./fields.ts";
export { applyEdits, type Plan, planFixes, type Refused } from "./plan.ts";
