/** Which cases of the table can be put to which place that decides, and why the others cannot. */
import { type Case, cases } from "../../src/policy/cases.ts";

export type Place = "explain" | "audit" | "simulate" | "node";

/** Why a case cannot be put to a place, and of which cases that is so. */
interface Limit {
  readonly because: string;
  readonly of: (each: Case) => boolean;
}

const looks: Limit = {
  because: "it is about a machine that nobody looked at, and here somebody looks",
  of: ({ facts, expected }) => facts.presence === "unknown" && expected.action === "Use",
};

const limits: Readonly<Record<Place, readonly Limit[]>> = {
  explain: [
    looks,
    { because: "a manifest does not say in which cluster it is", of: ({ request }) => request.cluster !== undefined },
    {
      because: "what an image says of itself is known of a copy only, which would be used",
      of: ({ facts, expected }) =>
        facts.presence === "unknown" && facts.image !== undefined && expected.action === "Pull",
    },
  ],
  audit: [
    { because: "a manifest does not say in which cluster it is", of: ({ request }) => request.cluster !== undefined },
    { because: "an audit reads no image", of: ({ facts }) => facts.image !== undefined },
  ],
  simulate: [looks],
  node: [looks],
};

/** The cases that a place can be asked about, and how many there are of the others by reason. */
export function expressible(place: Place): { ran: readonly Case[]; left: Readonly<Record<string, number>> } {
  const ran: Case[] = [];
  const left: Record<string, number> = {};
  for (const each of cases) {
    const limit = limits[place].find(({ of }) => of(each));
    if (limit === undefined) ran.push(each);
    else left[limit.because] = (left[limit.because] ?? 0) + 1;
  }
  return { ran, left };
}

/** The cases for `it.each`, with their names. */
export function named(ran: readonly Case[]): readonly (readonly [string, Case])[] {
  return ran.map((each) => [each.name, each]);
}
