import { describe, expect, it } from "vitest";
import { setImage, setPullPolicy } from "./fields.ts";
import { askingIn, planOf, policyAttempts } from "./testing/asking.ts";

const head = "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n  containers:\n";

/** The only container of a pod. */
function container(text: string) {
  const [asking] = askingIn(head + text);
  if (asking === undefined) throw new Error("the text has no container");
  return asking;
}

function withPolicy(text: string): string {
  const { source, field } = container(text);
  return planOf(source.text, [setPullPolicy(source, field, "Always")]).text.slice(head.length);
}

function withImage(text: string, image: string): string {
  const { source, field } = container(text);
  return planOf(source.text, [setImage(source, field, image)]).text.slice(head.length);
}

describe("a pull policy", () => {
  it.each([
    ["behind the image", "  - image: a\n    name: b\n", "  - image: a\n    imagePullPolicy: Always\n    name: b\n"],
    ["where the file ends", "  - image: a", "  - image: a\n    imagePullPolicy: Always"],
    [
      "below the image's own comments",
      "  - image: a # one\n      # two\n    # of the name\n    name: b\n",
      "  - image: a # one\n      # two\n    imagePullPolicy: Always\n    # of the name\n    name: b\n",
    ],
    [
      "behind the name without an image",
      "  - name: b\n    tty: true\n",
      "  - name: b\n    imagePullPolicy: Always\n    tty: true\n",
    ],
    ["behind whatever there is", "  - tty: true\n", "  - tty: true\n    imagePullPolicy: Always\n"],
    [
      "behind all line breaks of the image",
      "  - image: |+\n      a\n\n    name: b\n",
      "  - image: |+\n      a\n\n    imagePullPolicy: Always\n    name: b\n",
    ],
    [
      "with a comment further to the left",
      "  - image: a\n# left\n    imagePullPolicy: Never # x\n",
      "  - image: a\n# left\n    imagePullPolicy: Always # x\n",
    ],
    [
      "in the value of a key with an anchor",
      "  - image: a\n    imagePullPolicy: &p\n",
      "  - image: a\n    imagePullPolicy: &p Always\n",
    ],
    [
      "on a line of its own",
      "  - image: a\n    imagePullPolicy:\n      Never\n",
      "  - image: a\n    imagePullPolicy:\n      Always\n",
    ],
    ["in a flow", "  - {image: a, name: b}\n", "  - {image: a, imagePullPolicy: Always, name: b}\n"],
    ["in a flow without blanks", '  - {"image":"a"}\n', '  - {"image":"a","imagePullPolicy":"Always"}\n'],
    ["in a flow with a quoted key alone", '  - {"image": a}\n', '  - {"image": a, "imagePullPolicy": Always}\n'],
    [
      "in a flow over lines",
      "  - {name: b,\n     image: a}\n",
      "  - {name: b,\n     image: a, imagePullPolicy: Always}\n",
    ],
  ])("%s", (_, text, wanted) => expect(withPolicy(text)).toBe(wanted));

  it.each([
    ["that is a list", "  - image: a\n    imagePullPolicy: [Never]\n", "imagePullPolicy is not a string"],
    [
      "that has line breaks",
      "  - image: a\n    imagePullPolicy: |\n      Never\n",
      "imagePullPolicy is written in a way that cannot be changed safely",
    ],
    [
      "that has no value at all",
      "  - {image: a, imagePullPolicy}\n",
      "there is no line after which the pull policy can be written",
    ],
    ["among nothing but lists", "  - ports: []\n", "there is no line after which the pull policy can be written"],
    ["that is right", "  - image: a\n    imagePullPolicy: Always\n", "imagePullPolicy is Always already"],
    ["in a template", '  - image: a\n    name: "{{ .Name }}"\n', "the document is a template: it has {{ in it"],
  ])("is refused where there is one %s", (_, text, reason) => {
    const { source, field } = container(text);
    expect(setPullPolicy(source, field, "Always")).toEqual({ refused: reason });
  });

  it("says what it changes, and where", () => {
    const { source, field } = container("  - image: a\n");
    const at = source.text.indexOf("a\n", head.length + 4) + 1;
    expect(setPullPolicy(source, field, "Never").fix).toEqual({
      description: "set imagePullPolicy to Never",
      edits: [
        { file: "file.yaml", start: head.length + 12, end: head.length + 12, text: "\n    imagePullPolicy: Never" },
      ],
      changes: [{ start: head.length + 4, path: "spec.containers[0]", key: "imagePullPolicy", value: "Never" }],
    });
    expect(at).toBe(head.length + 12);
  });

  it("does not look at other documents for braces", () => {
    const text = `${head}  - image: a\n---\na: "{{ b }}"\n`;
    expect(policyAttempts(text, "Always")).toMatchObject([{ fix: {} }]);
    expect(policyAttempts(`a: "{{ b }}"\n---\n${text}`, "Always")).toMatchObject([{ fix: {} }]);
  });
});

describe("an image", () => {
  it.each([
    ["plain", "  - image: a # c\n", "b:1", "  - image: b:1 # c\n"],
    ["in single quotes", "  - image: 'a'\n", "b:1", "  - image: 'b:1'\n"],
    ["in double quotes", '  - image: "\\x61"\n', "b:1", '  - image: "b:1"\n'],
    ["folded", "  - image: >-\n      a\n\n    name: c\n", "b:1", "  - image: >-\n      b:1\n\n    name: c\n"],
    ["in a flow", "  - {image: a}\n", "b:1@sha256:c", "  - {image: b:1@sha256:c}\n"],
    ["that needs quotes now", "  - image: a\n", "[::1]:5000/a", '  - image: "[::1]:5000/a"\n'],
    ["that would be a number now", "  - image: a\n", "1e5", '  - image: "1e5"\n'],
    ["with an anchor and a tag", "  - image: &x !!str a\n", "b:1", "  - image: &x !!str b:1\n"],
  ])("%s", (_, text, image, wanted) => expect(withImage(text, image)).toBe(wanted));

  it.each([
    ["a variable", "  - image: nginx:${TAG}\n", "the image has a variable in it"],
    ["nothing", "  - image:\n", "image is written in a way that cannot be changed safely"],
    ["an empty line", "  - image: >-\n\n      a\n", "image is written in a way that cannot be changed safely"],
    ["several lines", "  - image: >-\n      a\n      b\n", "image is written in a way that cannot be changed safely"],
    ["a line break", "  - image: |\n      a\n", "image is written in a way that cannot be changed safely"],
    ["an object", "  - image: {a: b}\n", "image is not a string"],
    ["no place", "  - name: b\n", "image is not a string"],
  ])("is refused where it has %s", (_, text, reason) => {
    const { source, field } = container(text);
    expect(setImage(source, field, "b:1")).toEqual({ refused: reason });
  });
});
