import { expect, it } from "vitest";
import { humanDuration } from "./format.ts";

const [second, minute, hour, day] = [1000, 60_000, 3_600_000, 86_400_000];
const year = 365 * day;

it.each([
  [-2 * second, "<invalid>"],
  [-1 * second, "0s"],
  [-1, "0s"],
  [0, "0s"],
  [999, "0s"],
  [119 * second, "119s"],
  [2 * minute, "2m"],
  [2 * minute + second, "2m1s"],
  [5 * minute + 3 * second, "5m3s"],
  [10 * minute - second, "9m59s"],
  [10 * minute + 59 * second, "10m"],
  [3 * hour - second, "179m"],
  [3 * hour, "3h"],
  [3 * hour + minute, "3h1m"],
  [8 * hour - second, "7h59m"],
  [8 * hour + 59 * minute, "8h"],
  [48 * hour - second, "47h"],
  [2 * day, "2d"],
  [2 * day + 4 * hour, "2d4h"],
  [8 * day - second, "7d23h"],
  [8 * day + 23 * hour, "8d"],
  [2 * year - second, "729d"],
  [2 * year, "2y"],
  [2 * year + day, "2y1d"],
  [8 * year - second, "7y364d"],
  [8 * year + 200 * day, "8y"],
])("%i milliseconds are %s", (milliseconds, text) => {
  expect(humanDuration(milliseconds)).toBe(text);
});
