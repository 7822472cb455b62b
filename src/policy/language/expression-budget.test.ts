import { describe, expect, it } from "vitest";
import type { ExpressionVariables } from "../types.ts";
import { parseExpression } from "./expression.ts";
import { mostSteps } from "./expression-cost.ts";
import { statesOf } from "./regular-expression.ts";

/** As much as Kubernetes lets a pod have: 256 KiB of annotations, and more labels than anybody wants. */
const long = "a".repeat(250_000);
const labels = Object.fromEntries(Array.from({ length: 1000 }, (_, at) => [`label-${at}.acme.io/${at}`, `v${at}`]));
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
  workload: {
    kind: "Pod",
    namespace: "default",
    name: "web",
    labels,
    annotations: { x: long, b: `${long}b`, digits: "9".repeat(250_000) },
  },
  cluster: "eu-1",
};

function evaluate(text: string): unknown {
  const parsed = parseExpression(text);
  if ("problem" in parsed) return `problem: ${parsed.problem}`;
  return parsed.value.evaluate(variables);
}

const tooMuch = { failure: `it takes more than the ${mostSteps} steps that an expression may take` };
const x = "workload.annotations['x']";

const costly: readonly (readonly [title: string, text: string])[] = [
  ["long texts put together in a loop", `workload.labels.all(k, size(${x} + ${x} + ${x}) > 1)`],
  [
    "long texts counted again and again",
    `workload.labels.all(k, ${Array.from({ length: 40 }, () => `size(${x}) > 1`).join(" && ")})`,
  ],
  ["long texts compared", `workload.labels.all(k, ${x} + 'a' != workload.annotations['b'])`],
  [
    "long texts looked for in a list",
    `workload.labels.all(k, !((${x} + 'c') in [${x} + 'a', workload.annotations['b']]))`,
  ],
  ["a text searched for a long one", `!workload.annotations['b'].contains(${x} + 'c')`],
  ["a regular expression on a long text", `!${x}.matches('^(a|b)*c(a|b)*c$')`],
  ["a regular expression of many states", `!${x}.matches('(?:a?){300}a{300}b')`],
  ["a regular expression that is made in each turn", "workload.labels.all(k, !k.matches('(x{100}){10}'))"],
  ["numbers of many digits", Array.from({ length: 10 }, () => "int(workload.annotations['digits']) == 1").join(" || ")],
  ["bytes of long texts", `workload.labels.all(k, bytes(${x}) != b'')`],
  ["lists put together in a loop", `workload.labels.all(k, [${x}] + [${x}] != [${x} + 'a', ${x}])`],
  ["maps compared in a loop", "workload.labels.all(k, workload.labels == workload.labels)"],
  ["a map of long texts", `workload.labels.all(k, {'a': ${x} + 'a'} != {'a': workload.annotations['b']})`],
  ["an error that is swallowed", `workload.labels.exists(k, size(${x} + ${x} + ${x}) < 1) || true`],
  ["the other way of going through", `workload.labels.exists(k, size(${x} + ${x}) < 1)`],
  ["exactly one", `workload.labels.exists_one(k, size(${x} + ${x}) < 1)`],
  [
    "the parts of a loop",
    `[${Array.from({ length: 50 }, () => "1").join()}].all(n, true) && workload.labels.all(k, ${Array.from({ length: 180 }, () => "true").join(" && ")}) && workload.labels.all(k, size(${x}) > 1)`,
  ],
];

describe("an expression that costs too much", () => {
  it.each(costly)("fails: %s", (_title, text) => {
    expect(evaluate(text)).toEqual(tooMuch);
  });

  it("fails the same way each time, and the next one is none the worse", () => {
    const costly = parseExpression(`workload.labels.all(k, size(${x} + ${x}) > 1)`);
    const cheap = parseExpression("image.tag == 'latest'");
    if ("problem" in costly || "problem" in cheap) throw new Error("not an expression");
    for (let turn = 0; turn < 3; turn += 1) {
      expect(costly.value.evaluate(variables)).toEqual(tooMuch);
      expect(cheap.value.evaluate(variables)).toEqual({ value: true });
    }
  });
});

describe("an expression that goes through as much, and costs little", () => {
  it.each([
    ["workload.labels.all(k, size(k) < 317 && workload.labels[k] != '')", true],
    ["workload.labels.all(k, k in workload.labels && !(k in workload.annotations))", true],
    ["workload.labels.exists(k, k.startsWith('label-999'))", true],
    ["workload.labels.exists_one(k, workload.labels[k] == 'v7')", true],
    [`${x}.contains('aab') || size(${x}) == 250000`, true],
    [`${x}.startsWith('aaa') && ${x} != ''`, true],
    ["size(workload.labels) == 1000 && size(workload.annotations) == 3", true],
    ["image.name.matches('^docker[.]io/[a-z0-9/-]{1,128}$')", true],
    ["workload.labels.exists(k, k.matches('^label-9'))", true],
  ])("gives its answer: %s", (text, value) => {
    expect(evaluate(text)).toEqual({ value });
  });
});

describe("what an expression may cost is known beforehand", () => {
  const mayExceed = (text: string) => {
    const parsed = parseExpression(text);
    return "problem" in parsed ? parsed.problem : parsed.value.mayExceed;
  };

  it.each([
    `workload.labels.all(k, size(${x} + ${x}) > 1)`,
    `${x}.matches('^(a|b)*c$')`,
    `workload["annotations"]["x"].matches('^(a|b)*c$')`,
    `workload.annotations.all(k, size(workload.annotations[k]) < 100)`,
    `workload.labels.all(k, k.matches('^[a-z]{1,1000}$'))`,
    `workload.labels.exists(k, ${x} in ['a', 'b'])`,
    `[${x}, ${x}].all(t, t.contains(${x}))`,
    `workload.labels == workload.labels && workload.labels.all(k, workload.labels == workload.labels)`,
  ])("%s may cost too much", (text) => expect(mayExceed(text)).toBe(true));

  it.each([
    'image.tag.matches("^v[0-9]+$")',
    'image.name.matches("^registry[.]acme[.]io/[a-z0-9/-]{1,100}$")',
    'workload.labels["app"] in ["web", "api"]',
    "workload.labels.all(k, k.startsWith('acme.io/') || workload.labels[k] != '')",
    `${x}.contains("temporary") || ${x}.startsWith("a")`,
    `has(workload.annotations.x) && ${x} == "true"`,
    "cluster == 'eu-1' ? image.digest != '' : true",
  ])("%s may not", (text) => expect(mayExceed(text)).toBe(false));

  it.each(costly)("what did cost too much was known: %s", (_title, text) => expect(mayExceed(text)).toBe(true));
});

describe("the states of a regular expression", () => {
  it.each([
    ["abc", 4],
    ["a{100}", 101],
    ["(x{100}){10}", 1021],
    ["(?:a?){300}", 901],
    ["[a-z{9}]{5}", 6],
    ["\\{5}", 4],
    ["\\Qa{9}\\E", 9],
    ["a{,5}", 6],
  ])("of %s are at most %i", (pattern, states) => {
    expect(statesOf(pattern)).toBe(states);
  });
});
