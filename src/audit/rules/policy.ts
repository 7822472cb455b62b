/** Rules about the policy: images that it refuses, and exemptions that can go. */
import { exemptionFindings, type RefusalReason, warningText } from "../../policy/index.ts";
import type { Position } from "../../workload/index.ts";
import type { Region } from "../types.ts";
import {
  type ContainerRule,
  type CrossFileCheck,
  type CrossFileContext,
  type CrossFileRule,
  everywhere,
  imagePlace,
  imageText,
} from "./rule.ts";

/** An image that a rule of the policy denies. */
export const notAllowed = {
  id: "not-allowed",
  meta: {
    title: "The policy does not allow the image",
    why: "Admission and the nodes refuse the image.",
    advice: "Use an image that the policy allows, or ask for an exemption.",
    severity: everywhere("error"),
  },
  check(subject, { decision }) {
    if (decision?.action !== "Refuse" || decision.reason !== "ImageDenied") return undefined;
    return {
      at: imagePlace(subject),
      message: `${imageText(subject)} is not allowed: ${decision.message}`,
      advice: "Use an image that the policy allows, or ask for an exemption.",
    };
  },
} as const satisfies ContainerRule;

/** An image that is not as the policy requires it. */
export const requirementNotMet = {
  id: "requirement-not-met",
  meta: {
    title: "The image does not meet the requirements of the policy",
    why: "Admission and the nodes refuse the image.",
    advice: "Write the image as the policy requires, or ask for an exemption.",
    severity: everywhere("error"),
  },
  check(subject, { decision }) {
    if (decision?.action !== "Refuse" || decision.reason !== "RequirementNotMet") return undefined;
    return {
      at: imagePlace(subject),
      message: `${imageText(subject)} does not meet the requirements of the policy: ${decision.message}`,
      advice: "Write the image as the policy requires, or ask for an exemption.",
    };
  },
} as const satisfies ContainerRule;

/** Refusals that depend on the image alone, not on the time or the node. */
const ofImage: readonly RefusalReason[] = ["ImageDenied", "RequirementNotMet"];

/** An image that a rule of the policy would refuse, were it not on trial. */
export const ruleOnTrial = {
  id: "rule-on-trial",
  meta: {
    title: "A rule on trial would refuse the image",
    why: "The rule has the mode Warn: it refuses nothing yet, but it will when its mode is Enforce.",
    advice: "Use an image that the rule allows before its mode becomes Enforce.",
    severity: everywhere("note"),
  },
  check(subject, { decision }) {
    const warnings = (decision?.trial.warnings ?? []).filter(({ reason }) => ofImage.includes(reason));
    if (warnings.length === 0) return undefined;
    return {
      at: imagePlace(subject),
      message: `${imageText(subject)} would be refused: ${warnings.map(warningText).join("; ")}`,
      advice: "Use an image that the rule allows before its mode becomes Enforce.",
    };
  },
} as const satisfies ContainerRule;

export const exemptionExpired = {
  id: "exemption-expired",
  meta: {
    title: "An exemption has expired",
    why: "An expired exemption has no effect: what it covered is refused.",
    advice: "Remove the exemption, or ask its owner to renew it.",
    severity: everywhere("warning"),
  },
  create: (context) => exemptionCheck("expired", context),
} as const satisfies CrossFileRule;

export const exemptionUnused = {
  id: "exemption-unused",
  meta: {
    title: "An exemption is not needed",
    why: "What it covered is gone, but it would still let the next image through that it matches.",
    advice: "Remove the exemption.",
    severity: everywhere("note"),
  },
  create: (context) => exemptionCheck("unused", context),
} as const satisfies CrossFileRule;

/** Remembers the exemptions that containers need: as many as the policy has, at most. */
function exemptionCheck(kind: "expired" | "unused", { policy, now }: CrossFileContext): CrossFileCheck {
  const used = new Set<string>();
  return {
    file({ exemptions }) {
      for (const id of exemptions) used.add(id);
      return [];
    },
    end() {
      if (policy === undefined) return [];
      return exemptionFindings(policy, now, used)
        .filter((finding) => finding.kind === kind)
        .map(({ exemption: { source }, message }) => ({ region: regionAt(source), message }));
    },
  };
}

/** The text of the policy is not available, only its places. */
function regionAt({ file, line, column }: Position): Region {
  return { file, line, column, endLine: line, endColumn: column, start: 0, end: 0 };
}
