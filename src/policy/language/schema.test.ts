import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { plain, readManifests } from "../../workload/index.ts";
import { policyOf } from "../cases/case.ts";
import { cases } from "../cases.ts";
import { policyInit } from "../starter.ts";
import { policyJsonSchema } from "./json-schema.ts";
import { readPolicy } from "./read.ts";

const written = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");

interface Node {
  readonly description?: string;
  readonly pattern?: string;
  readonly examples?: readonly string[];
  readonly [key: string]: unknown;
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null;
}

/** Every schema in the schema, with the way to it. */
function* nodes(node: unknown, path = ""): Generator<readonly [string, Node]> {
  if (!isNode(node)) return;
  yield [path, node];
  for (const [name, property] of Object.entries(node.properties ?? {})) yield* nodes(property, `${path}.${name}`);
  for (const key of ["items", "additionalProperties"]) yield* nodes(node[key], `${path}[]`);
  for (const key of ["anyOf", "oneOf"]) {
    for (const [index, choice] of (Array.isArray(node[key]) ? node[key] : []).entries()) {
      yield* nodes(choice, `${path}|${index}`);
    }
  }
}

describe("the schema for editors", () => {
  const all = [...nodes(policyJsonSchema())];

  it("is the one that is in the repository", () => {
    expect(JSON.parse(written("schema/imagepullpolicy.json"))).toEqual(policyJsonSchema());
  });

  it("wants windows or freezes of times", () => {
    const when = all.filter(([path]) => path.endsWith(".when"));
    expect(when.map(([, { anyOf }]) => anyOf)).toEqual([[{ required: ["pull"] }, { required: ["closed"] }]]);
  });

  it("describes every field", () => {
    const fields = all.filter(([path]) => /\.\$?\w+$/.test(path));
    expect(fields.length).toBeGreaterThan(80);
    expect(fields.filter(([, { description }]) => !description).map(([path]) => path)).toEqual([]);
  });

  it("gives examples that fit their own patterns", () => {
    const exemplary = all.filter(([, { pattern, examples }]) => pattern !== undefined && examples !== undefined);
    expect(exemplary.length).toBeGreaterThan(20);
    for (const [, { pattern = "", examples = [] }] of exemplary) {
      for (const example of examples) expect(example).toMatch(new RegExp(pattern));
    }
  });

  it("knows no key that it does not name", () => {
    const open = all.filter(([, node]) => node.type === "object" && node.additionalProperties !== false);
    expect(open.map(([path]) => path.replace(/.*\./, ""))).toEqual(expect.arrayContaining(["metadata", "matchLabels"]));
    expect(open.every(([path]) => /\.(metadata|matchLabels)$/.test(path))).toBe(true);
  });
});

describe("an editor with that schema", () => {
  const editor = z.fromJSONSchema(JSON.parse(written("schema/imagepullpolicy.json")));
  const documentsOf = (text: string) => readManifests(text, "p.yaml").documents.map(({ root }) => plain(root));
  const accepts = (text: string) => documentsOf(text).every((each) => editor.safeParse(each).success);

  it("accepts all policies of the table of decisions", () => {
    const texts = new Set(cases.flatMap(({ policy }) => policy ?? []));
    expect(texts.size).toBeGreaterThan(200);
    expect([...texts].filter((text) => !accepts(text))).toEqual([]);
  });

  it.each<[object]>([
    [{ pulll: { policy: "Always" } }],
    [{ admit: "allow" }],
    [{ name: "My_Rule", admit: "Deny" }],
    [{ match: { images: [] }, admit: "Deny" }],
    [{ match: { images: ["quay.io/{a,b}"] }, admit: "Deny" }],
    [{ match: { tags: ["v[12]"] }, admit: "Deny" }],
    [{ match: { pinned: "yes" }, admit: "Deny" }],
    [{ match: { labels: { matchExpressions: [{ key: "a", operator: "in", values: ["b"] }] } }, admit: "Deny" }],
    [{ pull: { policy: "IfNotNewer" } }],
    [{ pull: { checkEvery: "10 min" } }],
    [{ pull: { maxStaleness: 10 } }],
    [{ when: { pull: ["Mon-Fri 8-18"] } }],
    [{ when: { closed: [{ from: "2026-12-20" }] } }],
    [{ when: { closed: [{ from: "20 December", until: "2026-12-24" }] } }],
    [{ when: { pull: ["*"], otherwise: "deny" } }],
    [{ from: { mirrors: ["mirror.acme.io"] } }],
    [{ from: { mirrors: ["https://user:secret@mirror.acme.io"] } }],
    [{ from: { mirrors: ["https://mirror.acme.io"], origin: "Sometimes" } }],
    [{ require: { maxSize: "2GB" } }],
    [{ require: { platforms: ["amd64"] } }],
  ])("refuses %j, as Pulley does", (rule) => {
    const text = policyOf([{ name: "r", ...rule }]);
    expect(accepts(text)).toBe(false);
    expect(readPolicy([{ file: "p.yaml", text }]).problems).toHaveLength(1);
  });
});

describe("the policies that come with Pulley", () => {
  it.each(readdirSync(new URL("../../../examples/policies", import.meta.url)))("%s is sound", (file) => {
    const { policy, problems, warnings } = readPolicy([{ file, text: written(`examples/policies/${file}`) }]);
    expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
    expect(policy.documents).toHaveLength(1);
  });

  it("begin with the one that pulley policy init writes", () => {
    expect(policyInit()).toBe(written("examples/policies/starter.yaml"));
  });

  it("speak, in production, on every subject", () => {
    const { policy } = readPolicy([{ file: "p.yaml", text: written("examples/policies/production.yaml") }]);
    const [document] = policy.documents;
    expect(document?.rules.map(({ id }) => id)).toEqual(
      ["our-registries", "nothing-else", "pinned", "moving-tags", "change-freeze", "near", "sane"].map(
        (name) => `production/${name}`,
      ),
    );
    expect(document?.rules[3]?.pull).toEqual({
      policy: "Always",
      checkEvery: { text: "10m", milliseconds: 600_000 },
      whenUnreachable: "UseCached",
      maxStaleness: { text: "24h", milliseconds: 86_400_000 },
    });
    expect(document?.exemptions[0]).toMatchObject({
      id: "production/exemptions[0]",
      owner: "team-payments",
      expires: { at: Date.parse("2027-02-01T00:00:00Z") },
    });
  });
});
