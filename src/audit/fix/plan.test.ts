import { describe, expect, it } from "vitest";
import type { Edit, Fix } from "../types.ts";
import { setImage, setPullPolicy } from "./fields.ts";
import { planFixes } from "./plan.ts";
import { askingIn, fixesOf, imageAttempts, planOf, policyAttempts } from "./testing/asking.ts";

const head = "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n";
const file = "file.yaml";

function edit(start: number, end: number, text: string): Edit {
  return { file, start, end, text };
}

/** A fix that claims to set an image. */
function fixWith(edits: readonly Edit[], changes: Fix["changes"] = []): Fix {
  return { description: "set image", edits, changes };
}

/** The fixes for the containers at some places only. */
function some(text: string, policy: string, ...wanted: readonly number[]): Fix[] {
  const attempts = askingIn(text).map(({ source, field }) => setPullPolicy(source, field, policy));
  return fixesOf(attempts.filter((_, index) => wanted.includes(index)));
}

describe("what several containers share", () => {
  const shared = `${head}  initContainers: [&c {name: a, image: b, imagePullPolicy: Never}]\n  containers: [*c]\n`;
  const merged = `${head}  containers:\n  - &c {name: a, image: b, imagePullPolicy: Never}\n  - {<<: *c, name: d}\n  - {<<: *c, name: e}\n`;

  it("is changed once where all want it", () => {
    const plan = planOf(shared, policyAttempts(shared, "Always"));
    expect(plan.text).toBe(shared.replace("Never", "Always"));
    expect(plan).toMatchObject({ made: [{}, {}], edits: [{ text: "Always" }], refused: [] });
  });

  it("stays where only one wants it", () => {
    const plan = planFixes(shared, file, some(shared, "Always", 0));
    expect(plan).toMatchObject({ text: shared, edits: [], made: [] });
    expect(plan.refused).toMatchObject([{ reason: "the place is shared by an anchor that is used 2 times" }]);
  });

  it("stays where something else has a share in it", () => {
    const text = `${head}  containers:\n  - {name: a, image: &i b, env: [{name: I, value: *i}]}\n  - {name: c, image: d}\n`;
    const plan = planOf(
      text,
      imageAttempts(text, (image) => `${image}:1`),
    );
    expect(plan.text).toBe(text.replace("image: d", "image: d:1"));
    expect(plan.refused).toHaveLength(1);
  });

  it("is overruled where it was merged and not all want it", () => {
    expect(planFixes(merged, file, some(merged, "Always", 1)).text).toBe(
      merged.replace("name: d}", "name: d, imagePullPolicy: Always}"),
    );
    expect(planFixes(merged, file, some(merged, "Always", 0)).text).toBe(merged);
    expect(planFixes(merged, file, some(merged, "Always", 0, 1, 2)).text).toBe(merged.replace("Never", "Always"));
  });

  it("is overruled where another one wants it otherwise", () => {
    const fixes = [...some(merged, "Always", 1), ...some(merged, "IfNotPresent", 2)];
    const plan = planFixes(merged, file, fixes);
    expect(plan.text).toBe(
      merged
        .replace("name: d}", "name: d, imagePullPolicy: Always}")
        .replace("name: e}", "name: e, imagePullPolicy: IfNotPresent}"),
    );
    expect(plan.made).toEqual(fixes);
  });

  it("may be in an extension of Compose", () => {
    const text = "x-a: &a {image: b, pull_policy: never}\nservices:\n  c: *a\n  d: {<<: *a, tty: true}\n";
    expect(planOf(text, policyAttempts(text, "always")).text).toBe(text.replace("never", "always"));
  });
});

describe("fixes that cannot be made together", () => {
  const text = `${head}  containers: [{name: a, image: b}]\n`;
  const [asking] = askingIn(text);

  it("the first is made, the others are not", () => {
    const attempts =
      asking === undefined ? [] : ["c:1", "c:2", "c:1"].map((image) => setImage(asking.source, asking.field, image));
    const plan = planOf(text, attempts);
    expect(plan.text).toBe(text.replace("image: b", "image: c:1"));
    expect(plan.made).toHaveLength(2);
    expect(plan.refused).toMatchObject([{ reason: "another fix changes the same place" }]);
  });

  it("two insertions at one place neither have an order", () => {
    const plan = planFixes(text, file, [...some(text, "Always", 0), ...some(text, "Never", 0)]);
    expect(plan.text).toContain("imagePullPolicy: Always}");
    expect(plan.refused).toHaveLength(1);
  });

  it("a fix that is in its own way is not made", () => {
    const plan = planFixes(text, file, [fixWith([edit(0, 5, "x"), edit(3, 4, "y")])]);
    expect(plan).toMatchObject({ text, refused: [{ reason: "another fix changes the same place" }] });
  });
});

describe("fixes that would do something else than they say", () => {
  const text = `${head}  containers: [{name: a, image: b}]\n`;
  const at = text.indexOf("b}");
  const change = { start: text.indexOf("{name: a"), path: "spec.containers[0]", key: "image", value: "c" };
  const good = fixWith([edit(at, at + 1, "c")], [change]);

  it.each([
    ["another value", fixWith([edit(at, at + 1, "d")], [change])],
    ["another key", fixWith([edit(text.indexOf("a,"), text.indexOf("a,") + 1, "c")], [change])],
    ["a value more", fixWith([edit(at, at + 1, "c, tty: true")], [change])],
    ["no valid text", fixWith([edit(at, at + 1, "c]")], [change])],
    ["a document more", fixWith([edit(text.length, text.length, "---\na: b\n")], [])],
    ["nothing", fixWith([], [change])],
    ["a value that is gone", fixWith([edit(at - 9, at + 1, "")], [])],
    ["no text of this file", fixWith([edit(at, text.length + 1, "c")], [change])],
  ])("%s", (_, fix) => {
    const plan = planFixes(text, file, [fix]);
    expect(plan).toMatchObject({ text, edits: [], made: [] });
    expect(plan.refused).toMatchObject([{ fix }]);
  });

  it("do not keep others from being made", () => {
    const wrong = fixWith([edit(text.indexOf("x}"), text.indexOf("x}") + 1, "y")]);
    expect(planFixes(text, file, [wrong, good])).toMatchObject({ text: text.replace("b}", "c}"), made: [good] });
  });

  it("may change comments", () => {
    expect(planFixes(text, file, [fixWith([edit(0, 0, "# pinned\n")])]).text).toBe(`# pinned\n${text}`);
  });
});

it("leaves documents alone that cannot be read", () => {
  const text = `a: [\n---\n${head}  containers: [{name: a, image: b}]\n---\nb: ]\n`;
  expect(planOf(text, policyAttempts(text, "Always")).text).toBe(
    text.replace("image: b}", "image: b, imagePullPolicy: Always}"),
  );
});

it("makes thousands of fixes at once", () => {
  const text = `${head}  containers:\n${"  - {name: a, image: b, imagePullPolicy: Never}\n".repeat(2000)}`;
  const plan = planOf(text, policyAttempts(text, "Always"));
  expect(plan.made).toHaveLength(2000);
  expect(plan.text).toBe(text.replaceAll("Never", "Always"));
});
