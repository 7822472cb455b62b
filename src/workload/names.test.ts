import { describe, expect, it } from "vitest";
import { readManifests } from "./documents.ts";
import { validate } from "./validation.ts";

function problems(metadata: string, container = "c", volume = "v"): string[] {
  const text = `apiVersion: v1\nkind: Pod\nmetadata: {${metadata}}\nspec:\n  volumes: [{name: ${volume}}]\n  containers: [{name: ${container}, image: a}]\n`;
  return readManifests(text, "x.yaml").documents.flatMap((document) =>
    validate(document).problems.map(
      ({ source, message }) => `${source.line}:${source.column} ${message.replace(/ must consist of.*/, "")}`,
    ),
  );
}

const label = "a lowercase RFC 1123 label";
const subdomain = "a lowercase RFC 1123 subdomain";

describe("names", () => {
  it.each([
    ["name: web"],
    ["name: web.example.com"],
    ["name: 1-2.3"],
    ["name: a, namespace: kube-system"],
    ["generateName: web-"],
    [`name: ${"a".repeat(253)}`],
    [`name: a, namespace: ${"a".repeat(63)}`],
  ])("%s is one", (metadata) => expect(problems(metadata)).toEqual([]));

  it.each([
    ["name: Web", `3:18 metadata.name: Invalid value: "Web": ${subdomain}`],
    ["name: web_1", `3:18 metadata.name: Invalid value: "web_1": ${subdomain}`],
    ["name: -web", `3:18 metadata.name: Invalid value: "-web": ${subdomain}`],
    ["name: web.", `3:18 metadata.name: Invalid value: "web.": ${subdomain}`],
    ["name: a..b", `3:18 metadata.name: Invalid value: "a..b": ${subdomain}`],
    ["name: ../../etc", `3:18 metadata.name: Invalid value: "../../etc": ${subdomain}`],
    ['name: "a\\n"', `3:18 metadata.name: Invalid value: "a\\n": ${subdomain}`],
    ["generateName: Web-", `3:26 metadata.generateName: Invalid value: "Web-": ${subdomain}`],
    ["name: a, namespace: a.b", `3:32 metadata.namespace: Invalid value: "a.b": ${label}`],
    ["name: a, namespace: ..", `3:32 metadata.namespace: Invalid value: "..": ${label}`],
  ])("%s is none", (metadata, expected) => expect(problems(metadata)).toEqual([expected]));

  it("have a greatest length", () => {
    const [long, longer] = ["a".repeat(64), "a".repeat(254)];
    expect(problems(`name: ${longer}, namespace: ${long}`, long, long).map((text) => text.slice(-36))).toEqual([
      ...[" must be no more than 253 characters", " must be no more than 63 characters"].map((text) =>
        expect.stringContaining(text),
      ),
      ...[1, 2].map(() => expect.stringContaining("must be no more than 63 characters")),
    ]);
  });

  it("of containers and volumes have no dots", () => {
    expect(problems("name: a", "c.d", "V")).toEqual([
      `5:20 spec.volumes[0].name: Invalid value: "V": ${label}`,
      `6:23 spec.containers[0].name: Invalid value: "c.d": ${label}`,
    ]);
  });
});
