import { describe, expect, it } from "vitest";
import { deployment, digest, findingsIn, toldBy } from "../testing/findings.ts";
import { type RuleId, rules } from "./index.ts";
import type { Profile } from "./rule.ts";

interface Row {
  /** Fields of a container. */
  readonly fields: string;
  /** What the finding covers, and what it says; absent where there is to be none. */
  readonly finding?: readonly [covered: string, message: string];
  readonly profile?: Profile;
}

const name = "name";

const rows: Partial<Record<RuleId, readonly Row[]>> = {
  "reference-invalid": [
    {
      fields: "image: Nginx:1",
      finding: [
        "Nginx:1",
        '"Nginx:1" is not an image reference: invalid reference format: repository name (library/Nginx) must be lowercase',
      ],
    },
    {
      fields: "image: https://ghcr.io/a/b:1",
      finding: ["https://ghcr.io/a/b:1", '"https://ghcr.io/a/b:1" is not an image reference: invalid reference format'],
    },
    {
      fields: "image: ' ghcr.io/a/b:1'",
      finding: ["' ghcr.io/a/b:1'", '" ghcr.io/a/b:1" is not an image reference: invalid reference format'],
    },
    {
      fields: 'image: "ghcr.io/a/b@sha256:abc"',
      finding: [
        '"ghcr.io/a/b@sha256:abc"',
        '"ghcr.io/a/b@sha256:abc" is not an image reference: invalid reference format',
      ],
    },
    { fields: "image: Foo/bar:1" },
    { fields: "image: localhost:5000/a/b:1" },
    { fields: "image: '[::1]:5000/a:1'" },
  ],
  "image-missing": [
    { fields: "command: [sh]", finding: [name, "c0 has no image, so the API server refuses it"] },
    { fields: "image:", finding: [name, "c0 has no image, so the API server refuses it"] },
    { fields: 'image: ""', finding: ['""', "c0 has no image, so the API server refuses it"] },
    { fields: "image: a" },
  ],
  "template-not-rendered": [
    {
      fields: 'image: "{{ .Values.image }}"',
      finding: ['"{{ .Values.image }}"', '"{{ .Values.image }}" is a template, so the image is not known'],
    },
  ],
  "tag-missing": [
    {
      fields: "image: nginx",
      finding: [
        "nginx",
        "nginx has no tag and no digest, so it means nginx:latest, which can be another image at each pull",
      ],
    },
    {
      // The port's colon is no tag's.
      fields: "image: registry:5000/app",
      finding: [
        "registry:5000/app",
        "registry:5000/app has no tag and no digest, so it means registry:5000/app:latest, which can be another image at each pull",
      ],
    },
    { fields: `image: app@${digest}` },
    { fields: "image: nginx:1.27" },
    { fields: "image: nginx:latest" },
  ],
  "tag-moving": [
    ...[
      "latest",
      "LATEST",
      "main",
      "staging",
      "Prod",
      "eu-prod",
      "qa",
      "beta",
      "stable",
      "edge",
      "nightly",
      "1.2-SNAPSHOT",
      "alpine-latest",
      "latest-alpine",
    ].map(
      (tag): Row => ({
        fields: `image: ghcr.io/a/b:${tag}\nimagePullPolicy: Always`,
        finding: [
          `ghcr.io/a/b:${tag}`,
          `the tag ${tag} of ghcr.io/a/b moves: it is pushed again and again, so nodes can have different images under it`,
        ],
      }),
    ),
    { fields: "image: nginx" },
    { fields: "image: ghcr.io/a/b:mainline" },
    { fields: "image: ghcr.io/a/b:1.2" },
    { fields: `image: app:latest@${digest}` },
  ],
  "digest-missing": [
    { fields: "image: ghcr.io/a/b:1", profile: "recommended" },
    {
      fields: "image: ghcr.io/a/b:1",
      profile: "offline",
      finding: ["ghcr.io/a/b:1", "ghcr.io/a/b:1 has no digest, so only its registry knows which image it is"],
    },
    { fields: `image: ghcr.io/a/b@${digest}`, profile: "offline" },
  ],
  "registry-missing": [
    {
      fields: "image: nginx:1",
      finding: ["nginx:1", "nginx:1 names no registry, so it means docker.io/library/nginx"],
    },
    {
      fields: "image: acme/app:1",
      finding: ["acme/app:1", "acme/app:1 names no registry, so it means docker.io/acme/app"],
    },
    { fields: "image: docker.io/library/nginx:1" },
    { fields: "image: index.docker.io/nginx:1" },
    { fields: "image: localhost/nginx:1" },
    { fields: "image: registry:5000/app:1" },
  ],
  "policy-value-invalid": [
    {
      fields: "image: a:1\nimagePullPolicy: always",
      finding: [
        "always",
        'imagePullPolicy is "always", which is none of Always, IfNotPresent and Never, so the API server refuses it',
      ],
    },
    {
      fields: 'image: a:1\nimagePullPolicy: "If Not Present" # why',
      finding: [
        '"If Not Present"',
        'imagePullPolicy is "If Not Present", which is none of Always, IfNotPresent and Never, so the API server refuses it',
      ],
    },
    {
      fields: "image: a:1\nimagePullPolicy: true",
      finding: [
        "true",
        'imagePullPolicy is "true", which is none of Always, IfNotPresent and Never, so the API server refuses it',
      ],
    },
    { fields: 'image: a:1\nimagePullPolicy: ""' },
    { fields: "image: a:1\nimagePullPolicy: Never" },
    { fields: 'image: a:1\nimagePullPolicy: "{{ .Values.policy }}"' },
  ],
  "policy-ignored": [
    {
      fields: "image: a:1\npullPolicy: Always",
      finding: [
        "Always",
        "the API server does not know the field pullPolicy in a container, so this pull policy has no effect",
      ],
    },
    { fields: "image: a:1\nimagePullPolicy: Always" },
  ],
  "policy-missing-surprises": [
    {
      fields: `image: app:latest@${digest}`,
      finding: [
        name,
        "without imagePullPolicy, the API server uses Always because the tag is latest, although the digest already says which image it is",
      ],
    },
    {
      fields: "image: app:main",
      finding: [
        name,
        "without imagePullPolicy, the API server uses IfNotPresent, so a node keeps the first image that it pulled under the moving tag main",
      ],
    },
    // What the API server does of itself is right here, where Polaris wants the field nevertheless.
    { fields: "image: app:latest" },
    { fields: "image: app" },
    { fields: "image: app:1.2" },
    { fields: `image: app@${digest}` },
    { fields: `image: app:main@${digest}` },
    { fields: "image: app:main\nimagePullPolicy: Always" },
    { fields: "image: app:main", profile: "always" },
  ],
  "moving-tag-not-always": [
    {
      fields: "image: app:main\nimagePullPolicy: IfNotPresent",
      finding: [
        "IfNotPresent",
        "with IfNotPresent, a node keeps the first image that it pulled under the moving tag main",
      ],
    },
    {
      fields: "image: app\nimagePullPolicy: 'IfNotPresent'",
      finding: [
        "'IfNotPresent'",
        "with IfNotPresent, a node keeps the first image that it pulled under the implied tag latest",
      ],
    },
    { fields: "image: app:main\nimagePullPolicy: Always" },
    { fields: "image: app:1.2\nimagePullPolicy: IfNotPresent" },
    { fields: `image: app:main@${digest}\nimagePullPolicy: IfNotPresent` },
    { fields: "image: app:main\nimagePullPolicy: Never" },
  ],
  "always-needless": [
    {
      fields: `image: ghcr.io/app@${digest}\nimagePullPolicy: Always`,
      finding: [
        "Always",
        "the digest already says which image it is, so Always only makes every start depend on ghcr.io",
      ],
    },
    {
      fields: `image: app:latest@${digest}\nimagePullPolicy: Always`,
      finding: [
        "Always",
        "the digest already says which image it is, so Always only makes every start depend on docker.io",
      ],
    },
    { fields: `image: app@${digest}\nimagePullPolicy: IfNotPresent` },
    { fields: `image: app@${digest}` },
    { fields: "image: app:1\nimagePullPolicy: Always" },
    { fields: `image: app@${digest}\nimagePullPolicy: Always`, profile: "always" },
  ],
  "not-always": [
    { fields: "image: app:1", profile: "recommended" },
    {
      fields: "image: app:1",
      profile: "always",
      finding: [
        name,
        "imagePullPolicy is not set, and the default is IfNotPresent, not Always: the tag 1 is not latest",
      ],
    },
    {
      fields: `image: app@${digest}\nimagePullPolicy: IfNotPresent`,
      profile: "always",
    },
    {
      fields: "image: app:1\nimagePullPolicy: IfNotPresent",
      profile: "always",
      finding: ["IfNotPresent", "imagePullPolicy is IfNotPresent, not Always"],
    },
    {
      fields: "image: app:1\nimagePullPolicy: Never",
      profile: "always",
      finding: ["Never", "imagePullPolicy is Never, not Always"],
    },
    // The API server sets Always here, which Polaris does not know.
    { fields: "image: app", profile: "always" },
    { fields: "image: app:1\nimagePullPolicy: Always", profile: "always" },
  ],
  "always-needs-registry": [
    { fields: "image: ghcr.io/app:1\nimagePullPolicy: Always", profile: "recommended" },
    {
      fields: "image: ghcr.io/app:1\nimagePullPolicy: Always",
      profile: "offline",
      finding: ["Always", "imagePullPolicy Always asks ghcr.io at every start of the container"],
    },
    {
      fields: `image: ghcr.io/app:latest@${digest}`,
      profile: "offline",
      finding: [
        name,
        "imagePullPolicy Always, the default because the tag is latest, asks ghcr.io at every start of the container",
      ],
    },
    { fields: `image: ghcr.io/app@${digest}`, profile: "offline" },
  ],
  never: [
    {
      fields: "image: app:1\nimagePullPolicy: Never",
      finding: ["Never", "with Never, app:1 is not pulled, so the container fails wherever the image is not loaded"],
    },
    { fields: "image: app:1\nimagePullPolicy: Never", profile: "offline" },
    { fields: "image: app:1\nimagePullPolicy: IfNotPresent" },
  ],
};

describe.each(Object.entries(rows))("%s", (rule, cases) => {
  it.each(cases)("$fields ($profile)", ({ fields, finding, profile = "recommended" }) => {
    // Where a tag's finding is told, that about the missing policy is a part of it.
    const severities = new Map(rule === "policy-missing-surprises" ? [["tag-moving", "off"] as const] : []);
    const found = toldBy(rule, deployment(fields), { profile, severities });
    expect(found.map(({ covered, message }) => [covered, message])).toEqual(finding === undefined ? [] : [finding]);
    for (const { advice } of found) expect(advice).toMatch(/^[A-Z].*\.$/s);
  });
});

describe("fixes", () => {
  it.each([
    ["image: app:main", "set imagePullPolicy to Always"],
    [`image: app:latest@${digest}`, "set imagePullPolicy to IfNotPresent"],
    ["image: ghcr.io/app:1\nimagePullPolicy: always", "set imagePullPolicy to Always"],
    ["image: ghcr.io/app", undefined],
    ["image: https://ghcr.io/app:1", "set image to ghcr.io/app:1"],
  ])("%s", (fields, description) => {
    const [fix] = findingsIn(deployment(fields)).flatMap((finding) => finding.fix ?? []);
    expect(fix?.description).toBe(description);
  });

  it("are announced by the rules that make them, and by no others", () => {
    const found = Object.values(rows).flatMap((cases) =>
      cases.flatMap(({ fields, profile = "recommended" }) => findingsIn(deployment(fields), { profile })),
    );
    const fixed = new Set(found.flatMap(({ ruleId, fix, inner }) => (fix ? [inner?.ruleId ?? ruleId] : [])));
    expect([...fixed].toSorted()).toEqual(rules.flatMap(({ id, meta }) => (meta.fixable ? id : [])).toSorted());
  });
});
