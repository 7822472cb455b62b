/** One thing that is done over a wild network, and what it has to do it with. */
import type { Dice } from "../../examples/world/dice.ts";
import type { BuiltImage } from "../../examples/world/image-builder.ts";
import type { Profile } from "../../examples/world/network.ts";
import type { Registry } from "../../examples/world/registry.ts";
import { wrongBytes } from "../bytes-on-disk.ts";

/** Longer waits than in tests, and as many breaks as there may be. */
export const wild: Profile = { patience: 300, breaks: 0.3, mostBreaks: Infinity };

export interface Surroundings {
  readonly dice: Dice;
  readonly registry: Registry;
  /** What the registry has, by name with its host. */
  readonly images: ReadonlyMap<string, BuiltImage>;
  /** A folder of this errand's own. */
  readonly folder: string;
}

/** Ends well, or says what was wrong. */
export type Errand = (surroundings: Surroundings) => Promise<void>;

export function requireRight(outcome: boolean, text: string): asserts outcome {
  if (!outcome) throw new Error(text);
}

export async function requireRightBytes(folder: string): Promise<void> {
  const wrong = await wrongBytes(folder);
  requireRight(wrong.length === 0, `WRONG BYTES\n${wrong.join("\n")}`);
}

export function someNames({ dice, images }: Surroundings, count: number): readonly string[] {
  const names = [...images.keys()];
  return Array.from({ length: count }, () => names.splice(dice.below(names.length), 1)).flat();
}
