import { expect, it } from "vitest";
import { expand, unknownNames } from "./expand.ts";

const variables = new Map([
  ["A", "1"],
  ["B", "$(A)"],
  ["", "empty"],
]);

// k8s third_party/forked/golang/expansion/expand_test.go tells which forms there are.
it.each([
  ["plain", "plain"],
  ["$(A)", "1"],
  ["x$(A)y$(A)z", "x1y1z"],
  ["$(B)", "$(A)"],
  ["$(C)", "$(C)"],
  ["$$(A)", "$(A)"],
  ["$$$(A)", "$1"],
  ["$$$$(A)", "$$(A)"],
  ["$A", "$A"],
  ["$", "$"],
  ["a$", "a$"],
  ["$(A", "$(A"],
  ["$()", "empty"],
  ["$(A)$(", "1$("],
  ["$(A$(B))", "$(A$(B))"],
])("%j becomes %j", (text, expanded) => {
  expect(expand(text, variables)).toBe(expanded);
});

it("tells the names that nobody knows", () => {
  expect(unknownNames("$(A)/$(C)/$$(D)/$(E)", variables)).toEqual(["C", "E"]);
});
