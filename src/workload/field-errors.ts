/** The API server's sentences about fields (k8s apimachinery/pkg/util/validation/field/errors.go). */
import { quote } from "../support/go.ts";
import { type ScalarValue, sortOf, type Value } from "./value.ts";

export function required(path: string): string {
  return `${path}: Required value`;
}

/** `value` as it is to be shown, by {@link shown} for example. */
export function invalid(path: string, value: string, detail: string): string {
  return `${path}: Invalid value: ${value}: ${detail}`;
}

export function duplicate(path: string, value: string): string {
  return `${path}: Duplicate value: ${shown(value)}`;
}

export function forbidden(path: string, detail: string): string {
  return `${path}: Forbidden: ${detail}`;
}

/** `supported` in the order in which Kubernetes names them: sorted. */
export function notSupported(path: string, value: string, supported: readonly string[]): string {
  return `${path}: Unsupported value: ${shown(value)}: supported values: ${supported.map(quote).join(", ")}`;
}

/**
 * A value of another type than the field has; the API server says so in the words of Go's JSON decoder. Objects and
 * lists are not shown: anything can be in them.
 */
export function wrongType(path: string, value: Value, wanted: string): string {
  if (value.kind !== "scalar") return `${path}: Invalid value: ${sortOf(value)}, but it must be ${wanted}`;
  const advice = wanted === "a string" ? ": put it in quotes" : "";
  return invalid(path, shown(value.value), `must be ${wanted}, not ${sortOf(value)}${advice}`);
}

/** A value for people, texts in quotes and cut to a length that fits a message. */
export function shown(value: ScalarValue["value"]): string {
  return typeof value === "string" ? quote(value.slice(0, 200)) : String(value);
}
