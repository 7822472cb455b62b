import { describe, expect, it } from "vitest";
import { told } from "../testing/findings.ts";
import { readOther } from "./read-text.ts";

const functions = "functions:\n  f:\n    lang: go\n    image: ghcr.io/a:1\n";

describe("a stack file", () => {
  it.each<[what: string, file: string, text: string, subjects: number | undefined]>([
    ["by its provider", "any.yaml", `provider: {name: openfaas}\n${functions}`, 1],
    ["by its old provider", "any.yaml", `provider: {name: faas}\n${functions}`, 1],
    ["by a provider without a name", "any.yaml", `provider: {gateway: http://127.0.0.1}\n${functions}`, 1],
    ["by its name", "stack.yml", functions, 1],
    ["by its name, with a wrong provider", "dir/stack.yaml", `provider: {name: openfass}\n${functions}`, 1],
    ["not by its functions alone", "any.yaml", functions, undefined],
    ["not of Serverless", "serverless.yml", `provider: {name: aws}\n${functions}`, undefined],
    [
      "not of Serverless under its name",
      "stack.yml",
      "provider: {name: aws}\nfunctions: {f: {handler: a}}\n",
      undefined,
    ],
    ["not of Swarm", "stack.yml", "services: {a: {image: 'a:1'}}\n", 1],
    ["not of Haskell", "stack.yaml", "resolver: lts-21.0\npackages: [.]\n", undefined],
    ["no Kubernetes object", "stack.yml", `kind: A\nprovider: {name: openfaas}\n${functions}`, undefined],
  ])("is known %s", (_, file, text, subjects) => {
    const read = readOther(text, file);
    expect(read?.subjects.length).toBe(subjects);
    const isStack = read?.subjects[0]?.format === "openfaas";
    expect(isStack).toBe(subjects !== undefined && text.includes("functions"));
  });
});

describe("what faas-cli refuses", () => {
  const file = (text: string, provider = "provider: {name: openfaas}\n") => `${provider}functions:\n${text}`;
  const image = "image: ghcr.io/a:1";

  it.each<[text: string, covered: string, message: string]>([
    [file(`  f: {${image}}\n`, "provider: {name: faas}\n"), "faas", 'provider.name is "faas"'],
    [file(`  f: {${image}}\n`, "provider: {gateway: a}\n"), "{gateway: a}", "provider.name is missing"],
    [file(`  f: {${image}}\n`, "version: 2.0\nprovider: {name: openfaas}\n"), "2.0", "version is 2.0"],
    [file(`  f: {${image}}\n`, "version: 1\nprovider: {name: openfaas}\n"), "1", "version is 1"],
    [file(`  - {name: f, ${image}}\n`), `- {name: f, ${image}}`, "functions is a list, and no mapping"],
    [file("  f: ghcr.io/a:1\n"), "ghcr.io/a:1", "functions.f is a string, and no mapping"],
    [file("  f: {image: {name: a}}\n"), "{name: a}}", "functions.f.image is an object in the place of text"],
    [
      file(`  f: {${image}, environment: [A=b]}\n`),
      "[A=b]}",
      "functions.f.environment is a list in the place of a mapping",
    ],
    [file(`  f: {${image}, secrets: token}\n`), "token", "functions.f.secrets is a string in the place of a list"],
    [file(`  f: {${image}, labels: {a: [b]}}\n`), "[b]}}", "in functions.f.labels there is a list"],
    [file(`  f: {${image}, secrets: [[a]]}\n`), "[a]]}", "in functions.f.secrets there is a list"],
    [file(`  f: {${image}, limits: {cpu: {a: 1}}}\n`), "{a: 1}}}", "in functions.f.limits there is an object"],
    [file(`  f: {${image}, skip_build: "true"}\n`), '"true"', "skip_build is a string in the place of true or false"],
    [file(`  f: {${image}, skip_build: 1}\n`), "1", "skip_build is a number in the place of true or false"],
    [file(`  f:\n    image: "a:\${TAG-1}"\n`), "${TAG-1}", "is no substitution"],
    [file(`  f: {${image}}\n# \${{ secrets.TOKEN }}\n`), "${{ secrets.TOKEN }", "is no substitution"],
    [file(`  f: {${image}}\n# \${A:-\${B-c}}\n`), "${B-c}", "is no substitution"],
  ])("%j", (text, covered, message) => {
    const refused = told(text).filter(({ rule }) => rule === "stack-refused");
    expect(refused).toMatchObject([{ severity: "error", covered, message: expect.stringContaining(message) }]);
    expect(refused[0]?.message).toContain("so faas-cli refuses the file");
  });

  it.each([
    'version: "1.0"\n',
    'version: "${V:-1.0}"\n',
    "version: 1.0\n",
    "# $${{ x }} $${} $A ${A} ${A:-} ${A=b} ${A/x/y} ${A#x} ${A%%x} ${#A} ${A^^} ${A,,} ${A:1:2}\n",
  ])("is not %j", (head) => {
    expect(told(`${head}provider: {name: openfaas}\nfunctions: {f: {${image}}}\n`)).toEqual([]);
  });

  it.each([
    "skip_build: yes",
    "skip_build: ${SKIP:-true}",
    "labels: {a: 1, b: true, c: }",
    "limits: {gpu: [1]}",
    "x: [[a]]",
  ])("is not %j", (field) => {
    expect(told(file(`  f:\n    ${image}\n    ${field}\n`))).toEqual([]);
  });

  it("is not a provider in a variable", () => {
    const text = (name: string) => file(`  f: {${image}}\n`, `provider:\n  name: ${name}\n`);
    expect(told(text("${P:-openfaas}"))).toEqual([]);
    expect(told(text("${P:-faas}"))).toMatchObject([{ rule: "stack-refused" }]);
  });

  it("is a key that is there twice, and the rest is read", () => {
    const text = file(`  f: {${image}}\n  f: {${image}}\n  g: {image: 'ghcr.io/g:main'}\n`);
    expect(told(text, { file: "stack.yml" })).toMatchObject([
      { rule: "input-unreadable", severity: "error", message: 'the key "f" is here twice' },
      { rule: "tag-moving" },
    ]);
  });

  it("is told beside what the file asks for", () => {
    const text = "provider: {name: faas}\nfunctions: {f: {image: 'ghcr.io/a:main'}, g: , h: {image: 'ghcr.io/h:1'}}\n";
    expect(told(text).map(({ rule }) => rule)).toEqual(["stack-refused", "tag-moving"]);
  });
});
