import { describe, expect, it } from "vitest";
import { z } from "zod";
import { plain, readManifests } from "../../workload/index.ts";
import { policyJsonSchema } from "./json-schema.ts";
import { readPolicy } from "./read.ts";

/** The place at which a problem is expected is marked in the text. */
const mark = "▮";

function placeOf(marked: string): string {
  const before = marked.slice(0, marked.indexOf(mark)).split("\n");
  return `${before.length}:${(before.at(-1) ?? "").length + 1}`;
}

function read(marked: string) {
  const { policy, problems, warnings } = readPolicy([{ file: "policy.yaml", text: marked.replaceAll(mark, "") }]);
  const told = (found: typeof problems) =>
    found.map(({ source, message }) => `${source.line}:${source.column} ${message}`);
  return { policy, problems: told(problems), warnings: told(warnings) };
}

const head = "apiVersion: pulley.dev/v1alpha1\nkind: ImagePullPolicy\nmetadata: { name: p }\nspec:\n";

/** A document with these entries, one a line. */
function entries(...lines: readonly string[]): string {
  return `${head}  versions:\n${lines.map((line) => `    - ${line}\n`).join("")}`;
}

/** What an object must have at least: zod would read it as a second schema, beside which unknown keys are let through. */
function isChoice(value: unknown): boolean {
  return Array.isArray(value) && value.every((each) => Object.keys(each).join() === "required");
}

const schema = z.record(z.string(), z.unknown()).parse(policyJsonSchema());
const editor = z.fromJSONSchema(
  z
    .record(z.string(), z.unknown())
    .parse(
      JSON.parse(JSON.stringify(schema), (key, value) => (key === "anyOf" && isChoice(value) ? undefined : value)),
    ),
);

function accepts(text: string): boolean {
  return readManifests(text, "p.yaml").documents.every(({ root }) => editor.safeParse(plain(root)).success);
}

const day = "the last day of support is written like 2027-11-11, without a time";

describe("a mistake in what is said of versions is told with its place, and an editor finds it too", () => {
  it.each(
    [
      ["{ ▮alow: minor }", "spec.versions[0].alow: Unknown field; did you mean allow?"],
      ["{ allow: minor, ▮eol: 2027-11-11 }", "eol: Unknown field; known here: name, match, allow, ignore, suffix, "],
      ["{ allow: minor, ▮endoflife: 2027-11-11 }", "endoflife: Unknown field; did you mean endOfLife?"],
      [
        "{ allow: ▮Minor }",
        'allow: Unsupported value: "Minor": supported values: "patch", "minor", "major"; did you mean minor?',
      ],
      ["{ allow: ▮none }", 'allow: Unsupported value: "none": supported values: "patch", "minor", "major"'],
      ["{ allow: ▮[minor] }", "spec.versions[0].allow: Invalid value: a list, but it must be a string"],
      [
        "{ suffix: ▮newer }",
        'suffix: Unsupported value: "newer": supported values: "Exact", "Newer"; did you mean Newer?',
      ],
      ["{ ignore: ▮'17.*' }", "spec.versions[0].ignore: Invalid value: "],
      ["{ ignore: ▮[] }", "ignore: an empty list lists nothing; leave it out, or write an entry"],
      ["{ ignore: [▮17.1] }", "ignore[0]: Invalid value: 17.1: must be a string, not a number: put it in quotes"],
      [
        "{ ignore: ['17.*', ▮'/^17/'] }",
        "ignore[1]: Invalid value: \"/^17/\": a pattern has letters, digits, '.', '_', '-' and '*', and may begin with '!' to exclude",
      ],
      ["{ moving: [▮'night ly'] }", 'moving[0]: Invalid value: "night ly": a pattern has letters'],
      ["{ endOfLife: ▮2027-11 }", `endOfLife: Invalid value: "2027-11": ${day}`],
      ["{ endOfLife: ▮2027 }", "endOfLife: Invalid value: 2027: must be a string, not a number: put it in quotes"],
      ["{ endOfLife: ▮November }", `endOfLife: Invalid value: "November": ${day}`],
      ["{ endOfLife: ▮2027-11-11T00:00:00Z }", `endOfLife: Invalid value: "2027-11-11T00:00:00Z": ${day}`],
      [
        "{ match: { ▮imageLabels: { matchLabels: { a: b } } }, allow: minor }",
        "match.imageLabels: Unknown field; known here: images, tags, pinned, namespaces, labels, clusters, containers, expression",
      ],
      ["{ match: { ▮image: [docker.io] }, allow: minor }", "match.image: Unknown field; did you mean images?"],
      ["{ name: ▮My_Rule, allow: minor }", 'name: Invalid value: "My_Rule": a name has lower-case letters'],
      ["▮minor", 'spec.versions[0]: Invalid value: "minor": must be an object, not a string'],
    ].map(([marked = "", message = ""]) => [marked, message] as const),
  )("%s", (line, message) => {
    const marked = entries(line);
    const { problems } = read(marked);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(message);
    expect(problems[0]?.split(" ")[0]).toBe(placeOf(marked));
    expect(accepts(marked.replaceAll(mark, ""))).toBe(false);
  });

  // What a schema cannot say, or not all of it.
  it.each(
    [
      [
        entries("{ match: ▮{}, allow: minor }"),
        "spec.versions[0].match: says nothing; leave it out, or give it one of its keys",
      ],
      [
        entries("▮{ name: a, match: { pinned: true } }"),
        "spec.versions[0]: says nothing of versions; give it one of allow, ignore, suffix, endOfLife, moving",
      ],
      [
        entries("{ name: a, allow: minor }", "{ name: ▮a, allow: major }"),
        'spec.versions[1].name: Duplicate value: "a"',
      ],
      [
        entries("{ endOfLife: ▮2027-02-30 }"),
        'spec.versions[0].endOfLife: Invalid value: "2027-02-30": there is no such day',
      ],
      [
        entries("{ match: { images: [▮postgres] }, allow: minor }"),
        'spec.versions[0].match.images[0]: Invalid value: "postgres": images are matched by their whole name; did you mean docker.io/library/postgres?',
      ],
      [
        entries("{ match: { expression: ▮'image.tga == \"1\"' }, allow: minor }"),
        "spec.versions[0].match.expression: Invalid value: ",
      ],
    ].map(([marked = "", message = ""]) => [message, marked] as const),
  )("%s", (message, marked) => {
    const { problems } = read(marked);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(`${placeOf(marked)} ${message}`);
  });

  it.each([
    [`${head}  ▮selector: { namespaces: [a] }\n`, "spec: has neither rules nor versions; give it one of them"],
    [`${head}  versions: ▮[]\n`, "spec.versions: an empty list lists nothing; leave it out, or write an entry"],
    [`${head}  ▮version: [{ allow: minor }]\n`, "spec.version: Unknown field; did you mean versions?"],
  ])("wants rules or versions: %s", (marked, message) => {
    expect(read(marked).problems).toEqual([`${placeOf(marked)} ${message}`]);
  });

  it("has editors want rules or versions, and something said of these", () => {
    const text = JSON.stringify(schema);
    expect(text).toContain('"anyOf":[{"required":["rules"]},{"required":["versions"]}]');
    expect(text).toContain('"anyOf":[{"required":["allow"]},{"required":["ignore"]},');
  });
});

describe("what is said of versions", () => {
  const whole = entries(
    "{ name: postgres-stays, match: { images: ['docker.io/library/postgres'], tags: ['16*'], pinned: false, namespaces: ['!dev'], labels: { matchLabels: { a: b } }, clusters: ['eu-*'], containers: ['db*'], expression: 'image.tag != \"\"' }, allow: minor, ignore: ['17.*', '*-rc*'], suffix: Newer, endOfLife: 2027-11-11, moving: [edge, 'nightly*'] }",
    "{ ignore: ['!1.*'] }",
  );

  it("is read, with or without rules", () => {
    const { policy, problems, warnings } = read(whole);
    expect({ problems, warnings: warnings.length }).toEqual({ problems: [], warnings: 1 });
    expect(warnings[0]).toContain("p/postgres-stays: eu-*: it matches nothing, for no cluster's name is known");
    expect(accepts(whole)).toBe(true);
    const [document] = policy.documents;
    expect(document?.rules).toEqual([]);
    expect(document?.versions).toMatchObject([
      {
        id: "p/postgres-stays",
        source: { file: "policy.yaml", line: 6, column: 7 },
        allow: "minor",
        suffix: "Newer",
        ignore: [{ text: "17.*", excludes: false }, { text: "*-rc*" }],
        endOfLife: { text: "2027-11-11", at: Date.parse("2027-11-12T00:00:00Z") },
        moving: [{ text: "edge" }, { text: "nightly*" }],
      },
      { id: "p/versions[1]", source: { line: 7, column: 7 }, ignore: [{ text: "!1.*", excludes: true }] },
    ]);
    expect(document?.versions[1]).not.toHaveProperty("allow");
  });

  it("stands beside rules of the same names", () => {
    const both = `${head}  rules: [{ name: a, admit: Deny }]\n  versions: [{ name: a, allow: patch }]\n`;
    expect(read(both)).toMatchObject({ problems: [], warnings: [] });
    expect(accepts(both)).toBe(true);
    const without = `${head}  rules: [{ name: a, admit: Deny }]\n`;
    expect(read(without).policy.documents[0]?.versions).toEqual([]);
  });

  it.each([
    [
      ["{ allow: minor }", "{ allow: major }"],
      "never decides on allow, for p/versions[0] before it matches everything",
    ],
    [
      ["{ suffix: Newer }", "{ suffix: Exact }"],
      "never decides on suffix, for p/versions[0] before it matches everything",
    ],
    [
      ["{ endOfLife: 2027-11-11 }", "{ name: b, endOfLife: 2028-11-11 }"],
      "p/b: never decides on endOfLife, for p/versions[0] before it matches everything",
    ],
    [
      ["{ match: { images: ['docker.io/postgres'] }, allow: minor }"],
      "docker.io/postgres: no image of docker.io has a name of one part; did you mean docker.io/library/postgres?",
    ],
  ])("is warned of where it has no effect: %j", (lines, warning) => {
    const { problems, warnings } = read(entries(...lines));
    expect(problems).toEqual([]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(warning);
  });

  it.each([
    [["{ ignore: ['1.*'] }", "{ ignore: ['2.*'] }", "{ moving: [a] }", "{ moving: [b] }"]],
    [["{ match: { pinned: true }, allow: minor }", "{ allow: major }"]],
    [["{ allow: minor }", "{ suffix: Newer }"]],
  ])("is not warned of where it has: %j", (lines) => {
    expect(read(entries(...lines))).toMatchObject({ problems: [], warnings: [] });
  });
});
