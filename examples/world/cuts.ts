/** How the bytes of one connection come: in which pieces, after which waits, and where they break off. */
import type { Dice } from "./dice.ts";

export interface Profile {
  /** Milliseconds that the network holds a connection up in all, each way. */
  readonly patience: number;
  /** How many connections of one break off in the middle of what is sent to the client. */
  readonly breaks: number;
  /** Most connections of one network that break off. */
  readonly mostBreaks: number;
}

/** Every honest program gets everything through this: pieces, waits and late heads, and no connection is lost. */
export const rough: Profile = { patience: 40, breaks: 0, mostBreaks: 0 };
/** Bodies break off as well, not more often than a client that asks again has to bear. */
export const cutting: Profile = { patience: 40, breaks: 0.5, mostBreaks: 4 };

export interface Break {
  /** Bytes after which it comes. */
  readonly at: number;
  /** `reset` as by a machine that has forgotten the connection, `end` as by a program that closes too early. */
  readonly how: "reset" | "end";
}

/** What the network does with one direction of a connection. */
export interface Plan {
  readonly break: Break | undefined;
  /** Milliseconds by which the first byte is late. */
  late(): number;
  /** Length of the next piece. */
  length(): number;
  /** Milliseconds to wait after a piece of this length; 0 once the patience is used up. */
  wait(length: number): number;
  /** Milliseconds that may be waited for more to come, so that a long piece is not cut short by chance. */
  gather(): number;
}

const mebibyte = 1024 * 1024;

/** Around the limits that programs and systems have: packets, TLS records, streams, pipes, reads and writes. */
const corners: readonly [number, ...number[]] = [
  ...([1, 2, 100, 1459, 1460, 4096, 16_383, 16_384, 16_385, 60_000, 65_535, 65_536, 65_537] as const),
  ...([131_071, 131_072, 131_073, 150_000, 262_143, 262_144, 262_145, 524_288, mebibyte - 1, mebibyte] as const),
];

/** Most pieces of a few bytes each: more would only take time. */
const mostCrumbs = 64;
/** Bytes of a connection that hold heads and manifests: nothing breaks off in them. */
const beforeBodies = 64 * 1024;

type Manner = (dice: Dice, pieces: number) => number;

const anyLength: Manner = (dice) => 1 + Math.floor(mebibyte ** dice.throw());
const corner: Manner = (dice) => dice.pick(corners);
const crumb: Manner = (dice) => 1 + dice.below(16);

/** How one connection is, from its beginning to its end. */
const manners: readonly [Manner, ...Manner[]] = [
  corner,
  corner,
  anyLength,
  // Little by little, and then as it comes.
  (dice, pieces) => (pieces < mostCrumbs ? crumb(dice, pieces) : corner(dice, pieces)),
  // The small one before the large one, again and again.
  (dice, pieces) => (pieces % 2 === 0 ? 1 + dice.below(131_072) : 131_072 + dice.below(mebibyte - 131_072)),
  (dice, pieces) => (pieces < 4 ? crumb(dice, pieces) : 16_384 + dice.below(mebibyte - 16_383)),
];

export function planFrom(dice: Dice, { patience, breaks }: Profile): Plan {
  const manner = dice.pick(manners);
  const waits = dice.pick([0.1, 0.3, 0.6]);
  /** Bytes a millisecond: a connection is slow for as long as the patience lasts. */
  const rate = dice.chance(0.3) ? 1000 * (1 + dice.below(50)) : Infinity;
  let left = patience;
  let pieces = 0;
  let tiny = 0;
  const spend = (milliseconds: number) => {
    const spent = Math.min(Math.round(milliseconds), left);
    left -= spent;
    return spent;
  };
  return {
    break: dice.chance(breaks) ? breakFrom(dice) : undefined,
    late: () => (dice.chance(0.3) ? spend(1 + dice.below(10)) : 0),
    length: () => {
      const length = manner(dice, pieces);
      pieces += 1;
      if (length > 16) return length;
      tiny += 1;
      return tiny > mostCrumbs ? 65_536 : length;
    },
    wait: (length) => {
      const pause = dice.chance(waits) ? 1 + dice.below(6) : 0;
      return spend(Math.max(pause, Math.min(length / rate, 10)));
    },
    gather: () => spend(2),
  };
}

function breakFrom(dice: Dice): Break {
  const length = Math.floor((16 * mebibyte) ** dice.throw());
  return { at: beforeBodies + length, how: dice.pick(["reset", "end"]) };
}
