import { describe, expect, it } from "vitest";
import { deployment, told } from "./testing/findings.ts";

const rulesIn = (text: string) => told(text).map(({ rule, covered }) => `${rule} ${covered}`);

describe("a comment that leaves a finding out", () => {
  it.each([
    ["behind it", "image: ghcr.io/a:main # pulley:ignore tag-moving it is a preview\nimagePullPolicy: Always"],
    ["above it", "# pulley:ignore tag-moving it is a preview\nimage: ghcr.io/a:main\nimagePullPolicy: Always"],
    [
      "above other comments",
      "# pulley:ignore tag-moving it is a preview\n# so there\n\nimage: ghcr.io/a:main\nimagePullPolicy: Always",
    ],
    ["without blanks", "image: ghcr.io/a:main #pulley:ignore tag-moving it is a preview\nimagePullPolicy: Always"],
  ])("%s", (_, fields) => {
    expect(rulesIn(deployment(fields))).toEqual([]);
  });

  it("holds for several rules", () => {
    const text = deployment("# pulley:ignore tag-missing,registry-missing it is a preview\nimage: nginx");
    expect(rulesIn(text)).toEqual([]);
  });

  it("holds for that line alone", () => {
    const text = deployment(
      "image: ghcr.io/a:main # pulley:ignore tag-moving why\nimagePullPolicy: Always",
      "image: ghcr.io/a:main\nimagePullPolicy: Always",
    );
    expect(rulesIn(text)).toEqual(["tag-moving ghcr.io/a:main"]);
  });

  it("at the head of a document holds for that document", () => {
    const one = deployment("image: ghcr.io/a:main\nimagePullPolicy: Always");
    const text = `# a file\n${one}---\n# pulley:ignore tag-moving why\n${one}---\n${one}`;
    expect(told(text).map(({ rule }) => rule)).toEqual(["tag-moving", "tag-moving"]);
  });

  it("for a file holds for all of it", () => {
    const one = deployment("image: ghcr.io/a:main\nimagePullPolicy: Always");
    expect(rulesIn(`# pulley:ignore-file tag-moving previews\r\n${one}---\n${one}`)).toEqual([]);
  });

  it("cannot do without a reason", () => {
    const text = deployment("image: ghcr.io/a:main # pulley:ignore tag-moving\nimagePullPolicy: Always");
    expect(rulesIn(text)).toEqual(["tag-moving ghcr.io/a:main", "ignore-without-reason # pulley:ignore tag-moving"]);
  });

  it("is told of if there is nothing to leave out", () => {
    const text = deployment("image: ghcr.io/a:1 # pulley:ignore tag-moving it was once");
    expect(told(text)).toMatchObject([
      { rule: "ignore-unused", message: "there is no finding tag-moving here", severity: "note" },
    ]);
  });

  it("is told of if there is no such rule", () => {
    const text = deployment("image: ghcr.io/a:1 # pulley:ignore tag-moves,never because");
    expect(told(text).map(({ message }) => message)).toEqual([
      "there is no rule tag-moves",
      "there is no finding never here",
    ]);
  });

  it("is not told of where the rule is off", () => {
    const text = deployment("image: ghcr.io/a:1 # pulley:ignore digest-missing it moves");
    expect(rulesIn(text)).toEqual([]);
  });

  it("cannot leave out what could not be read", () => {
    const text = "# pulley:ignore-file input-unreadable it is broken\na: [\n";
    expect(told(text).map(({ rule }) => rule)).toContain("input-unreadable");
  });

  it.each([
    "image: ghcr.io/a:main#pulley:ignore",
    "# pulley:ignored tag-moving x\nimage: ghcr.io/a:1",
    "# see pulley:ignore\nimage: ghcr.io/a:1",
  ])("is none: %s", (fields) => {
    expect(told(deployment(fields)).filter(({ rule }) => rule.startsWith("ignore-"))).toEqual([]);
  });
});
