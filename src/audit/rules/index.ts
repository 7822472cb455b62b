/** The rules that look at one container for itself, in the order in which their findings are told. */
import type { RuleId } from "../rules.ts";
import { alwaysNeedless } from "./always-needless.ts";
import { alwaysNeedsRegistry } from "./always-needs-registry.ts";
import type { Check } from "./check.ts";
import { digestMissing } from "./digest-missing.ts";
import { imageMissing } from "./image-missing.ts";
import { imagePlaceholder } from "./image-placeholder.ts";
import { movingTagNotAlways } from "./moving-tag-not-always.ts";
import { never } from "./never.ts";
import { notAllowed } from "./not-allowed.ts";
import { notAlways } from "./not-always.ts";
import { policyIgnored } from "./policy-ignored.ts";
import { policyMissingSurprises } from "./policy-missing-surprises.ts";
import { policyValueInvalid } from "./policy-value-invalid.ts";
import { referenceInvalid } from "./reference-invalid.ts";
import { registryMissing } from "./registry-missing.ts";
import { requirementNotMet } from "./requirement-not-met.ts";
import { ruleOnTrial } from "./rule-on-trial.ts";
import { tagMissing } from "./tag-missing.ts";
import { tagMoving } from "./tag-moving.ts";
import { templateNotRendered } from "./template-not-rendered.ts";
import { variableUnresolved } from "./variable-unresolved.ts";

export const checks: readonly (readonly [RuleId, Check])[] = [
  ["template-not-rendered", templateNotRendered],
  ["reference-invalid", referenceInvalid],
  ["image-missing", imageMissing],
  ["variable-unresolved", variableUnresolved],
  ["image-placeholder", imagePlaceholder],
  ["tag-missing", tagMissing],
  ["tag-moving", tagMoving],
  ["digest-missing", digestMissing],
  ["registry-missing", registryMissing],
  ["policy-value-invalid", policyValueInvalid],
  ["policy-ignored", policyIgnored],
  ["policy-missing-surprises", policyMissingSurprises],
  ["moving-tag-not-always", movingTagNotAlways],
  ["always-needless", alwaysNeedless],
  ["not-always", notAlways],
  ["always-needs-registry", alwaysNeedsRegistry],
  ["never", never],
  ["not-allowed", notAllowed],
  ["requirement-not-met", requirementNotMet],
  ["rule-on-trial", ruleOnTrial],
];
