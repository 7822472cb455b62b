/** Chance that can be had again: the same seed throws the same. */
import { createHash } from "node:crypto";

export interface Dice {
  /** From 0 to below 1. */
  throw(): number;
  /** A whole number from 0 to below `limit`. */
  below(limit: number): number;
  pick<T>(choices: readonly [T, ...T[]]): T;
  /** True so many times out of one. */
  chance(probability: number): boolean;
}

/** Chris Doty-Humphrey's sfc32, started from a hash of the seed. */
export function diceFrom(seed: string): Dice {
  const state = createHash("sha256").update(seed).digest();
  let [a, b, c, count] = [0, 4, 8, 12].map((at) => state.readInt32LE(at)) as [number, number, number, number];
  const roll = () => {
    const sum = (a + b + count) | 0;
    count = (count + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return (sum >>> 0) / 2 ** 32;
  };
  const below = (limit: number) => Math.floor(roll() * limit);
  return {
    throw: roll,
    below,
    pick: (choices) => choices[below(choices.length)] ?? choices[0],
    chance: (of) => roll() < of,
  };
}
