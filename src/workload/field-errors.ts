/** The API server's sentences about fields (k8s apimachinery/pkg/util/validation/field/errors.go). */
import { quote } from "../support/go.ts";
import { plain, sortOf, type Value } from "./value.ts";

export function required(path: string): string {
  return `${path}: Required value`;
}

/** `value` is a text, or what was written. */
export function invalid(path: string, value: string | Value, detail: string): string {
  return `${path}: Invalid value: ${printed(value)}: ${detail}`;
}

export function duplicate(path: string, value: string): string {
  return `${path}: Duplicate value: ${quote(value)}`;
}

export function forbidden(path: string, detail: string): string {
  return `${path}: Forbidden: ${detail}`;
}

/** `supported` in the order in which Kubernetes names them: sorted. */
export function notSupported(path: string, value: string, supported: readonly string[]): string {
  return `${path}: Unsupported value: ${quote(value)}: supported values: ${supported.map(quote).join(", ")}`;
}

/** A value of another type than the field has; the API server says so in the words of Go's JSON decoder. */
export function wrongType(path: string, value: Value, wanted: string): string {
  const advice = wanted === "a string" && value.kind === "scalar" ? "; put it in quotes" : "";
  return invalid(path, value, `must be ${wanted}, not ${sortOf(value)}${advice}`);
}

const longestValue = 200;

function printed(value: string | Value): string {
  if (typeof value === "string") return quote(value);
  if (value.kind === "scalar" && typeof value.value === "string") return quote(value.value.slice(0, longestValue));
  const text = JSON.stringify(plain(value)) ?? "";
  return text.length > longestValue ? `${text.slice(0, longestValue)}…` : text;
}
