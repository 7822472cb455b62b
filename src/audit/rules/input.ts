/** Rules about the input itself, and about the comments and the baseline that leave findings out. */
import { type ContainerRule, everywhere, imagePlace, type ReportedRule, shown } from "./rule.ts";

export const inputUnreadable = {
  id: "input-unreadable",
  meta: {
    title: "The input cannot be read",
    why: "What cannot be read has not been looked at, so nothing is known about its images.",
    advice: "Correct the file at the place named.",
    severity: everywhere("error"),
  },
} as const satisfies ReportedRule;

export const renderFailed = {
  id: "render-failed",
  meta: {
    title: "The chart or kustomization cannot be rendered",
    why: "The images of a chart or a kustomization are known only once it has been rendered. One below the folder that was named is no finding: it is among what was not seen.",
    advice: "Install the program that renders it, or render it yourself and give the output to pulley audit -.",
    severity: everywhere("error"),
  },
} as const satisfies ReportedRule;

/** A template that happens to be sound YAML: `image: "{{ .Values.image }}"`. The readers report one that is not. */
export const templateNotRendered = {
  id: "template-not-rendered",
  meta: {
    title: "A template that has not been rendered",
    why: "Between its braces anything can stand, so the images of a template are not known.",
    advice: "Render it first: helm template CHART | pulley audit -.",
    severity: everywhere("note"),
  },
  check(subject) {
    if (subject.unresolved !== "template") return undefined;
    return {
      at: imagePlace(subject),
      message: `${shown(subject.request.image)} is a template, and what it renders to is not known`,
      advice: "Render it first: helm template CHART | pulley audit -.",
    };
  },
} as const satisfies ContainerRule;

export const notAManifest = {
  id: "not-a-manifest",
  meta: {
    title: "No manifest",
    why: "The file was named as one to look at, and there is no Kubernetes object in it.",
    advice: "Name a Kubernetes manifest, a Compose file or an OpenFaaS stack file.",
    severity: everywhere("note"),
  },
} as const satisfies ReportedRule;

export const nameInvalid = {
  id: "name-invalid",
  meta: {
    title: "The name is not one that Kubernetes takes",
    why: "The API server refuses the object, and a kubelet the pod of a file.",
    advice: "Write lower-case letters, digits and hyphens, at most 63; in names of objects also dots, at most 253.",
    severity: everywhere("error"),
  },
} as const satisfies ReportedRule;

export const ignoreWithoutReason = {
  id: "ignore-without-reason",
  meta: {
    title: "A finding is to be ignored without a reason",
    why: "Whoever comes next has to know whether the reason still holds; without one, the comment has no effect.",
    advice: "Write the reason behind the rule: # pulley:ignore RULE REASON.",
    severity: everywhere("warning"),
  },
} as const satisfies ReportedRule;

export const ignoreUnused = {
  id: "ignore-unused",
  meta: {
    title: "Nothing is there to be ignored",
    why: "The comment would hide the next finding of the rule without anybody having decided so.",
    advice: "Remove the comment.",
    severity: everywhere("note"),
  },
} as const satisfies ReportedRule;

export const baselineObsolete = {
  id: "baseline-obsolete",
  meta: {
    title: "A finding of the baseline no longer occurs",
    why: "As long as the baseline has it, it can come back without being noticed.",
    advice: "Write the baseline again.",
    severity: everywhere("note"),
  },
} as const satisfies ReportedRule;
