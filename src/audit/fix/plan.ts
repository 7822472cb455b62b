/** Which fixes of one file can be made together, and the text that they make: each is seen to change only what it may. */
import { readValues, type ValueInput } from "../../workload/documents.ts";
import type { Change, Edit, Fix } from "../types.ts";
import { type Difference, differences } from "./differences.ts";
import { compatibleEdits, isSameEdit, isWithin, type Spliced, splice } from "./edits.ts";

export interface Refused {
  readonly fix: Fix;
  /** Half a sentence: `another fix changes the same place`. */
  readonly reason: string;
}

export interface Plan {
  /** The text with the fixes made; the same as before if there are none. */
  readonly text: string;
  /** Of the fixes that are made: in the order of the text, equal ones once. */
  readonly edits: readonly Edit[];
  readonly made: readonly Fix[];
  readonly refused: readonly Refused[];
}

/**
 * Makes the fixes of one text, all but those that are refused: because an earlier fix changes the same place in another
 * way; or because the text, when it is read again, has other differences than the fixes are for, as it has when an
 * anchor has users that did not ask for the change. A fix is made with all of its edits or not at all. Never throws.
 */
export function planFixes(text: string, file: string, fixes: readonly Fix[]): Plan {
  const refused: Refused[] = [];
  let made = withoutConflicts(text, fixes, refused);
  if (made.length === 0) return { text, edits: [], made, refused };
  const before = readValues(text, file);
  while (made.length > 0) {
    const spliced = splice(
      text,
      made.flatMap(({ edits }) => edits),
    );
    const faults = faultsOf(made, before, spliced, file);
    if (faults.size === 0) return { text: spliced.text, edits: spliced.edits, made, refused };
    for (const [fix, reason] of faults) refused.push({ fix, reason });
    made = made.filter((fix) => !faults.has(fix));
  }
  return { text, edits: [], made, refused };
}

/** Of those that change one place differently, the first wins. */
function withoutConflicts(text: string, fixes: readonly Fix[], refused: Refused[]): Fix[] {
  const compatible = compatibleEdits();
  return fixes.filter((fix) => {
    if (!fix.edits.every((edit) => isWithin(text, edit))) {
      refused.push({ fix, reason: "it is for another text than this one" });
    } else if (!compatible.take(fix.edits)) {
      refused.push({ fix, reason: "another fix changes the same place" });
    } else {
      return true;
    }
    return false;
  });
}

/** The fixes that change what nobody asked to change, or do not change what they are for; all, if that cannot be told. */
function faultsOf(fixes: readonly Fix[], before: ValueInput, spliced: Spliced, file: string): Map<Fix, string> {
  const after = readValues(spliced.text, file);
  const sameProblems = after.problems.length === before.problems.length;
  const found = sameProblems ? differences(before.values, after.values) : undefined;
  if (found === undefined) return new Map(fixes.map((fix) => [fix, "the file could not be read with its fixes made"]));
  const { done, unwanted } = match(fixes, found);
  const faults = new Map<Fix, string>();
  for (const fix of fixes)
    if (!fix.changes.every((change) => done.has(change))) faults.set(fix, "it would have no effect");
  for (const { at } of unwanted) {
    const guilty = fixesAt(at, fixes, spliced);
    const uses = found.filter((difference) => difference.at === at).length;
    for (const fix of guilty) faults.set(fix, `the place is shared by an anchor that is used ${uses} times`);
    if (guilty.length === 0) return new Map(fixes.map((fix) => [fix, "the file would mean something else"]));
  }
  return faults;
}

interface Match {
  readonly done: ReadonlySet<Change>;
  readonly unwanted: readonly Difference[];
}

function match(fixes: readonly Fix[], found: readonly Difference[]): Match {
  const wanted = new Map<string, Change[]>();
  for (const { changes } of fixes) {
    for (const change of changes) {
      const place = placeOf(change);
      wanted.set(place, [...(wanted.get(place) ?? []), change]);
    }
  }
  const done = new Set<Change>();
  const unwanted = found.filter((difference) => {
    const changes = wanted.get(placeOf(difference))?.filter((change) => isFor(change, difference)) ?? [];
    for (const change of changes) done.add(change);
    return changes.length === 0 && !isUnread(difference);
  });
  return { done, unwanted };
}

function placeOf({ start, key }: Pick<Change, "start" | "key">): string {
  return `${start} ${key}`;
}

function isFor(change: Change, { path, value }: Difference): boolean {
  return change.value === value && (path === change.path || path.endsWith(`.${change.path}`));
}

/** Extensions at the top of a Compose file say nothing themselves; they hold anchors for what does. */
function isUnread({ path }: Difference): boolean {
  return path.startsWith("x-");
}

function fixesAt(at: number, fixes: readonly Fix[], { edits, places }: Spliced): Fix[] {
  const edit = edits[places.findIndex(({ start, end }) => start <= at && at < end)];
  return edit === undefined ? [] : fixes.filter((fix) => fix.edits.some((other) => isSameEdit(edit, other)));
}
