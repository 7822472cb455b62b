/** All rules of the audit. Their order is that of the documentation, and of findings about one place. */
import {
  baselineObsolete,
  ignoreUnused,
  ignoreWithoutReason,
  inputUnreadable,
  nameInvalid,
  notAManifest,
  renderFailed,
  stackRefused,
  templateNotRendered,
} from "./input.ts";
import { pullSecretMissing } from "./missing-pull-secrets.ts";
import { exemptionExpired, exemptionUnused, notAllowed, requirementNotMet, ruleOnTrial } from "./policy.ts";
import {
  alwaysNeedless,
  alwaysNeedsRegistry,
  movingTagNotAlways,
  never,
  notAlways,
  policyIgnored,
  policyMissingSurprises,
  policyValueInvalid,
} from "./pull-policy.ts";
import { pullPolicyConflict } from "./pull-policy-conflicts.ts";
import { imageMissing, imagePlaceholder, referenceInvalid, registryMissing, variableUnresolved } from "./reference.ts";
import type { ContainerRule, CrossFileRule, Rule } from "./rule.ts";
import { digestMissing, tagMissing, tagMoving } from "./tag.ts";

const all = [
  inputUnreadable,
  renderFailed,
  templateNotRendered,
  notAManifest,
  nameInvalid,
  stackRefused,
  referenceInvalid,
  imageMissing,
  variableUnresolved,
  imagePlaceholder,
  tagMissing,
  tagMoving,
  digestMissing,
  registryMissing,
  policyValueInvalid,
  policyIgnored,
  policyMissingSurprises,
  movingTagNotAlways,
  alwaysNeedless,
  notAlways,
  alwaysNeedsRegistry,
  never,
  pullPolicyConflict,
  pullSecretMissing,
  notAllowed,
  requirementNotMet,
  ruleOnTrial,
  exemptionExpired,
  exemptionUnused,
  ignoreWithoutReason,
  ignoreUnused,
  baselineObsolete,
] as const;

export type RuleId = (typeof all)[number]["id"];

export const rules: readonly Rule[] = all;
export const ruleIds: readonly RuleId[] = all.map(({ id }) => id);
export const containerRules: readonly ContainerRule[] = all.filter((rule) => "check" in rule);
export const crossFileRules: readonly CrossFileRule[] = all.filter((rule) => "create" in rule);

const byId: ReadonlyMap<string, Rule> = new Map(all.map((rule) => [rule.id, rule]));

export function ruleOf(id: string): Rule | undefined {
  return byId.get(id);
}

export function isRuleId(text: string): text is RuleId {
  return byId.has(text);
}

/** The place in the documentation that explains the rule. */
export function documentationOf(rule: Pick<Rule, "id">): string {
  return `audit-rules.md#${rule.id}`;
}
