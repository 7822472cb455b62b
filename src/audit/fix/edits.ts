/** Applies edits to a text. Everything outside of them stays byte for byte. */
import type { Edit } from "../types.ts";

export interface Spliced {
  readonly text: string;
  /** In the order of the text, without duplicates. */
  readonly edits: readonly Edit[];
  /** For each edit, the range of its text in the result. */
  readonly places: readonly { readonly start: number; readonly end: number }[];
}

/** @throws RangeError if two edits change the same place */
export function splice(text: string, edits: readonly Edit[]): Spliced {
  const sorted = sortedEdits(edits);
  const parts: string[] = [];
  const places: { start: number; end: number }[] = [];
  let from = 0;
  let length = 0;
  for (const [index, edit] of sorted.entries()) {
    const next = sorted[index + 1];
    if (next !== undefined && isConflict(edit, next)) throw new RangeError("two edits change the same place");
    const start = length + edit.start - from;
    parts.push(text.slice(from, edit.start), edit.text);
    places.push({ start, end: start + edit.text.length });
    from = edit.end;
    length = start + edit.text.length;
  }
  return { text: parts.join("") + text.slice(from), edits: sorted, places };
}

/**
 * Applies edits to a text, duplicates once, without checking what they mean.
 * @throws RangeError if two of them change the same place, or one is outside of the text
 */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  if (!edits.every((edit) => isWithin(text, edit))) throw new RangeError("an edit is not within the text");
  return splice(text, edits).text;
}

export function isSameEdit(one: Edit, other: Edit): boolean {
  return one.start === other.start && one.end === other.end && one.text === other.text;
}

/** Whether an edit is within the text. */
export function isWithin(text: string, { start, end }: Edit): boolean {
  return Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start <= end && end <= text.length;
}

/** Collects edits that can be applied together. */
export interface Compatible {
  /** Takes all of the edits, or none and returns `false` if one of them conflicts with an edit that was taken. */
  take(edits: readonly Edit[]): boolean;
}

/** Characters of a bucket. Edits are looked up by bucket, so that the time does not grow with their square. */
const stretch = 256;

export function compatibleEdits(): Compatible {
  const taken = new Map<number, Edit[]>();
  return {
    take(edits) {
      const isFree = edits.every((edit, index) => {
        const others = [...edits.slice(index + 1), ...stretchesOf(edit).flatMap((at) => taken.get(at) ?? [])];
        return !others.some((other) => isConflict(edit, other));
      });
      if (!isFree) return false;
      for (const edit of edits) for (const at of stretchesOf(edit)) taken.set(at, [...(taken.get(at) ?? []), edit]);
      return true;
    },
  };
}

function stretchesOf({ start, end }: Edit): number[] {
  const first = Math.floor(start / stretch);
  return Array.from({ length: Math.floor(end / stretch) - first + 1 }, (_, index) => first + index);
}

/**
 * Two insertions at one place conflict, because their order is not defined. One at the edge of a replacement does not.
 */
function isConflict(one: Edit, other: Edit): boolean {
  if (isSameEdit(one, other)) return false;
  const bothInsert = one.start === one.end && other.start === other.end;
  return bothInsert ? one.start === other.start : one.start < other.end && other.start < one.end;
}

function sortedEdits(edits: readonly Edit[]): readonly Edit[] {
  const sorted = edits.toSorted((one, other) => one.start - other.start || one.end - other.end);
  return sorted.filter((edit, index) => {
    const before = sorted[index - 1];
    return before === undefined || !isSameEdit(edit, before);
  });
}
