import { describe, expect, it } from "vitest";
import type { ExpressionVariables } from "../types.ts";
import { parseExpression } from "./expression.ts";

const variables: ExpressionVariables = {
  image: {
    given: "nginx",
    name: "docker.io/library/nginx",
    registry: "docker.io",
    repository: "library/nginx",
    tag: "latest",
    digest: "",
  },
  container: { name: "app", kind: "container" },
  workload: { kind: "Pod", namespace: "default", name: "web", labels: { app: "web" }, annotations: {} },
  cluster: "eu-1",
};

function evaluate(text: string, given: ExpressionVariables = variables): unknown {
  const parsed = parseExpression(text);
  if ("problem" in parsed) return `problem: ${parsed.problem}`;
  const result = parsed.value.evaluate(given);
  return "value" in result ? result.value : `failure: ${result.failure}`;
}

describe("an expression", () => {
  it.each([
    ['image.name == "docker.io/library/nginx" && image.tag == "latest"', true],
    ['image.digest == ""', true],
    ['cluster.startsWith("us")', false],
    ['workload.labels["app"] in ["web", "api"]', true],
    ["has(workload.labels.missing) || true", true],
    ['workload.labels.all(key, workload.labels[key] != "")', true],
    ['size(workload.labels) == 1 ? image.given.endsWith("x") : false', true],
    ['image.name.matches("^(a+)+$")', false],
    ['workload.labels["missing"] == "x"', expect.stringMatching(/^failure: .*missing/)],
    ["workload.labels", "problem: an expression must give true or false"],
    ["1 + 1", "problem: an expression must give true or false"],
    ['workload.labels["app"]', "failure: an expression must give true or false"],
    ["", expect.stringMatching(/^problem: this is not CEL: /)],
    ['image.name = "x"', expect.stringMatching(/^problem: this is not CEL: 1:/)],
    ["imge.tag == ''", "problem: there is no imge; did you mean image?"],
    ["object.spec == 1", "problem: there is no object"],
    ["image.Tag == ''", "problem: image has no Tag; did you mean tag?"],
    ["workload.spec.x == ''", "problem: workload has no spec"],
    ['image.tag.startswith("v")', "problem: there is no startswith(); did you mean startsWith?"],
    ['image.tag.matches("(")', expect.stringMatching(/^problem: .*missing closing \)/)],
    ["image.tag.matches(image.name)", "problem: matches() takes a regular expression in quotes"],
    ["matches(image.tag, image.name)", "problem: matches() takes a regular expression in quotes"],
    [
      "workload.labels.filter(k, true).size() > 0",
      "problem: expressions have no map() and filter(); use all() or exists()",
    ],
    [
      "workload.labels.all(a, workload.labels.all(b, true))",
      "problem: one all() or exists() must not be inside another",
    ],
    ["Foo{a: 1}.a == 1", "problem: expressions know no messages"],
    [`image.tag == "${"x".repeat(5000)}"`, "problem: an expression is not longer than 4096 characters"],
    [Array.from({ length: 400 }, () => "true").join("||"), "problem: an expression has at most 500 parts"],
    [`${"(".repeat(2000)}true${")".repeat(2000)}`, "problem: an expression is nested at most 50 deep"],
  ])("%.80s", (text, expected) => {
    expect(evaluate(text)).toEqual(expected);
  });

  it("does not go through more labels than any workload has", () => {
    const labels = Object.fromEntries(Array.from({ length: 1001 }, (_, number) => [`label-${number}`, ""]));
    const workload = { ...variables.workload, labels };
    expect(evaluate("true", { ...variables, workload })).toBe(
      "failure: the workload has more than 1000 labels or annotations",
    );
  });

  it("sees labels with the names of what every object has as labels", () => {
    expect(evaluate("has(workload.labels.toString) || has(workload.labels.__proto__)")).toBe(false);
  });
});
