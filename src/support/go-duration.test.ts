import { describe, expect, it } from "vitest";
import { parseGoDuration } from "./go-duration.ts";

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
