/** Checks of fields' types, each with a problem at the value that has the wrong one. */
import { invalid, wrongType } from "./field-errors.ts";
import type { ProblemReporter } from "./problem.ts";
import { child } from "./templates.ts";
import { type MappingValue, textAt, type Value, valueAt } from "./value.ts";

export interface ListItem {
  readonly value: MappingValue;
  /** `spec.volumes[0]` */
  readonly path: string;
}

/** The items of a list of objects. A field that is no list, and an item that is no object, is a problem. */
export function checkList(parent: Value, path: string, key: string, report: ProblemReporter): readonly ListItem[] {
  const list = valueAt(parent, key);
  const field = child(path, key);
  if (list === undefined) return [];
  if (list.kind !== "sequence") {
    report.problem(list, wrongType(field, list, "a list"));
    return [];
  }
  const items: ListItem[] = [];
  list.items.forEach((value, index) => {
    if (value.kind === "mapping") items.push({ value, path: `${field}[${index}]` });
    else report.problem(value, wrongType(`${field}[${index}]`, value, "an object"));
  });
  return items;
}

/** The text of a field: empty where it is absent or null, `undefined` (and a problem) where it is no text. */
export function checkText(
  parent: MappingValue,
  path: string,
  key: string,
  report: ProblemReporter,
): string | undefined {
  const value = valueAt(parent, key);
  if (value === undefined) return "";
  const text = textAt(value);
  if (text === undefined) report.problem(value, wrongType(child(path, key), value, "a string"));
  return text;
}

/** A number of things: whole and not negative, or absent. */
export function checkCount(root: MappingValue, keys: readonly string[], report: ProblemReporter): void {
  const value = valueAt(root, ...keys);
  if (value === undefined) return;
  const path = keys.join(".");
  if (value.kind !== "scalar" || !Number.isInteger(value.value)) {
    report.problem(value, wrongType(path, value, "a whole number"));
  } else if (Number(value.value) < 0) {
    report.problem(value, invalid(path, String(value.value), "must be greater than or equal to 0"));
  }
}

/** The metadata under `parent`, whose path is given: names, labels and annotations are texts. */
export function checkMetadata(parent: Value | undefined, path: string, report: ProblemReporter): void {
  const metadata = valueAt(parent, "metadata");
  const field = child(path, "metadata");
  if (metadata === undefined) return;
  if (metadata.kind !== "mapping") {
    report.problem(metadata, wrongType(field, metadata, "an object"));
    return;
  }
  for (const key of ["name", "generateName", "namespace"]) checkText(metadata, field, key, report);
  for (const key of ["labels", "annotations"]) checkTexts(metadata, child(field, key), key, report);
}

function checkTexts(parent: MappingValue, field: string, key: string, report: ProblemReporter): void {
  const texts = valueAt(parent, key);
  if (texts === undefined) return;
  if (texts.kind !== "mapping") report.problem(texts, wrongType(field, texts, "an object"));
  else for (const name of texts.entries.keys()) checkText(texts, field, name, report);
}
