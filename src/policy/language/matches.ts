import type { Position } from "../../workload/index.ts";
import type { Match, PolicyDocument } from "./types.ts";

/** A `match` with whose it is: that of the selector, a rule, an exemption or a rule about versions. */
export interface PlacedMatch {
  readonly id: string;
  readonly source: Position;
  readonly match: Match;
}

/** Every `match` of a document. */
export function matchesIn({
  name,
  source,
  selector,
  rules,
  exemptions,
  versions,
}: PolicyDocument): readonly PlacedMatch[] {
  const all = [{ id: `${name}/selector`, source, match: selector }, ...rules, ...exemptions, ...versions];
  return all.flatMap(({ id, source: at, match }) => (match === undefined ? [] : [{ id, source: at, match }]));
}
