/** Findings in manifests: where an image or its pull policy is not what it should be, why, and what to write. */
export { type AuditCall, type AuditFile, audit, collectAudit, isOfUnreadable } from "./audit.ts";
export { type Baseline, type BaselineEntry, readBaseline, writeBaseline } from "./baseline.ts";
export { type AuditOptions, isUsuallyMoving } from "./config.ts";
export { type AuditedContainer, contentsOf, type TextContents } from "./containers.ts";
export { unifiedDiff } from "./fix/diff.ts";
export { compatibleEdits, splice } from "./fix/edits.ts";
export {
  type FixAttempt,
  type ImageField,
  type ScalarField,
  setImage,
  setParts,
  setScalar,
  templateAt,
} from "./fix/fields.ts";
export { type FixedFile, type FixInput, type FixOptions, type FixReport, fixFiles } from "./fix/files.ts";
export { type PinFailure, type PinOptions, type PinRequest, type PinResult, pinImages } from "./fix/pin.ts";
export { type FixPlan, planFixes, type RefusedFix } from "./fix/plan.ts";
export { excerpt } from "./formats/excerpt.ts";
export type { AuditCounts, Format, FormatContext } from "./formats/format.ts";
export { type FormatName, formats } from "./formats/index.ts";
export { notSeenWords } from "./formats/tally.ts";
export { type AuditInput, containerKey, type TextInput, type UnreadableInput } from "./input.ts";
export { auditInputs, type InputOptions } from "./inputs/index.ts";
export { type ImageChange, imageChanges, isKustomization } from "./inputs/kustomize/kustomization.ts";
export { isKustomizationFile, walk } from "./inputs/walk.ts";
export { objectName } from "./live-place.ts";
export { type PlaceholderTest, placeholderTest, type ReplacedImages, withoutPlaceholder } from "./placeholders.ts";
export type { ReadText } from "./readers/contents.ts";
export { byProvider } from "./readers/openfaas.ts";
export { readOther, readText } from "./readers/read-text.ts";
export { documentationOf, isRuleId, type RuleId, ruleIds, rules } from "./rules/index.ts";
export { ignoredPolicy, invalidPolicyValue } from "./rules/pull-policy.ts";
export { missingImage } from "./rules/reference.ts";
export { type Profile, profiles, type Rule } from "./rules/rule.ts";
export { sourceRegion } from "./source-map.ts";
export { regionOf, scalarSpan } from "./spans.ts";
export type { Subject } from "./subject.ts";
export { auditInThreads, type ThreadedCall } from "./threads/index.ts";
export type { AuditResult, Finding, Fix, NotSeen, Region, Severity } from "./types.ts";
