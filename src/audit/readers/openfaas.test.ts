import { describe, expect, it } from "vitest";
import { digest, findingsIn, told } from "../testing/findings.ts";
import { readOther, readText } from "./read-text.ts";

const stack = (fields: string, head = "version: 1.0\nprovider:\n  name: openfaas\n") =>
  `${head}functions:\n  hello:\n    ${fields.replaceAll("\n", "\n    ")}\n`;

const options = { expectManifests: true, mayBePatch: false } as const;

describe("the image of a function", () => {
  const imageOf = (image: string) => {
    const [subject] = readText(stack(`image: ${image}`), "stack.yaml", options).subjects;
    return subject && [subject.request.image.given, subject.unresolved, Object.keys(subject.fields).join()];
  };

  it.each([
    ["ghcr.io/a:1", "ghcr.io/a:1", undefined, "image"],
    ["'ghcr.io/a:1'", "ghcr.io/a:1", undefined, "image"],
    ["${IMAGE:-ghcr.io/a:1}", "ghcr.io/a:1", undefined, "withDefaults"],
    ["${IMAGE:=ghcr.io/a:1}", "ghcr.io/a:1", undefined, "withDefaults"],
    ["${IMAGE=ghcr.io/a:1}", "ghcr.io/a:1", undefined, "withDefaults"],
    ["${A:-${B:-ghcr.io}}/a:${TAG:-1}", "ghcr.io/a:1", undefined, "withDefaults"],
    ["ghcr.io/a:${TAG}", "ghcr.io/a:${TAG}", "variable", "image"],
    ["${A:-ghcr.io}/a:${TAG}", "ghcr.io/a:${TAG}", "variable", "withDefaults"],
    ["1.10", "1.10", undefined, "image"],
    ["ghcr.io/a:$TAG", "ghcr.io/a:$TAG", "variable", "image"],
    ["ghcr.io/${A^^}/a", "ghcr.io/${A^^}/a", "variable", "image"],
  ])("%s", (image, given, unresolved, fields) => {
    expect(imageOf(image)).toEqual([given, unresolved, fields]);
  });

  it("does not follow the environment", () => {
    process.env["PULLEY_TEST_TAG"] = "main";
    try {
      expect(imageOf("ghcr.io/a:${PULLEY_TEST_TAG:-1}")).toEqual(["ghcr.io/a:1", undefined, "withDefaults"]);
    } finally {
      delete process.env["PULLEY_TEST_TAG"];
    }
  });

  it("is told of with the spelling that faas-cli replaces", () => {
    expect(told(stack("image: ghcr.io/a:$TAG"))).toMatchObject([
      { rule: "variable-unresolved", covered: "ghcr.io/a:$TAG", message: expect.stringContaining("does not replace") },
    ]);
    expect(told(stack("image: ghcr.io/a:${TAG}"))).toMatchObject([
      { rule: "variable-unresolved", advice: expect.stringContaining("faas-cli generate") },
    ]);
  });
});

it("reads several functions, with their namespaces, labels and annotations", () => {
  const text = stack(`image: ghcr.io/a:1
skip_build: true
namespace: \${NS:-dev}
labels: {team: blue}
annotations: {topic: x}
constraints: ["kubernetes.io/arch=arm64"]`).concat(
    "  other:\n    lang: dockerfile\n    handler: ./other\n    image: ghcr.io/b:1\n",
    "configuration:\n  templates:\n    - name: go\n      source: https://example.com/templates.git\n  copy: [common]\n",
  );
  const { subjects, problems } = readText(text, "any.yml", options);
  expect(problems).toEqual([]);
  expect(subjects.map(({ request: { workload, image } }) => [workload, image.given])).toEqual([
    [
      {
        apiVersion: "openfaas.com/v1",
        kind: "Function",
        namespace: "dev",
        name: "hello",
        labels: { faas_function: "hello", team: "blue" },
        annotations: { topic: "x" },
      },
      "ghcr.io/a:1",
    ],
    [expect.objectContaining({ namespace: "openfaas-fn", name: "other" }), "ghcr.io/b:1"],
  ]);
});

describe("what the provider sets", () => {
  it.each([
    [undefined, "Always"],
    ["Always", "Always"],
    ["IfNotPresent", "IfNotPresent"],
    ["Never", "Never"],
  ] as const)("%s", (openfaasPullPolicy, value) => {
    const otherDefault = {
      value,
      program: "OpenFaaS",
      because: `the OpenFaaS provider sets ${value} on every function (image_pull_policy)`,
    };
    const { subjects = [] } = readOther(stack("image: ghcr.io/a:1"), "stack.yml", { openfaasPullPolicy }) ?? {};
    expect(subjects).toMatchObject([{ request: { pullPolicy: undefined, otherDefault }, pulls: { value } }]);
    const custom = "apiVersion: openfaas.com/v1\nkind: Function\nmetadata: {name: f}\nspec: {name: f, image: 'a:1'}\n";
    const generated = readText(custom, "f.yaml", { ...options, openfaasPullPolicy }).subjects;
    expect(generated).toMatchObject([{ request: { otherDefault }, pulls: { value, from: "provider" } }]);
  });

  it.each([
    ["recommended", "Always", "ghcr.io/a:1", []],
    ["recommended", "Always", `ghcr.io/a:latest@${digest}`, []],
    ["recommended", "IfNotPresent", "ghcr.io/a:1", []],
    ["recommended", "IfNotPresent", "ghcr.io/a:main", ["moving-tag-not-always", "tag-moving"]],
    ["recommended", "Never", "ghcr.io/a:1", ["never"]],
    ["always", "Always", "ghcr.io/a:1", []],
    ["always", "IfNotPresent", "ghcr.io/a:1", ["not-always"]],
    ["offline", "Always", `ghcr.io/a@${digest}`, ["always-needs-registry"]],
    ["offline", "IfNotPresent", `ghcr.io/a@${digest}`, []],
  ] as const)("is audited: %s, %s, %s", (profile, openfaasPullPolicy, image, rules) => {
    const findings = findingsIn(stack(`image: ${image}`), { profile, openfaasPullPolicy });
    expect(findings.map(({ ruleId }) => ruleId)).toEqual(rules);
    const ofPolicy = findings.filter(({ ruleId }) => ruleId !== "tag-moving");
    const setting = {
      message: expect.stringContaining(`the OpenFaaS provider sets ${openfaasPullPolicy} on every function`),
      advice: expect.stringContaining("where the provider runs"),
    };
    expect(ofPolicy).toMatchObject(ofPolicy.map(() => setting));
    expect(ofPolicy.filter(({ fix }) => fix !== undefined)).toEqual([]);
  });

  it("gives way to the annotation of Pulley's own provider, which no fix changes", () => {
    const text = stack("image: ghcr.io/a:main\nannotations: {pulley.dev/image-pull-policy: IfNotPresent}");
    const [moving, notAlways] = findingsIn(text, { openfaasPullPolicy: "Always" });
    expect(moving).toMatchObject({ ruleId: "tag-moving" });
    expect(notAlways).toMatchObject({ ruleId: "moving-tag-not-always" });
    expect(notAlways).not.toHaveProperty("fix");
  });
});

describe("a pull policy that nothing reads", () => {
  it.each([
    ["in a function", stack("image: ghcr.io/a:1\nImagePullPolicy: Never"), "faas-cli does not know the field"],
    ["in its environment", stack("image: ghcr.io/a:1\nenvironment: {image_pull_policy: Never}"), "a variable of the"],
    ["among its annotations", stack("image: ghcr.io/a:1\nannotations: {imagePullPolicy: Never}"), "among annotations"],
    ["among its labels", stack("image: ghcr.io/a:1\nlabels: {imagePullPolicy: Never}"), "among labels"],
    ["at the provider", stack("image: ghcr.io/a:1", "provider:\n  name: openfaas\n  pull_policy: Never\n"), "provider"],
    ["at the top", stack("image: ghcr.io/a:1", "imagePullPolicy: Never\nprovider: {name: openfaas}\n"), "stack file"],
  ])("%s", (_, text, words) => {
    expect(told(text)).toMatchObject([
      {
        rule: "policy-ignored",
        covered: "Never",
        message: expect.stringMatching(new RegExp(`${words}.*has no effect`)),
        advice: expect.stringContaining("image_pull_policy where the provider runs"),
      },
    ]);
  });

  it("in the custom resource", () => {
    const text =
      "apiVersion: openfaas.com/v1\nkind: Function\nmetadata: {name: f}\nspec: {image: 'ghcr.io/a:1', imagePullPolicy: Never}\n";
    expect(told(text)).toMatchObject([
      {
        rule: "policy-ignored",
        covered: "Never",
        message: expect.stringContaining(
          "has no field imagePullPolicy, so this pull policy has no effect: the OpenFaaS",
        ),
        advice: expect.stringContaining("image_pull_policy where the provider runs"),
      },
    ]);
  });

  it("is told with what holds in its place", () => {
    const text = stack("image: ghcr.io/a:1\nimagePullPolicy: Never");
    expect(told(text, { openfaasPullPolicy: "IfNotPresent" })).toMatchObject([
      { message: expect.stringMatching(/no effect: the OpenFaaS provider sets IfNotPresent on every function/) },
    ]);
  });
});
