/** Runs through situations: `PULLEY_POLICY_SEED` has those of one run again, `PULLEY_POLICY_CASES` says how many. */
import { randomInt } from "node:crypto";
import { expect } from "vitest";
import { situationFrom } from "./generate.ts";
import type { Situation } from "./situation.ts";

export const seed = process.env["PULLEY_POLICY_SEED"] ?? String(randomInt(2 ** 32));
export const count = Number(process.env["PULLEY_POLICY_CASES"] ?? 1000);

type Check = (situation: Situation) => Promise<readonly [found: unknown, expected: unknown] | undefined>;

/**
 * Fails with the whole situation, and what to type to have it again.
 * @param oneIn looks at one in so many of them only
 * @returns how many there was something to expect of
 */
export async function each(check: Check, oneIn = 1): Promise<number> {
  let checked = 0;
  for (let at = 0; at < count; at += oneIn) {
    const situation = situationFrom(`${seed}/${at}`);
    const [found, expected] = (await check(situation)) ?? [];
    if (expected === undefined) continue;
    checked += 1;
    const again = `PULLEY_POLICY_SEED=${seed} (${situation.seed}): ${JSON.stringify(situation, undefined, 1)}`;
    expect(found, again).toEqual(expected);
  }
  return checked;
}
