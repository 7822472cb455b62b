import { describe, expect, it } from "vitest";
import { teamOf } from "./teams.ts";
import { readTeams } from "./teams-file.ts";
import { cluster, pod } from "./testing/objects.ts";

const file = `teams:
- name: shop
  contact: "#shop"
  namespaces: [shop-*, "!shop-old"]
- name: data
  labels:
    matchLabels: { team: data }
    matchExpressions: [{ key: tier, operator: NotIn, values: [test] }]
- { name: rest-of-prod, namespaces: [prod] }
`;

function owner(namespace: string, labels: Readonly<Record<string, string>> = {}) {
  const { teams, problems } = readTeams(file, "teams.yaml");
  expect(problems).toEqual([]);
  const [only] = cluster([pod({ name: "a", namespace, labels })]).workloads;
  return only && teamOf(teams, only)?.name;
}

describe("teams", () => {
  it("own what their namespaces and labels select; the first one that fits", () => {
    expect(owner("shop-eu")).toBe("shop");
    expect(owner("shop-old")).toBeUndefined();
    expect(owner("prod")).toBe("rest-of-prod");
    expect(owner("prod", { team: "data" })).toBe("data");
    expect(owner("prod", { team: "data", tier: "test" })).toBe("rest-of-prod");
  });

  it.each([
    ["teams: []", 1, 8, /teams: an empty list lists nothing/],
    ["team: []", 1, 1, /team: Unknown field; did you mean teams/],
    ["teams:\n- name: a\n  namespace: [b]", 3, 3, /teams\[0\].namespace: Unknown field; did you mean namespaces/],
    ["teams:\n- name: a", 2, 3, /teams\[0\]: has neither namespaces nor labels/],
    ["teams:\n- namespaces: [a]", 2, 3, /teams\[0\].name: Required/],
    ["teams:\n- name: a\n  namespaces: [a b]", 3, 16, /teams\[0\].namespaces\[0\]: Invalid value: "a b"/],
    ["teams:\n- name: a\n  labels: {}", 3, 11, /teams\[0\].labels: says nothing/],
    ["teams:\n- name: a\n  labels: { matchExpressions: [{ key: a, operator: Is }] }", 3, 52, /Unsupported value: "Is"/],
    [
      "teams:\n- { name: a, namespaces: [a] }\n- { name: a, namespaces: [b] }",
      3,
      5,
      /a is the name of teams\[0\], too/,
    ],
    ["- a", 1, 1, /the file must be one object with teams/],
    ["", 1, 1, /the file must be one object with teams/],
    ["teams: [", 1, 9, /./],
  ])("are read strictly: %j", (text, line, column, message) => {
    const { teams, problems } = readTeams(text, "t.yaml");
    expect(problems.map((problem) => problem.message).join("\n")).toMatch(message);
    expect(problems[0]?.source).toEqual({ file: "t.yaml", line, column });
    expect(teams).toEqual([]);
  });
});
