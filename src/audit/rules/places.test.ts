import { describe, expect, it } from "vitest";
import { deployment, findingsIn, toldBy } from "../testing/findings.ts";

describe("every place that asks for an image", () => {
  it.each([
    ["an init container", "initContainers: [{name: i, image: 'app:main'}]", "'app:main'"],
    ["an ephemeral container", "ephemeralContainers: [{name: e, image: app:main}]", "app:main"],
    ["an image volume", "volumes: [{name: v, image: {reference: app:main, pullPolicy: Always}}]", "app:main"],
  ])("is looked at: %s", (_, spec, covered) => {
    const pod = `apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  ${spec}\n`;
    expect(toldBy("tag-moving", pod)).toMatchObject([{ covered }]);
  });

  it("names the pull policy as the place does", () => {
    const pod = `apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  volumes:\n    - name: v\n      image: {reference: app:main, pullPolicy: always}\n`;
    expect(toldBy("policy-value-invalid", pod)).toMatchObject([
      { covered: "always", message: expect.stringContaining('pullPolicy is "always"'), advice: "Write Always." },
    ]);
  });

  it("is found in other kinds by its shape", () => {
    const rollout = deployment("image: app:edge")
      .replace("apps/v1", "argoproj.io/v1alpha1")
      .replace("Deployment", "Rollout");
    expect(toldBy("tag-moving", rollout)).toHaveLength(1);
    expect(toldBy("policy-ignored", rollout.replace("image:", "pullPolicy: Always\n          image:"))).toEqual([]);
  });
});

describe("a custom resource with an image in a field of its own", () => {
  const prometheus = (more = "") =>
    `apiVersion: monitoring.coreos.com/v1\nkind: Prometheus\nmetadata: {name: p}\nspec:\n  image: ghcr.io/p:edge\n${more}`;

  it("is judged by its tag; what its operator takes for the pull policy is not known", () => {
    expect(findingsIn(prometheus()).map(({ ruleId, container, fix }) => [ruleId, container?.name, fix])).toEqual([
      ["tag-moving", "prometheus", undefined],
    ]);
  });

  it("is judged by the pull policy that is written beside the image", () => {
    const findings = findingsIn(prometheus("  imagePullPolicy: IfNotPresent\n"));
    expect(findings.map(({ ruleId }) => ruleId)).toEqual(["tag-moving", "moving-tag-not-always"]);
    expect(findings[1]?.fix?.description).toBe("set imagePullPolicy to Always");
  });

  it("names a Function of OpenFaaS by its name", () => {
    const fn =
      "apiVersion: openfaas.com/v1\nkind: Function\nmetadata: {name: f}\nspec: {name: fn, image: ghcr.io/fn}\n";
    expect(findingsIn(fn)).toMatchObject([{ ruleId: "tag-missing", container: { name: "fn" } }]);
  });
});
