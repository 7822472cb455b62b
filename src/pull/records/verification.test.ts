import { describe, expect, it } from "vitest";
import { parseImageName } from "../../image/index.ts";
import {
  type VerificationPolicy,
  validateVerificationSettings,
  verificationRequired,
  withoutTagAndDigest,
} from "./verification.ts";

const digest = `sha256:${"a".repeat(64)}`;

describe("whether logins must be verified", () => {
  it.each<[VerificationPolicy | undefined, pulled: boolean, preloaded: boolean]>([
    ["NeverVerify", false, false],
    ["NeverVerifyPreloadedImages", true, false],
    [undefined, true, false],
    ["AlwaysVerify", true, true],
    ["NeverVerifyAllowlistedImages", true, true],
  ])("%s: pulled here %s, preloaded %s", (policy, pulled, preloaded) => {
    const settings = { imagePullCredentialsVerificationPolicy: policy };
    expect(verificationRequired(settings, parseImageName("nginx:1.27"), true)).toBe(pulled);
    expect(verificationRequired(settings, parseImageName("nginx:1.27"), false)).toBe(preloaded);
  });

  it.each<[pattern: string, image: string, allowed: boolean]>([
    ["acme.io/app", "acme.io/app:1", true],
    ["acme.io/app", `acme.io/app:1@${digest}`, true],
    ["acme.io/app", "acme.io/app2:1", false],
    ["acme.io/*", "acme.io/app:1", true],
    ["acme.io/*", "acme.io/team/app", true],
    ["acme.io/*", "acme.io.evil.org/app", false],
    ["acme.io/team/*", "acme.io/teams/app", false],
    ["ubuntu", "ubuntu", true],
    ["docker.io/library/ubuntu", "ubuntu", false],
    ["ubuntu", "docker.io/library/ubuntu", false],
  ])("%s allows %s: %s", (pattern, image, allowed) => {
    const settings = {
      imagePullCredentialsVerificationPolicy: "NeverVerifyAllowlistedImages",
      preloadedImagesVerificationAllowlist: [pattern],
    } as const;
    expect(verificationRequired(settings, parseImageName(image), true)).toBe(!allowed);
  });
});

describe("verification settings", () => {
  const valid = '"NeverVerify", "NeverVerifyPreloadedImages", "NeverVerifyAllowlistedImages" or "AlwaysVerify"';
  const list = "invalid image pattern in `preloadedImagesVerificationAllowlist`";
  it.each<[policy: string | undefined, patterns: readonly string[] | undefined, problems: readonly string[]]>([
    [undefined, undefined, []],
    ["NeverVerifyAllowlistedImages", ["acme.io/*", "docker.io/library/nginx"], []],
    [
      "Sometimes",
      undefined,
      [`option "Sometimes" specified for imagePullCredentialsVerificationPolicy. Valid options are ${valid}`],
    ],
    [
      "AlwaysVerify",
      ["acme.io/app"],
      [
        "can't set `preloadedImagesVerificationAllowlist` if `imagePullCredentialsVertificationPolicy` is not " +
          '"NeverVerifyAllowlistedImages"',
      ],
    ],
    ["NeverVerifyAllowlistedImages", [" a"], [`${list}: leading/trailing spaces are not allowed:  a`]],
    ["NeverVerifyAllowlistedImages", [""], [`${list}: the supplied pattern is too short: `]],
    [
      "NeverVerifyAllowlistedImages",
      ["acme.io/a*/*"],
      [`${list}: not a valid wildcard pattern, only patterns ending with '/*' are allowed: acme.io/a*/*`],
    ],
    ["NeverVerifyAllowlistedImages", ["/*"], [`${list}: at least registry hostname is required`]],
    ["NeverVerifyAllowlistedImages", ["a//b"], [`${list}: failed to parse as an image name: invalid reference format`]],
    [
      "NeverVerifyAllowlistedImages",
      ["nginx:1"],
      [`${list}: neither tag nor digest is accepted in an image reference: nginx:1`],
    ],
  ])("%s with %j", (policy, preloadedImagesVerificationAllowlist, problems) => {
    const settings = {
      imagePullCredentialsVerificationPolicy: policy as VerificationPolicy | undefined,
      preloadedImagesVerificationAllowlist,
    };
    expect(validateVerificationSettings(settings)).toEqual(
      problems.map((problem) => `invalid configuration: ${problem}`),
    );
  });
});

describe("a name without tag and digest", () => {
  it.each([
    ["nginx", "nginx"],
    ["nginx:1.27", "nginx"],
    ["localhost:5000/app:1", "localhost:5000/app"],
    [`nginx@${digest}`, "nginx"],
    [`docker.io/library/nginx:1.27@${digest}`, "docker.io/library/nginx"],
  ])("of %s is %s", (image, name) => {
    expect(withoutTagAndDigest(parseImageName(image))).toBe(name);
  });
});
