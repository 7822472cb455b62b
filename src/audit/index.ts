/** Findings in manifests: where an image or its pull policy is not what it should be, why, and what to write. */
export { type AuditCall, type AuditFile, isOfUnreadable } from "./audit.ts";
export { type Baseline, type BaselineEntry, readBaseline, writeBaseline } from "./baseline.ts";
export type { AuditInput, TextInput, UnreadableInput } from "./input.ts";
export { auditInputs, type InputOptions } from "./inputs/index.ts";
export {
  documentationOf,
  isRuleId,
  type Profile,
  profiles,
  type Rule,
  type RuleId,
  ruleIds,
  ruleTable,
} from "./rules.ts";
export type { AuditOptions } from "./standards.ts";
export { auditInThreads, type ThreadedCall } from "./threads/index.ts";
