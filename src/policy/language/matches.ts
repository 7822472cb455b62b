import type { Position } from "../../workload/index.ts";
import type { Match, PolicyDocument } from "./types.ts";

/** A `match` with whose it is: that of the selector, a rule or an exemption. */
export interface PlacedMatch {
  readonly id: string;
  readonly source: Position;
  readonly match: Match;
}

/** Every `match` of a document. */
export function matchesIn({ name, source, selector, rules, exemptions }: PolicyDocument): readonly PlacedMatch[] {
  const all = [{ id: `${name}/selector`, source, match: selector }, ...rules, ...exemptions];
  return all.flatMap(({ id, source: at, match }) => (match === undefined ? [] : [{ id, source: at, match }]));
}
