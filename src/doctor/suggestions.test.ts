import { describe, expect, it } from "vitest";
import { nearest, nearestTags } from "./suggestions.ts";

describe("the tags that may be meant", () => {
  const tags = ["1.26", "1.27", "1.27.1", "1.27-alpine", "v2.0.0", "latest", "Stable", "main"];

  it.each<[wanted: string, nearest: readonly string[]]>([
    ["2.0.0", ["v2.0.0"]],
    ["V2.0.0", ["v2.0.0"]],
    ["stable", ["Stable"]],
    ["lastest", ["latest"]],
    ["latset", ["latest"]],
    ["1.27.9", ["1.27.1", "1.27"]],
    ["mian", ["main"]],
    ["sha-0123456789abcdef", []],
  ])("for %s begin with %j", (wanted, expected) => {
    expect(nearestTags(wanted, tags).slice(0, expected.length || undefined)).toEqual(expected);
  });

  it("are five at most, the nearest first", () => {
    const many = Array.from({ length: 50 }, (_, at) => `1.0.${at}`);
    expect(nearestTags("1.0", many)).toHaveLength(5);
    expect(nearestTags("1.0.7x", ["1.0.8", "1.0.7", "1.0.71"])[0]).toBe("1.0.71");
  });
});

it.each<[wanted: string, found: readonly string[]]>([
  ["quay.oi", ["quay.io"]],
  ["gcr.oi", ["gcr.io", "ghcr.io"]],
  ["registry.acme.io", []],
])("%s may be %j", (wanted, found) => {
  expect(nearest(wanted, ["quay.io", "ghcr.io", "gcr.io"], 2).slice(0, 2)).toEqual(found);
});
