import { describe, expect, it } from "vitest";
import { goUrlProblem, parseGoDuration } from "./go.ts";

describe("a Go duration", () => {
  it.each([
    ["0", 0],
    ["0s", 0],
    ["2m", 120_000],
    ["1h30m", 5_400_000],
    ["1.5h", 5_400_000],
    [".5s", 500],
    ["1.s", 1000],
    ["+5s", 5000],
    ["-1h", -3_600_000],
    ["250ms", 250],
    ["1us", 0.001],
    ["1µs", 0.001],
    ["1m0.5s", 60_500],
    ["-0", 0],
  ])("%s", (text, milliseconds) => expect(parseGoDuration(text)).toEqual({ milliseconds }));

  it.each([
    ["", 'time: invalid duration ""'],
    ["-", 'time: invalid duration "-"'],
    ["m", 'time: invalid duration "m"'],
    [".s", 'time: invalid duration ".s"'],
    ["10", 'time: missing unit in duration "10"'],
    ["1h30", 'time: missing unit in duration "1h30"'],
    ["7d", 'time: unknown unit "d" in duration "7d"'],
    ["2 m", 'time: unknown unit " m" in duration "2 m"'],
    ["2m ", 'time: unknown unit "m " in duration "2m "'],
    ["3000000h", 'time: invalid duration "3000000h"'],
  ])("is not %j", (text, problem) => expect(parseGoDuration(text)).toEqual({ problem }));
});

/** What Go 1.26's `url.Parse` says. */
it.each([
  ["r.io", undefined],
  ["%f8", undefined],
  ["a b", 'parse "https://a b": invalid character " " in host name'],
  ["r.io:x", 'parse "https://r.io:x": invalid port ":x" after host'],
  ["r.io:5000a/x", 'parse "https://r.io:5000a/x": invalid port ":5000a" after host'],
  ["%zz", 'parse "https://%zz": invalid URL escape "%zz"'],
  ["r.io/%zz", 'parse "https://r.io/%zz": invalid URL escape "%zz"'],
  ["a%2fb", 'parse "https://a%2fb": invalid URL escape "%2f"'],
  ["[::1", "parse \"https://[::1\": missing ']' in host"],
  ["[::1]:5", undefined],
  ["[::1]x", 'parse "https://[::1]x": invalid port "x" after host'],
  ["a@b c", 'parse "https://a@b c": invalid character " " in host name'],
  ["<u@r.io", 'parse "https://<u@r.io": net/url: invalid userinfo'],
  ["u ser@r.io", 'parse "https://u ser@r.io": net/url: invalid userinfo'],
  ["r.io/%4", 'parse "https://r.io/%4": invalid URL escape "%4"'],
  ["r.io/a%", 'parse "https://r.io/a%": invalid URL escape "%"'],
  ["\u0001", 'parse "https://\\x01": net/url: invalid control character in URL'],
  ["a|b", 'parse "https://a|b": invalid character "|" in host name'],
  ["a^b", 'parse "https://a^b": invalid character "^" in host name'],
  ["r.io?x=%zz", undefined],
  ["*.r.io", undefined],
  ["r.io#%zz", 'parse "https://r.io#%zz": invalid URL escape "%zz"'],
  ["a\\b", 'parse "https://a\\\\b": invalid character "\\\\" in host name'],
  ["ä.io", undefined],
  ["a`b", 'parse "https://a`b": invalid character "`" in host name'],
])("of %j it says %s", (text, problem) => expect(goUrlProblem(text)).toBe(problem));
