/** The differences between the values of a text before and after its edits. */
import type { MappingValue, Value } from "../../workload/index.ts";

export interface Difference {
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
export function differences(before: readonly Value[], after: readonly Value[]): Difference[] {
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
    found.push(difference(place, after));
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
    if (!before.entries.has(key)) found.push(difference({ start, path, key }, value));
  }
}

function difference(place: ValuePlace, after: Value): Difference {
  const value = after.kind === "scalar" && typeof after.value === "string" ? after.value : undefined;
  return { ...place, value, at: after.start };
}

function childPath({ path, key }: ValuePlace): string {
  return path === "" || key === "" ? path + key : `${path}.${key}`;
}
