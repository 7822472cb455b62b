import { describe, expect, it } from "vitest";
import { plainScalar, taggedScalar } from "./scalar.ts";

describe("a plain scalar as Kubernetes reads it", () => {
  it.each([
    ["nginx", "nginx"],
    ["", null],
    ["~", null],
    ["null", null],
    ["Null", null],
    ["nUll", "nUll"],
    ["yes", true],
    ["On", true],
    ["TRUE", true],
    ["y", true],
    ["no", false],
    ["Off", false],
    ["n", false],
    ["tRue", "tRue"],
    ["0", 0],
    ["1", 1],
    ["-12", -12],
    ["+12", 12],
    ["0644", 420],
    ["0o17", 15],
    ["0x1F", 31],
    ["0b101", 5],
    ["1_000", 1000],
    ["08", 8],
    ["1.27", 1.27],
    ["1.", 1],
    [".5", 0.5],
    ["1e3", 1000],
    [".inf", Number.POSITIVE_INFINITY],
    ["-.Inf", Number.NEGATIVE_INFINITY],
    [".NaN", Number.NaN],
    ["1.27.0", "1.27.0"],
    ["12:30", "12:30"],
    ["2026-01-31", "2026-01-31"],
    ["1e", "1e"],
    ["-", "-"],
    ["0xZZ", "0xZZ"],
  ])("%j is %j", (text, value) => expect(plainScalar(text)).toEqual(value));

  it.each([
    ["tag:yaml.org,2002:str", "5", "5"],
    ["tag:yaml.org,2002:int", "5", 5],
    ["tag:yaml.org,2002:bool", "yes", true],
    ["tag:yaml.org,2002:null", "", null],
    ["!Ref", "5", "5"],
  ])("with the tag %s %j is %j", (tag, text, value) => expect(taggedScalar(tag, text)).toBe(value));
});
