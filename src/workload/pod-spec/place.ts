/** Reading fields of an object whose place is known: a value of the wrong type is a problem at its place, and absent. */

import { parseQuantity } from "../../support/quantity.ts";
import { invalid, notSupported, required, wrongType } from "../field-errors.ts";
import type { ProblemReporter } from "../problem.ts";
import { child } from "../templates.ts";
import { type MappingValue, plain, type Value, valueAt } from "../value.ts";

/** An object inside a manifest. */
export interface PlacedObject {
  readonly value: MappingValue;
  /** `spec.containers[0]` */
  readonly path: string;
  readonly report: ProblemReporter;
}

export function pathOf(place: PlacedObject, key: string): string {
  return child(place.path, key);
}

/** Reports a problem with a field, at the field where it is there and else at the object. */
export function problem(place: PlacedObject, key: string, message: string): void {
  place.report.problem(valueAt(place.value, key) ?? place.value, message);
}

export function warning(place: PlacedObject, key: string, message: string): void {
  place.report.warning(valueAt(place.value, key) ?? place.value, message);
}

/** The object under a key. */
export function objectAt(place: PlacedObject, key: string): PlacedObject | undefined {
  const value = valueAt(place.value, key);
  if (value === undefined) return undefined;
  const path = pathOf(place, key);
  if (value.kind === "mapping") return { value, path, report: place.report };
  place.report.problem(value, wrongType(path, value, "an object"));
  return undefined;
}

/** The objects of the list under a key. */
export function objectsAt(place: PlacedObject, key: string): readonly PlacedObject[] {
  return valuesAt(place, key).flatMap((value, index) => {
    const path = `${pathOf(place, key)}[${index}]`;
    if (value.kind === "mapping") return [{ value, path, report: place.report }];
    place.report.problem(value, wrongType(path, value, "an object"));
    return [];
  });
}

function valuesAt(place: PlacedObject, key: string): readonly Value[] {
  const value = valueAt(place.value, key);
  if (value === undefined) return [];
  if (value.kind === "sequence") return value.items;
  place.report.problem(value, wrongType(pathOf(place, key), value, "a list"));
  return [];
}

/** The text under a key; `undefined` where it is absent or empty. */
export function text(place: PlacedObject, key: string): string | undefined {
  const value = valueAt(place.value, key);
  if (value === undefined) return undefined;
  if (value.kind === "scalar" && typeof value.value === "string") return value.value === "" ? undefined : value.value;
  place.report.problem(value, wrongType(pathOf(place, key), value, "a string"));
  return undefined;
}

/** As {@link text}, where the field must be there; then an empty text stands in for it, and the pod is refused. */
export function requiredText(place: PlacedObject, key: string): string {
  const found = text(place, key);
  const value = valueAt(place.value, key);
  const isEmpty = value === undefined || (value.kind === "scalar" && value.value === "");
  if (found === undefined && isEmpty) problem(place, key, required(pathOf(place, key)));
  return found ?? "";
}

export function texts(place: PlacedObject, key: string): readonly string[] {
  return valuesAt(place, key).flatMap((value, index) => {
    if (value.kind === "scalar" && typeof value.value === "string") return [value.value];
    place.report.problem(value, wrongType(`${pathOf(place, key)}[${index}]`, value, "a string"));
    return [];
  });
}

export function flag(place: PlacedObject | undefined, key: string): boolean | undefined {
  const value = place && valueAt(place.value, key);
  if (place === undefined || value === undefined) return undefined;
  if (value.kind === "scalar" && typeof value.value === "boolean") return value.value;
  place.report.problem(value, wrongType(pathOf(place, key), value, "a boolean"));
  return undefined;
}

/** A whole number from `least` to `most`. */
export function integer(
  place: PlacedObject | undefined,
  key: string,
  least = 0,
  most = 2 ** 31 - 1,
): number | undefined {
  const value = place && valueAt(place.value, key);
  if (place === undefined || value === undefined) return undefined;
  return integerOf(value, { place, path: pathOf(place, key), least, most });
}

export function integers(place: PlacedObject | undefined, key: string): readonly number[] {
  if (place === undefined) return [];
  return valuesAt(place, key).flatMap((value, index) => {
    const path = `${pathOf(place, key)}[${index}]`;
    return integerOf(value, { place, path, least: 0, most: 2 ** 31 - 1 }) ?? [];
  });
}

interface PlacedInteger {
  readonly place: PlacedObject;
  readonly path: string;
  readonly least: number;
  readonly most: number;
}

function integerOf(value: Value, { place, path, least, most }: PlacedInteger): number | undefined {
  if (value.kind !== "scalar" || typeof value.value !== "number" || !Number.isInteger(value.value)) {
    place.report.problem(value, wrongType(path, value, "a whole number"));
    return undefined;
  }
  if (value.value >= least && value.value <= most) return value.value;
  place.report.problem(value, invalid(path, String(value.value), `must be between ${least} and ${most}, inclusive`));
  return undefined;
}

/** One of a few texts. */
export function choice<Text extends string>(
  place: PlacedObject | undefined,
  key: string,
  choices: readonly Text[],
): Text | undefined {
  const written = place && text(place, key);
  if (place === undefined || written === undefined) return undefined;
  const found = choices.find((one) => one === written);
  if (found === undefined) problem(place, key, notSupported(pathOf(place, key), written, choices.toSorted()));
  return found;
}

/** A quantity, which may be written as a number too. */
export function quantity(place: PlacedObject | undefined, key: string): number | undefined {
  const value = place && valueAt(place.value, key);
  if (place === undefined || value === undefined) return undefined;
  const path = pathOf(place, key);
  const written = value.kind === "scalar" ? String(value.value) : undefined;
  const parsed = written === undefined ? undefined : parseQuantity(written);
  if (parsed === undefined || "problem" in parsed) {
    place.report.problem(value, wrongType(path, value, "a quantity, such as 500m or 64Mi"));
    return undefined;
  }
  if (parsed.value >= 0) return parsed.value;
  place.report.problem(value, invalid(path, String(plain(value)), "must be greater than or equal to 0"));
  return undefined;
}

/** Says of fields that they are not carried out, where they are there. */
export function warnOf(place: PlacedObject, keys: Readonly<Record<string, string>>): void {
  for (const [key, effect] of Object.entries(keys)) {
    if (valueAt(place.value, key) !== undefined)
      warning(place, key, `${pathOf(place, key)}: not carried out: ${effect}`);
  }
}
