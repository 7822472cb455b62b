/**
 * Plans the fixes of one file: which can be applied together, and the resulting text. Each may change only what it is
 * for.
 */
import { type MappingValue, readValues, type Value, type ValueInput } from "../../workload/index.ts";
import type { Edit, Fix, ValueChange } from "../types.ts";
import { compatibleEdits, isSameEdit, isWithin, type Spliced, splice } from "./edits.ts";

export interface RefusedFix {
  readonly fix: Fix;
  /** Half a sentence: `another fix changes the same place`. */
  readonly reason: string;
}

export interface FixPlan {
  /** The text with the fixes applied; unchanged if there are none. */
  readonly text: string;
  /** Of the applied fixes: in the order of the text, without duplicates. */
  readonly edits: readonly Edit[];
  readonly made: readonly Fix[];
  readonly refused: readonly RefusedFix[];
}

/**
 * Applies the fixes of one text, except those that are refused: because an earlier fix changes the same place in another
 * way; or because the new text, parsed again, has other differences than the fixes are for, for example when an
 * anchor has users that no fix is for. A fix is applied with all of its edits or not at all; or
 * with its alternative edits. Never throws.
 */
export function planFixes(text: string, file: string, fixes: readonly Fix[]): FixPlan {
  const refused: RefusedFix[] = [];
  let candidates = compatible(text, fixes.map(first), refused);
  if (candidates.length === 0) return { text, edits: [], made: [], refused };
  const before = readValues(text, file);
  while (candidates.length > 0) {
    const spliced = splice(
      text,
      candidates.flatMap(({ edits }) => edits),
    );
    const faults = faultsOf(candidates, before, spliced, file);
    if (faults.size === 0)
      return { text: spliced.text, edits: spliced.edits, made: candidates.map(({ fix }) => fix), refused };
    candidates = compatible(
      text,
      candidates.flatMap((candidate) => afterFault(candidate, faults, refused)),
      refused,
    );
  }
  return { text, edits: [], made: [], refused };
}

/** A fix with the edits to apply. */
interface FixCandidate {
  readonly fix: Fix;
  readonly edits: readonly Edit[];
  readonly otherwise: readonly Edit[] | undefined;
}

function first(fix: Fix): FixCandidate {
  return { fix, edits: fix.edits, otherwise: fix.otherwise };
}

function second({ fix, otherwise }: FixCandidate): FixCandidate | undefined {
  return otherwise && { fix, edits: otherwise, otherwise: undefined };
}

/** Those that can be applied together: of conflicting fixes, the first. */
function compatible(text: string, candidates: readonly FixCandidate[], refused: RefusedFix[]): FixCandidate[] {
  const chosen = compatibleEdits();
  return candidates.flatMap((candidate) => {
    if (!candidate.edits.every((edit) => isWithin(text, edit))) {
      refused.push({ fix: candidate.fix, reason: "it is for another text" });
      return [];
    }
    if (chosen.take(candidate.edits)) return candidate;
    const other = second(candidate);
    if (other !== undefined && chosen.take(other.edits)) return other;
    refused.push({ fix: candidate.fix, reason: "another fix changes the same place" });
    return [];
  });
}

function afterFault(candidate: FixCandidate, faults: ReadonlyMap<Fix, string>, refused: RefusedFix[]): FixCandidate[] {
  const reason = faults.get(candidate.fix);
  if (reason === undefined) return [candidate];
  const other = second(candidate);
  if (other !== undefined) return [other];
  refused.push({ fix: candidate.fix, reason });
  return [];
}

/** Those that change something else, or do not change what they are for; all of them, if that is not known. */
function faultsOf(
  candidates: readonly FixCandidate[],
  before: ValueInput,
  spliced: Spliced,
  file: string,
): ReadonlyMap<Fix, string> {
  const all = (reason: string) => new Map(candidates.map(({ fix }) => [fix, reason]));
  const after = readValues(spliced.text, file);
  if (after.problems.length !== before.problems.length) return all("the file would not be valid any more");
  const found = differences(before.values, after.values);
  const { done, unwanted } = match(candidates, found);
  const faults = new Map<Fix, string>();
  for (const { fix } of candidates) {
    if (!fix.changes.every((change) => done.has(change))) faults.set(fix, "it would have no effect");
  }
  for (const { at } of unwanted) {
    const guilty = fixesAt(at, candidates, spliced);
    if (guilty.length === 0) return all("the file would mean something else");
    const uses = found.filter((difference) => difference.at === at).length;
    for (const fix of guilty) faults.set(fix, `the place is shared by an anchor that is used ${uses} times`);
  }
  return faults;
}

interface MatchedChanges {
  readonly done: ReadonlySet<ValueChange>;
  readonly unwanted: readonly Difference[];
}

function match(candidates: readonly FixCandidate[], found: readonly Difference[]): MatchedChanges {
  const wanted = new Map<string, ValueChange[]>();
  for (const { fix } of candidates) {
    for (const change of fix.changes) {
      const place = placeOf(change);
      wanted.set(place, [...(wanted.get(place) ?? []), change]);
    }
  }
  const done = new Set<ValueChange>();
  const unwanted = found.filter((difference) => {
    const changes = wanted.get(placeOf(difference))?.filter((change) => isFor(change, difference)) ?? [];
    for (const change of changes) done.add(change);
    return changes.length === 0 && !isUnread(difference);
  });
  return { done, unwanted };
}

function placeOf({ start, key }: Pick<ValueChange, "start" | "key">): string {
  return `${start} ${key}`;
}

function isFor(change: ValueChange, { path, value }: Difference): boolean {
  return change.value === value && (path === change.path || path.endsWith(`.${change.path}`));
}

/** Extensions at the top of a Compose file have no effect themselves; they hold anchors. */
function isUnread({ path }: Difference): boolean {
  return path.startsWith("x-");
}

function fixesAt(at: number, candidates: readonly FixCandidate[], { edits, places }: Spliced): Fix[] {
  const edit = edits[places.findIndex(({ start, end }) => start <= at && at < end)];
  if (edit === undefined) return [];
  return candidates
    .filter((candidate) => candidate.edits.some((other) => isSameEdit(edit, other)))
    .map(({ fix }) => fix);
}

// The differences between the values of a text before and after its edits.

interface Difference {
  /** Where the mapping begins in the text before; -1 outside of a mapping. */
  readonly start: number;
  readonly path: string;
  readonly key: string;
  /** The new string; `undefined` where the value is no string, or gone. */
  readonly value: string | undefined;
  /** Where the new value begins in the text after. */
  readonly at: number;
}

/** Every scalar that changed, is new or is missing; once for each path that reaches it. */
function differences(before: readonly Value[], after: readonly Value[]): Difference[] {
  const found: Difference[] = [];
  if (before.length !== after.length) found.push({ start: -1, path: "", key: "", value: undefined, at: -1 });
  before.forEach((value, index) => {
    const other = after[index];
    if (other !== undefined) compare(value, other, { start: -1, path: "", key: "" }, found);
  });
  return found;
}

type ValuePlace = Pick<Difference, "start" | "path" | "key">;

function compare(before: Value, after: Value, place: ValuePlace, found: Difference[]): void {
  if (before.kind === "mapping" && after.kind === "mapping") {
    compareMappings(before, after, childPath(place), found);
  } else if (before.kind === "sequence" && after.kind === "sequence" && before.items.length === after.items.length) {
    before.items.forEach((item, index) => {
      const other = after.items[index];
      if (other !== undefined) compare(item, other, { ...place, key: `${place.key}[${index}]` }, found);
    });
  } else if (before.kind !== "scalar" || after.kind !== "scalar" || !Object.is(before.value, after.value)) {
    found.push(differenceOf(place, after));
  }
}

function compareMappings(before: MappingValue, after: MappingValue, path: string, found: Difference[]): void {
  const { start } = before;
  for (const [key, value] of before.entries) {
    const other = after.entries.get(key);
    if (other === undefined) found.push({ start, path, key, value: undefined, at: -1 });
    else compare(value, other, { start, path, key }, found);
  }
  for (const [key, value] of after.entries) {
    if (!before.entries.has(key)) found.push(differenceOf({ start, path, key }, value));
  }
}

function differenceOf(place: ValuePlace, after: Value): Difference {
  const value = after.kind === "scalar" && typeof after.value === "string" ? after.value : undefined;
  return { ...place, value, at: after.start };
}

function childPath({ path, key }: ValuePlace): string {
  return path === "" || key === "" ? path + key : `${path}.${key}`;
}
