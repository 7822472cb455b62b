/** All rules of the audit: what each is called, how severe it is under which profile, why it is there, what to do. */
import type { Severity } from "./types.ts";

/**
 * `recommended`: each image gets the pull policy that fits it. `always`: everything is Always that no digest pins.
 * `offline`: no container may need a registry to start.
 */
export type Profile = "recommended" | "always" | "offline";

export const profiles: readonly Profile[] = ["recommended", "always", "offline"];

export interface Rule {
  /** A few words, without a full stop. */
  readonly title: string;
  readonly why: string;
  readonly advice: string;
  readonly severity: Readonly<Record<Profile, Severity | "off">>;
}

export const ruleTable = {
  // what the input is
  "input-unreadable": {
    title: "The input cannot be read",
    why: "What cannot be read has not been looked at, so nothing is known about its images.",
    advice: "Correct the file at the place named.",
    severity: everywhere("error"),
  },
  "render-failed": {
    title: "The chart or kustomization cannot be rendered",
    why: "The images of a chart or a kustomization are known only once it has been rendered. One below the folder that was named is no finding: it is among what was not seen.",
    advice: "Install the program that renders it, or render it yourself and give the output to pulley audit -.",
    severity: everywhere("error"),
  },
  "template-not-rendered": {
    title: "A template that has not been rendered",
    why: "Between its braces anything can stand, so the images of a template are not known.",
    advice: "Render it first: helm template CHART | pulley audit -.",
    severity: everywhere("note"),
  },
  "not-a-manifest": {
    title: "No manifest",
    why: "The file was named as one to look at, and there is no Kubernetes object in it.",
    advice: "Name a Kubernetes manifest, a Compose file or an OpenFaaS stack file.",
    severity: everywhere("note"),
  },

  // names
  "name-invalid": {
    title: "The name is not one that Kubernetes takes",
    why: "The API server refuses the object, and a kubelet the pod of a file.",
    advice: "Write lower-case letters, digits and hyphens, at most 63; in names of objects also dots, at most 253.",
    severity: everywhere("error"),
  },

  // the reference
  "reference-invalid": {
    title: "The image is not a reference",
    why: "The API server does not parse images, so the mistake shows only on the node, as InvalidImageName.",
    advice: "Write the image as [host[:port]/]path[:tag][@digest], the path in lower case.",
    severity: everywhere("error"),
  },
  "image-missing": {
    title: "The container has no image",
    why: "The API server refuses a container without an image.",
    advice: "Write the image.",
    severity: everywhere("error"),
  },
  "variable-unresolved": {
    title: "The image depends on a variable without a default",
    why: "Which image it is shows only when the variable has been given a value.",
    advice: "Give the variable a default, as in ${TAG:-1.27}, or audit the file with its variables replaced.",
    severity: everywhere("note"),
  },
  "image-placeholder": {
    title: "A placeholder stands where an image goes",
    why: "A program or a person puts the image in later, so which one it is does not show here.",
    advice: "Audit what is applied in the end, as in kustomize build . | pulley audit -.",
    severity: everywhere("note"),
  },
  "tag-missing": {
    title: "The image has neither a tag nor a digest",
    why: "The tag latest is implied, so what runs is whatever was pushed last when a node happened to pull.",
    advice: "Write a version's tag, or pin the digest.",
    severity: { recommended: "warning", always: "warning", offline: "error" },
  },
  "tag-moving": {
    title: "The image's tag moves",
    why: "Tags such as latest or main are pushed again and again: two nodes can run two images under one name.",
    advice: "Write a version's tag, or pin the digest.",
    severity: { recommended: "warning", always: "warning", offline: "error" },
  },
  "digest-missing": {
    title: "The image is not pinned by a digest",
    why: "Only a digest says which image it is without asking a registry.",
    advice: "Pin the digest.",
    severity: { recommended: "off", always: "off", offline: "error" },
  },
  "registry-missing": {
    title: "The image names no registry",
    why: "The registry docker.io is implied, with its pull limits, and some container runtimes are set up to look elsewhere first.",
    advice: "Name the registry.",
    severity: everywhere("note"),
  },

  // the pull policy
  "policy-value-invalid": {
    title: "The pull policy is not one",
    why: "Pull policies are written exactly as Kubernetes spells them; the API server refuses everything else.",
    advice: "Write Always, IfNotPresent or Never.",
    severity: everywhere("error"),
  },
  "policy-ignored": {
    title: "A pull policy where nobody reads it",
    why: "A field that is not the format's own is dropped without a word, and the default holds.",
    advice: "Write the pull policy into the field that is read.",
    severity: everywhere("warning"),
  },
  "policy-missing-surprises": {
    title: "The default pull policy is not what the image needs",
    why: "The default looks at the tag alone: a digest beside latest is asked for at every start, and a moving tag that is not called latest never again. Of a moving tag the finding tag-moving says so, too, and then there is but that one.",
    advice: "Write the pull policy that fits the image.",
    severity: { recommended: "warning", always: "off", offline: "off" },
  },
  "moving-tag-not-always": {
    title: "A moving tag that is not always asked for",
    why: "A node that has an image under the name keeps it, however old: the same pod runs new code on one node and old code on another. Compose does the same: by default, and with missing, `docker compose up` keeps an image that is here. Its specification says that latest is pulled always; only `docker compose pull` does that.",
    advice: "Write Always, or a tag that does not move.",
    severity: { recommended: "warning", always: "off", offline: "off" },
  },
  "always-needless": {
    title: "Always for an image that cannot change",
    why: "A digest names one image for ever, so asking the registry brings nothing, and the container does not start while the registry cannot be reached.",
    advice: "Write IfNotPresent.",
    severity: { recommended: "warning", always: "off", offline: "off" },
  },
  "not-always": {
    title: "The pull policy is not Always",
    why: "With Always the registry checks at every start that the pod may have the image, and that it is the newest under its name.",
    advice: "Write Always.",
    severity: { recommended: "off", always: "warning", offline: "off" },
  },
  "always-needs-registry": {
    title: "The container needs a registry to start",
    why: "With Always a container does not start while its registry cannot be reached, even if the image is on the node.",
    advice: "Write IfNotPresent.",
    severity: { recommended: "off", always: "off", offline: "error" },
  },
  never: {
    title: "The image is never pulled",
    why: "Every node on which nobody has loaded the image fails with ErrImageNeverPull.",
    advice: "Write IfNotPresent, unless the image is loaded onto every node.",
    severity: { recommended: "warning", always: "off", offline: "off" },
  },
  "pull-policy-conflict": {
    title: "One image with two pull policies",
    why: "Containers that may share a node treat the copy on it differently: whether it is fresh depends on who started last.",
    advice: "Give the image the same pull policy everywhere.",
    severity: everywhere("warning"),
  },
  "pull-secret-missing": {
    title: "A pull secret that is not in the input",
    why: "A kubelet goes on without a secret that does not exist, and the registry refuses the pull.",
    advice: "Correct the name, or add the Secret.",
    severity: everywhere("note"),
  },

  // the policy
  "not-allowed": {
    title: "The policy does not allow the image",
    why: "The image would be refused at admission and on the node.",
    advice: "Use an image that the policy allows, or ask for an exemption.",
    severity: everywhere("error"),
  },
  "requirement-not-met": {
    title: "The image is not as the policy requires",
    why: "The image would be refused at admission and on the node.",
    advice: "Write the image as the policy requires it, or ask for an exemption.",
    severity: everywhere("error"),
  },
  "rule-on-trial": {
    title: "A rule on trial would refuse the image",
    why: "The rule has the mode Warn: it refuses nothing yet, and will once its mode is Enforce.",
    advice: "Use an image that the rule allows before its mode becomes Enforce.",
    severity: everywhere("note"),
  },
  "exemption-expired": {
    title: "An exemption has expired",
    why: "An expired exemption has no effect: what it covered is refused.",
    advice: "Remove the exemption, or renew it with whoever owns it.",
    severity: everywhere("warning"),
  },
  "exemption-unused": {
    title: "An exemption that nothing needs",
    why: "What it covered is gone, and the exemption waits for the next image that fits it.",
    advice: "Remove the exemption.",
    severity: everywhere("note"),
  },

  // leaving findings out
  "ignore-without-reason": {
    title: "A finding is to be ignored without a reason",
    why: "Whoever comes next has to know whether the reason still holds; without one, the comment has no effect.",
    advice: "Write the reason behind the rule: # pulley:ignore RULE REASON.",
    severity: everywhere("warning"),
  },
  "ignore-unused": {
    title: "Nothing is there to be ignored",
    why: "The comment would hide the next finding of the rule without anybody having decided so.",
    advice: "Remove the comment.",
    severity: everywhere("note"),
  },
  "baseline-obsolete": {
    title: "A finding of the baseline no longer occurs",
    why: "As long as the baseline has it, it can come back without being noticed.",
    advice: "Write the baseline again.",
    severity: everywhere("note"),
  },
} as const satisfies Record<string, Rule>;

export type RuleId = keyof typeof ruleTable;

export const ruleIds = Object.keys(ruleTable).filter(isRuleId);

export function isRuleId(text: string): text is RuleId {
  return Object.hasOwn(ruleTable, text);
}

/** Where the rule is explained, within the documentation. */
export function documentationOf(rule: RuleId): string {
  return `audit-rules.md#${rule}`;
}

function everywhere(severity: Severity): Record<Profile, Severity> {
  return { recommended: severity, always: severity, offline: severity };
}
