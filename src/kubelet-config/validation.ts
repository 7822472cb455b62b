/** What is wrong with a configuration, in the kubelet's words (k8s pkg/kubelet/apis/config/validation/validation.go). */

import { validatePullSettings, validateVerificationSettings, verificationPolicies } from "../pull/index.ts";
import { formatDuration } from "../support/go.ts";
import { withDefaults } from "./defaults.ts";
import { evictionThresholds, type FieldProblem } from "./eviction.ts";
import { isGateEnabled } from "./feature-gates.ts";
import { knownFields } from "./known-fields.ts";
import type { GivenConfiguration } from "./types.ts";

/** Everything that a kubelet would refuse to start with. */
export function validateConfiguration(given: GivenConfiguration): readonly FieldProblem[] {
  const texts = [
    ...collectionProblems(given).map((problem) => `invalid configuration: ${problem}`),
    ...validatePullSettings(given),
    ...crashLoopProblems(given).map((problem) => `invalid configuration: ${problem}`),
    ...verificationProblems(given),
  ];
  return [...texts.map((message) => ({ path: pathOf(message), message })), ...evictionThresholds(given).problems];
}

function collectionProblems(given: GivenConfiguration): string[] {
  const {
    imageGCHighThresholdPercent: high,
    imageGCLowThresholdPercent: low,
    imageMinimumGCAge: youngest,
    imageMaximumGCAge: oldest,
    nodeStatusMaxImages,
  } = withDefaults(given);
  const problems: string[] = [];
  if (!isPercentage(high)) {
    problems.push(
      `imageGCHighThresholdPercent (--image-gc-high-threshold) ${high} must be between 0 and 100, inclusive`,
    );
  }
  if (!isPercentage(low)) {
    problems.push(`imageGCLowThresholdPercent (--image-gc-low-threshold) ${low} must be between 0 and 100, inclusive`);
  }
  if (low >= high) {
    const than = `less than imageGCHighThresholdPercent (--image-gc-high-threshold) ${high}`;
    problems.push(`imageGCLowThresholdPercent (--image-gc-low-threshold) ${low} must be ${than}`);
  }
  if (oldest !== 0 && !isGateEnabled("ImageMaximumGCAge", given.featureGates ?? new Map())) {
    problems.push("ImageMaximumGCAge feature gate is required for Kubelet configuration option imageMaximumGCAge");
  }
  if (youngest < 0) problems.push(`imageMinimumGCAge ${formatDuration(youngest)} must not be negative`);
  if (oldest < 0) problems.push(`imageMaximumGCAge ${formatDuration(oldest)} must not be negative`);
  if (oldest > 0 && oldest <= youngest) {
    const than = `greater than imageMinimumGCAge ${formatDuration(youngest)}`;
    problems.push(`imageMaximumGCAge ${formatDuration(oldest)} must be ${than}`);
  }
  if (nodeStatusMaxImages < -1) {
    problems.push(`nodeStatusMaxImages (--node-status-max-images) ${nodeStatusMaxImages} must be -1 or greater`);
  }
  return problems;
}

function isPercentage(number: number): boolean {
  return number >= 0 && number <= 100;
}

function crashLoopProblems({ maxContainerRestartPeriod: period, featureGates = new Map() }: GivenConfiguration) {
  if (period === undefined) return [];
  const name = "CrashLoopBackOff.MaxContainerRestartPeriod";
  if (!isGateEnabled("KubeletCrashLoopBackOffMax", featureGates)) {
    return [`FeatureGate KubeletCrashLoopBackOffMax not enabled, ${name} must not be set`];
  }
  const whole = Math.trunc(period);
  if (whole >= 1000 && whole <= 300_000) return [];
  return [`${name} (got: ${period / 1000} seconds) must be set between 1s and 300s`];
}

function verificationProblems(given: GivenConfiguration): readonly string[] {
  const { imagePullCredentialsVerificationPolicy: policy, preloadedImagesVerificationAllowlist: list = [] } = given;
  if (isGateEnabled("KubeletEnsureSecretPulledImages", given.featureGates ?? new Map())) {
    const known = verificationPolicies.find((each) => each === policy);
    if (policy === undefined || policy === "" || known !== undefined) {
      return validateVerificationSettings({
        imagePullCredentialsVerificationPolicy: known,
        preloadedImagesVerificationAllowlist: list,
      });
    }
    const [a, b, c, d] = verificationPolicies.map((each) => `"${each}"`);
    const options = `Valid options are ${a}, ${b}, ${c} or ${d}`;
    return [
      `invalid configuration: option ${JSON.stringify(policy)} specified for imagePullCredentialsVerificationPolicy. ${options}`,
    ];
  }
  const gate = "must not be set if KubeletEnsureSecretPulledImages feature gate is not enabled";
  return [
    ...((policy ?? "") === "" ? [] : [`\`imagePullCredentialsVerificationPolicy\` ${gate}`]),
    ...(list.length === 0 ? [] : [`\`preloadedImagesVerificationAllowlist\` ${gate}`]),
  ].map((problem) => `invalid configuration: ${problem}`);
}

/** The kubelet does not say in which field the fault is, but every message names it, and that first. */
function pathOf(message: string): readonly string[] {
  if (message.includes("CrashLoopBackOff.")) return ["crashLoopBackOff", "maxContainerRestartPeriod"];
  const named = [...message.matchAll(/\w+/g)].map(([word]) => word).find((word) => knownFields.has(word));
  return named === undefined ? [] : [named];
}
