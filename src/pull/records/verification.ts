import { parseReference, type Reference } from "../../image/index.ts";
import { errorText } from "../../support/errors.ts";
import { quote } from "../../support/go.ts";

/**
 * Whether a pod must show its logins before it uses an image that is already here
 * (k8s pkg/kubelet/images/pullmanager/image_pull_policies.go).
 */
export interface VerificationSettings {
  /** Default `NeverVerifyPreloadedImages`. */
  readonly imagePullCredentialsVerificationPolicy?: VerificationPolicy | undefined;
  /** Names, or beginnings of names that end with `/*`. Only for `NeverVerifyAllowlistedImages`. */
  readonly preloadedImagesVerificationAllowlist?: readonly string[] | undefined;
}

export const verificationPolicies = [
  "NeverVerify",
  "NeverVerifyPreloadedImages",
  "NeverVerifyAllowlistedImages",
  "AlwaysVerify",
] as const;

export type VerificationPolicy = (typeof verificationPolicies)[number];

/** What is wrong with the settings, in the kubelet's texts, its misspelling included. */
export function validateVerificationSettings(settings: VerificationSettings): readonly string[] {
  const { imagePullCredentialsVerificationPolicy: policy, preloadedImagesVerificationAllowlist: list = [] } = settings;
  const problems: string[] = [];
  if (policy !== undefined && !verificationPolicies.includes(policy)) {
    const [a, b, c, d] = verificationPolicies.map(quote);
    problems.push(
      `option ${quote(policy)} specified for imagePullCredentialsVerificationPolicy. Valid options are ${a}, ${b}, ${c} or ${d}`,
    );
  }
  if (list.length > 0 && policy !== "NeverVerifyAllowlistedImages") {
    problems.push(
      "can't set `preloadedImagesVerificationAllowlist` if `imagePullCredentialsVertificationPolicy` is not " +
        '"NeverVerifyAllowlistedImages"',
    );
  }
  for (const pattern of list) {
    const problem = patternProblem(pattern);
    if (problem !== undefined) {
      problems.push(`invalid image pattern in \`preloadedImagesVerificationAllowlist\`: ${problem}`);
    }
  }
  return problems.map((problem) => `invalid configuration: ${problem}`);
}

/** Whether the image has to be verified, given whether this node pulled it (or began to). */
export function verificationRequired(settings: VerificationSettings, image: Reference, pulledHere: boolean): boolean {
  switch (settings.imagePullCredentialsVerificationPolicy ?? "NeverVerifyPreloadedImages") {
    case "NeverVerify":
      return false;
    case "NeverVerifyPreloadedImages":
      return pulledHere;
    case "NeverVerifyAllowlistedImages":
      return !isAllowlisted(settings.preloadedImagesVerificationAllowlist ?? [], image);
    case "AlwaysVerify":
      return true;
  }
}

/** The image as it is written, without its tag and digest; not normalised. */
export function withoutTagAndDigest({ given, tag, digest }: Reference): string {
  const name = digest === undefined ? given : given.slice(0, -`@${digest}`.length);
  return tag !== undefined && name.endsWith(`:${tag}`) ? name.slice(0, -`:${tag}`.length) : name;
}

function isAllowlisted(patterns: readonly string[], image: Reference): boolean {
  const name = withoutTagAndDigest(image);
  return patterns.some((pattern) =>
    pattern.endsWith("/*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
  );
}

function patternProblem(pattern: string): string | undefined {
  if (pattern.trim() !== pattern) return `leading/trailing spaces are not allowed: ${pattern}`;
  if (pattern === "/*") return "at least registry hostname is required";
  const name = pattern.endsWith("/*") ? pattern.slice(0, -2) : pattern;
  if (name === "") return `the supplied pattern is too short: ${pattern}`;
  if (name.includes("*")) return `not a valid wildcard pattern, only patterns ending with '/*' are allowed: ${pattern}`;
  return name === pattern ? exactPatternProblem(pattern) : undefined;
}

function exactPatternProblem(pattern: string): string | undefined {
  try {
    const { tag, digest } = parseReference(pattern);
    if (tag === undefined && digest === undefined) return undefined;
    return `neither tag nor digest is accepted in an image reference: ${pattern}`;
  } catch (error) {
    return `failed to parse as an image name: ${errorText(error)}`;
  }
}
