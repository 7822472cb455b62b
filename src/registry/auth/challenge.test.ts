import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseChallenges } from "./challenge.ts";

function parsed(...headers: string[]) {
  return parseChallenges(headers).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);
}

describe("parseChallenges", () => {
  const bearer = { realm: "https://auth.example/token", service: "registry", scope: "repository:app:pull" };
  it.each<[title: string, headers: string[], expected: unknown]>([
    [
      "a token service",
      ['Bearer realm="https://auth.example/token",service="registry",scope="repository:app:pull"'],
      [["bearer", bearer]],
    ],
    [
      "blanks around separators",
      ['Bearer realm = "https://auth.example/token" , service="registry" ,scope="repository:app:pull"'],
      [["bearer", bearer]],
    ],
    ["a scheme in any case", ['bEARER REALM="x"'], [["bearer", { realm: "x" }]]],
    [
      "commas inside quotes",
      ['Bearer realm="r",scope="a:b:pull,push"'],
      [["bearer", { realm: "r", scope: "a:b:pull,push" }]],
    ],
    ["escapes inside quotes", ['Basic realm="say \\"hi\\" \\\\ there"'], [["basic", { realm: 'say "hi" \\ there' }]]],
    [
      "several challenges in a header",
      ['Basic realm="b", Bearer realm="t"'],
      [
        ["basic", { realm: "b" }],
        ["bearer", { realm: "t" }],
      ],
    ],
    [
      "several headers",
      ['Basic realm="b"', 'Bearer realm="t"'],
      [
        ["basic", { realm: "b" }],
        ["bearer", { realm: "t" }],
      ],
    ],
    ["a scheme alone", ["Negotiate"], [["negotiate", {}]]],
    [
      "a scheme alone before another",
      ['Negotiate, Basic realm="b"'],
      [
        ["negotiate", {}],
        ["basic", { realm: "b" }],
      ],
    ],
    [
      "a lump, and another scheme",
      ['Negotiate YWJj==, Basic realm="b"'],
      [
        ["negotiate", {}],
        ["basic", { realm: "b" }],
      ],
    ],
    ["a value without quotes", ["Basic realm=registry"], [["basic", { realm: "registry" }]]],
    [
      "an address without quotes",
      ["Bearer realm=https://a/t,service=s"],
      [["bearer", { realm: "https://a/t", service: "s" }]],
    ],
    ["the first of two equal names", ['Bearer realm="one",realm="two"'], [["bearer", { realm: "one" }]]],
    ["empty elements", [', ,Basic realm="b",,'], [["basic", { realm: "b" }]]],
    ["an empty value", ['Basic realm=""'], [["basic", { realm: "" }]]],
    ["a quote that never ends", ['Bearer realm="abc'], [["bearer", {}]]],
    ["rubbish, without losing the next header", ["\u0000{}", 'Basic realm="b"'], [["basic", { realm: "b" }]]],
    ["nothing", [""], []],
  ])("reads %s", (_, headers, expected) => {
    expect(parsed(...headers)).toEqual(expected);
  });

  it("reads back any parameters that are written down", () => {
    const token = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
    const challenge = fc.tuple(token, fc.dictionary(token, fc.string(), { minKeys: 1, maxKeys: 4 }));
    fc.assert(
      fc.property(fc.array(challenge, { minLength: 1, maxLength: 4 }), (challenges) => {
        const header = challenges
          .map(([scheme, parameters]) => {
            const pairs = Object.entries(parameters).map(
              ([name, value]) => `${name}="${value.replace(/["\\]/g, "\\$&")}"`,
            );
            return `${scheme} ${pairs.join(", ")}`;
          })
          .join(", ");
        expect(parsed(header)).toEqual(challenges.map(([scheme, parameters]) => [scheme, { ...parameters }]));
      }),
    );
  });

  it("ends for any header", () => {
    fc.assert(fc.property(fc.string({ maxLength: 200 }), (header) => Array.isArray(parseChallenges([header]))));
  });
});
