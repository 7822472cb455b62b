import { describe, expect, it } from "vitest";
import { readBaseline, writeBaseline } from "./baseline.ts";
import { deployment, findingsIn, told } from "./testing/findings.ts";

const text = deployment("image: ghcr.io/a:main\nimagePullPolicy: Always", "image: nginx");
const baseline = readBaseline(writeBaseline(findingsIn(text)), "baseline.json");

describe("a baseline", () => {
  it("has a line for each finding, in an order of its own", () => {
    const written = writeBaseline(findingsIn(text).toReversed());
    expect(written).toBe(writeBaseline(findingsIn(text)));
    expect(written.split("\n").filter((line) => line.includes("fingerprint"))).toHaveLength(3);
    expect(written).toContain('"object":"Deployment prod/web, container c0"');
    expect(JSON.parse(written)).toMatchObject({ apiVersion: "pulley.dev/v1alpha1", kind: "AuditBaseline" });
    expect(readBaseline(writeBaseline([]), "b").entries.size).toBe(0);
  });

  it("leaves its findings out", () => {
    expect(told(text, { baseline })).toEqual([]);
  });

  it("knows them when they move", () => {
    expect(told(`# a comment\n\n${text.replace("spec:", "  labels: {a: b}\nspec:")}`, { baseline })).toEqual([]);
  });

  it("knows its file by another way to write the path", () => {
    expect(told(text, { baseline, file: "./a.yaml" })).toEqual([]);
    const fixed = told(deployment("image: ghcr.io/a:1"), { baseline, file: "./a.yaml" });
    expect(fixed.map(({ rule }) => rule)).toEqual(["baseline-obsolete", "baseline-obsolete", "baseline-obsolete"]);
  });

  it("tells of what is new: another container, another image, and the same once more", () => {
    const more = `${text}---\n${text}`;
    expect(
      told(more, { baseline })
        .map(({ rule }) => rule)
        .toSorted(),
    ).toEqual(["registry-missing", "tag-missing", "tag-moving"]);
    expect(told(text.replace("a:main", "a:edge"), { baseline })).toMatchObject([
      { rule: "tag-moving" },
      {
        rule: "baseline-obsolete",
        message: "the finding tag-moving of Deployment prod/web, container c0, in a.yaml no longer occurs",
      },
    ]);
  });

  it("tells of entries that are gone where they stand", () => {
    const written = writeBaseline(findingsIn(text));
    const [gone] = findingsIn(deployment("image: ghcr.io/a:main\nimagePullPolicy: Always"), { baseline });
    expect(gone?.region.file).toBe("baseline.json");
    expect(written.slice(gone?.region.start, gone?.region.end)).toMatch(/^[0-9a-f]{32}$/);
  });

  it("says nothing of files and rules that were not looked at", () => {
    expect(told(deployment("image: ghcr.io/a:1"), { baseline, file: "b.yaml" })).toEqual([]);
    const severities = new Map([["registry-missing", "off"] as const]);
    expect(told(text.replace("nginx", "docker.io/nginx"), { baseline, severities })).toMatchObject([
      { rule: "tag-missing" },
      { rule: "baseline-obsolete" },
    ]);
  });

  it.each([
    ["", "Unexpected end of JSON input"],
    ["[]", "expected object"],
    ['{"apiVersion":"pulley.dev/v9","kind":"AuditBaseline","findings":[]}', "apiVersion"],
    [
      '{"apiVersion":"pulley.dev/v1alpha1","kind":"AuditBaseline","findings":[{"fingerprint":"x","rule":"a","file":"b"}]}',
      "findings.0.fingerprint",
    ],
  ])("is refused: %s", (wrong, message) => {
    expect(() => readBaseline(wrong, "b.json")).toThrow(
      expect.objectContaining({ code: "INPUT_INVALID", message: expect.stringContaining(message) }),
    );
  });
});
