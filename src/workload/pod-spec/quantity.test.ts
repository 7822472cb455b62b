import { expect, it } from "vitest";
import { parseQuantity } from "./quantity.ts";

it.each([
  ["1", 1],
  ["0.5", 0.5],
  [".5", 0.5],
  ["100m", 0.1],
  ["1500m", 1.5],
  ["64Mi", 67_108_864],
  ["1Gi", 1_073_741_824],
  ["1k", 1000],
  ["1G", 1e9],
  ["1e3", 1000],
  ["12E", 12e18],
  ["2Ei", 2 * 2 ** 60],
  ["", undefined],
  ["m", undefined],
  ["1 Gi", undefined],
  ["1gi", undefined],
  ["1K", undefined],
  ["0x10", undefined],
  ["1e", undefined],
  ["9".repeat(65), undefined],
])("%j is %j", (text, amount) => {
  expect(parseQuantity(text)).toBe(amount);
});
