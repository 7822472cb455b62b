import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readPolicy } from "./read.ts";

function read(text: string) {
  const { policy, problems, warnings } = readPolicy([{ file: "policy.yaml", text }]);
  const told = (found: typeof problems) =>
    found.map(({ source, message }) => `${source.line}:${source.column} ${message}`);
  return { policy, problems: told(problems), warnings: told(warnings) };
}

const head = "apiVersion: pulley.dev/v1alpha1\nkind: ImagePullPolicy\nmetadata: { name: p }\nspec:\n";

function rule(text: string): string {
  return `${head}  rules:\n    - name: r\n${text.replaceAll(/^/gm, "      ")}\n`;
}

const exemption = "match: { pinned: true }, owner: o, reason: r";

describe("mistakes", () => {
  it("names all mistakes of all files at once, in their order", () => {
    const wrong = rule("admit: No\nwhen: { pull: [x] }\nfrom: { mirrors: [] }");
    const { problems } = readPolicy([
      { file: "b.yaml", text: wrong },
      { file: "a.yaml", text: `{` },
      { file: "a.json", text: JSON.stringify({ apiVersion: "pulley.dev/v1alpha1", kind: "ImagePullPolicy" }) },
    ]);
    expect(problems.map(({ source }) => `${source.file}:${source.line}`)).toEqual([
      "a.json:1",
      "a.json:1",
      "a.yaml:1",
      "b.yaml:7",
      "b.yaml:8",
      "b.yaml:9",
    ]);
  });

  it("never shows a login, wherever it is", () => {
    const { problems } = read(
      rule(
        "from: { mirrors: ['https://robot:hunter2@mirror.acme.io', 'HTTPS://robot:hunter2@x', 'https://x/?token=hunter2'] }",
      ),
    );
    expect(problems).toHaveLength(3);
    expect(problems.join()).not.toContain("hunter2");
  });
});

describe("what has no effect is told too", () => {
  const untold = "mode: Warn tells of refusals, and no warning says which pulls would fail under the rule";

  it.each([
    [rule("admit: Allow\nmessage: Hello"), "p/r: the message is for denials, and the rule denies nothing"],
    [
      rule("pull: { policy: IfNotPresent, checkEvery: 10m }"),
      "p/r: checkEvery has an effect under Always only, not under IfNotPresent",
    ],
    [
      rule("pull: { policy: Never, whenUnreachable: UseCached }"),
      "p/r: whenUnreachable has no effect under Never, for no registry is asked",
    ],
    [
      rule("pull: { policy: Always, checkEvery: 2h, maxStaleness: 1h }"),
      "p/r: a copy is too old after 1h, so that checkEvery never comes to 2h",
    ],
    [
      rule("mode: Warn\npull: { policy: IfNotPresent, whenUnreachable: Fail }"),
      "p/r: mode: Warn has no effect, for the rule refuses nothing",
    ],
    [rule("mode: Warn\npull: { policy: Always, whenUnreachable: Fail }"), `p/r: ${untold}, which refuses nothing`],
    [rule("mode: Warn\npull: { checkEvery: 1h }"), `p/r: ${untold}, which refuses nothing`],
    [
      rule("mode: Warn\nfrom: { mirrors: ['https://mirror.acme.io'], origin: Never }"),
      `p/r: ${untold}, which refuses nothing`,
    ],
    [rule("mode: Warn\npull: { policy: Always, maxStaleness: 1h }"), `p/r: ${untold}`],
    [
      `${rule("admit: Allow")}    - { name: s, admit: Deny }\n`,
      "p/s: never decides on admit, for p/r before it matches everything",
    ],
  ])("%s", (text, warning) => {
    const { problems, warnings } = read(text);
    expect(problems).toEqual([]);
    expect(warnings.map((each) => each.replace(/^\S+ /, ""))).toEqual([warning]);
  });

  it.each([
    `${rule("match: { pinned: true }\nadmit: Allow")}    - { name: s, admit: Deny }\n`,
    rule("mode: Warn\npull: { policy: Never }"),
    rule("mode: Warn\nadmit: Deny"),
    `${rule("require: { tag: true }")}    - { name: s, require: { digest: true } }\n`,
    `${rule("admit: Deny")}    - { name: s, admit: Allow }\n  exemptions: [{ rules: [r], ${exemption}, expires: 2027-01-31 }]\n`,
    `${rule("admit: Deny").replace("spec:", "spec:\n  selector: { namespaces: [a] }")}---\n${rule("admit: Allow").replace("name: p", "name: q")}`,
  ])("but not what has: %s", (text) => {
    expect(read(text)).toMatchObject({ problems: [], warnings: [] });
  });
});

describe("policies", () => {
  it("are read in the order of their files' names, several documents to a file, lists and JSON too", () => {
    const named = (name: string) => rule("admit: Deny").replace("name: p", `name: ${name}`);
    const json = {
      apiVersion: "pulley.dev/v1alpha1",
      kind: "ImagePullPolicy",
      spec: { rules: [{ name: "r", admit: "Deny" }] },
    };
    const items = ["d", "e"].map((name) => ({
      ...json,
      metadata: { name, uid: "1", managedFields: [] },
      status: { a: 1 },
    }));
    const { policy, problems } = readPolicy([
      { file: "20.json", text: JSON.stringify({ apiVersion: "v1", kind: "List", items }) },
      { file: "10.yaml", text: `${named("b")}---\n${named("c")}` },
      { file: "05.yaml", text: named("a") },
    ]);
    expect(problems).toEqual([]);
    expect(policy.documents.map(({ name }) => name)).toEqual(["a", "b", "c", "d", "e"]);
    expect(policy.documents[1]?.rules[0]).toMatchObject({
      id: "b/r",
      source: { file: "10.yaml", line: 6, column: 7 },
    });
  });

  it("are there where a file is named for one", () => {
    const full = { file: "b.yaml", text: rule("admit: Deny") };
    for (const text of ["", "# nothing\n", "---\n", "null\n"]) {
      const empty = { file: "a.yaml", text };
      const problem = { source: { file: "a.yaml", line: 1, column: 1 }, message: "there is no policy in it" };
      expect(readPolicy([empty])).toMatchObject({ problems: [problem], warnings: [] });
      expect(readPolicy([empty, full])).toMatchObject({ problems: [], warnings: [problem] });
    }
  });

  it("may be none at all", () => {
    expect(readPolicy([])).toEqual({ policy: { documents: [] }, problems: [], warnings: [] });
  });

  it("are read or refused, whatever the text: never is anything thrown", () => {
    const words = fc.constantFrom(
      "rules",
      "name",
      "match",
      "admit",
      "Deny",
      "images",
      "*",
      "exemptions",
      "versions",
      "ignore",
      "endOfLife",
      "__proto__",
      "labels",
      "a",
      "10m",
    );
    const value = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        words,
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(words, tie("value"), { maxKeys: 4 }),
      ),
    })).value;
    fc.assert(
      fc.property(value, (spec) => {
        const document = { apiVersion: "pulley.dev/v1alpha1", kind: "ImagePullPolicy", metadata: { name: "p" }, spec };
        const { policy, problems } = readPolicy([{ file: "p.json", text: JSON.stringify(document) }]);
        expect(policy.documents.length === 1).toBe(problems.length === 0);
      }),
    );
    fc.assert(fc.property(fc.string(), (text) => void readPolicy([{ file: "p.yaml", text }])));
  });
});
