/** Findings in manifests: where an image or its pull policy is not what it should be, why, and what to write. */
export { type AuditCall, type AuditFile, audit, collectAudit, isOfUnreadable } from "./audit.ts";
export { type Baseline, type BaselineEntry, readBaseline, writeBaseline } from "./baseline.ts";
export type { AuditOptions } from "./config.ts";
export type { AuditInput, TextInput, UnreadableInput } from "./input.ts";
export { auditInputs, type InputOptions } from "./inputs/index.ts";
export { documentationOf, isRuleId, type RuleId, ruleIds, rules } from "./rules/index.ts";
export { type Profile, profiles, type Rule } from "./rules/rule.ts";
export { auditInThreads, type ThreadedCall } from "./threads/index.ts";
export type { AuditResult, Finding, Fix, NotSeen, Region, Severity } from "./types.ts";
