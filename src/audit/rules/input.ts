/** Rules about the input itself, and about the comments and the baseline that suppress findings. */
import { type ContainerRule, everywhere, imagePlace, type ReportedRule, shown } from "./rule.ts";

export const inputUnreadable = {
  id: "input-unreadable",
  meta: {
    title: "The input cannot be read",
    why: "Pulley cannot check what it cannot read, so nothing is known about its images.",
    advice: "Correct the file at this place.",
    severity: everywhere("error"),
  },
} as const satisfies ReportedRule;

export const renderFailed = {
  id: "render-failed",
  meta: {
    title: "The chart or kustomization cannot be rendered",
    why: "The images of a chart or a kustomization are known only after it is rendered. One below the folder that you name is not a finding: it is listed as not seen.",
    advice: "Install the program that renders it, or render it yourself and pass the output to pulley audit -.",
    severity: everywhere("error"),
  },
} as const satisfies ReportedRule;

/** A template that happens to be sound YAML: `image: "{{ .Values.image }}"`. The readers report one that is not. */
export const templateNotRendered = {
  id: "template-not-rendered",
  meta: {
    title: "The template is not rendered",
    why: "A template can produce any image, so its images are not known.",
    advice: "Render it first: helm template CHART | pulley audit -.",
    severity: everywhere("note"),
  },
  check(subject) {
    if (subject.unresolved !== "template") return undefined;
    return {
      at: imagePlace(subject),
      message: `${shown(subject.request.image.given)} is a template, so the image is not known`,
      advice: "Render it first: helm template CHART | pulley audit -.",
    };
  },
} as const satisfies ContainerRule;

export const notAManifest = {
  id: "not-a-manifest",
  meta: {
    title: "The file is not a manifest",
    why: "You named the file, but it has no Kubernetes object in it.",
    advice: "Name a Kubernetes manifest, a Compose file or an OpenFaaS stack file.",
    severity: everywhere("note"),
  },
} as const satisfies ReportedRule;

export const nameInvalid = {
  id: "name-invalid",
  meta: {
    title: "Kubernetes does not accept the name",
    why: "The API server refuses the object, and a kubelet refuses a pod from a file.",
    advice:
      "Write at most 63 lower-case letters, digits and hyphens. Names of objects may also have dots, and 253 characters.",
    severity: everywhere("error"),
  },
} as const satisfies ReportedRule;

export const stackRefused = {
  id: "stack-refused",
  meta: {
    title: "The stack file is refused by faas-cli",
    why: "It stops at the file, so no function in it is built or deployed. What can be read of it is audited all the same.",
    advice: "Correct the file at this place.",
    severity: everywhere("error"),
  },
} as const satisfies ReportedRule;

export const ignoreWithoutReason = {
  id: "ignore-without-reason",
  meta: {
    title: "An ignore comment has no reason",
    why: "The next reader needs the reason to see whether it still holds. Without one, the comment has no effect.",
    advice: "Write the reason after the rule: # pulley:ignore RULE REASON.",
    severity: everywhere("warning"),
  },
} as const satisfies ReportedRule;

export const ignoreUnused = {
  id: "ignore-unused",
  meta: {
    title: "An ignore comment matches no finding",
    why: "The comment would hide the next finding of the rule, although nobody decided that.",
    advice: "Remove the comment.",
    severity: everywhere("note"),
  },
} as const satisfies ReportedRule;

export const baselineObsolete = {
  id: "baseline-obsolete",
  meta: {
    title: "A finding in the baseline no longer occurs",
    why: "While it is in the baseline, it can come back unnoticed.",
    advice: "Write the baseline again with --update-baseline.",
    severity: everywhere("note"),
  },
} as const satisfies ReportedRule;
