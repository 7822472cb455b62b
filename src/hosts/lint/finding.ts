import { placeOf, spanOf, type TextPlace, type TomlDocument } from "../toml.ts";
import type { TomlPath } from "../toml-places.ts";

/**
 * `error`: containerd does not do what the file says; `warning`: it most likely does not do what was meant; `note`:
 * good to know.
 */
export type HostsSeverity = "error" | "warning" | "note";

export interface HostsFinding {
  readonly rule: string;
  readonly severity: HostsSeverity;
  /** The file, or the folder where it is about that. */
  readonly file: string;
  /** In the file, counted from 1; absent where it is about a folder or all of the file. */
  readonly region?: { readonly start: TextPlace; readonly end: TextPlace };
  /** Why, without a full stop at its end. Never has the value of a header. */
  readonly message: string;
  /** What to do, in one sentence. */
  readonly advice: string;
}

export type HostsProblem = Omit<HostsFinding, "file" | "region">;

/** Says what is wrong at a place of a document. */
export function findingAt(
  document: TomlDocument,
  path: TomlPath,
  on: "key" | "value",
  problem: HostsProblem,
): HostsFinding {
  const { start, end } = spanOf(document, path, on);
  const region = { start: placeOf(document.text, start), end: placeOf(document.text, end) };
  return { ...problem, file: document.file, region };
}
