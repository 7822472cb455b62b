/** The two kinds of fixes: set an image, and set a pull policy. */
import { type MappingValue, type SourceText, type Value, type YamlPart, yamlParts } from "../../workload/index.ts";
import type { Edit, Fix } from "../types.ts";
import { type Insertion, insertEntry } from "./insert.ts";
import { type EntryText, type MappingText, mappingText } from "./mapping-text.ts";
import { scalarText, writtenAs } from "./scalar-text.ts";

/** The mapping that has an image: a container, an image volume, a Compose service, an OpenFaaS function. */
export interface ImageField {
  readonly value: MappingValue;
  /** Where it is in its object: `spec.template.spec.containers[0]`, `services.web`. */
  readonly path: string;
  /** `image`, or `reference` in an image volume. */
  readonly imageKey: string;
}

export interface PolicyField extends ImageField {
  /** `imagePullPolicy`; `pullPolicy` in an image volume, `pull_policy` in Compose. */
  readonly policyKey: string;
}

/** A fix, or half a sentence on why there is none: `the image has a variable in it`. */
export type FixAttempt =
  | { readonly fix: Fix; readonly refused?: undefined }
  | { readonly fix?: undefined; readonly refused: string };

/**
 * The fix that sets the pull policy of a container: it replaces the one that is there, or writes it after the
 * image. `policy` is written unchanged. A policy that comes from an anchor is changed there, and {@link planFixes} refuses
 * that unless all users of the anchor get the same one; if it comes by a merge key, the container then gets a policy
 * of its own. Never throws.
 */
export function setPullPolicy(source: SourceText, field: PolicyField, policy: string): FixAttempt {
  const { value: mapping, policyKey } = field;
  const refused = templateAt(source, mapping.start);
  if (refused !== undefined) return { refused };
  const written = mappingText(source.text, mapping.start);
  if (written === undefined) return { refused: "it is not clear where to write the pull policy" };
  const value = mapping.entries.get(policyKey);
  const own = written.entries.find(({ key }) => key === policyKey);
  if (own !== undefined && own.value !== "none") return replacement(source, field, policyKey, value, policy);
  const added = own === undefined ? addition(source, field, written, policy) : filling(source, own, policy);
  if (added === undefined) return { refused: "there is no line after which the pull policy can be written" };
  const isMerged = own === undefined && value !== undefined;
  const shared = isMerged ? replacement(source, field, policyKey, value, policy).fix : undefined;
  return { fix: shared === undefined ? fixOf(field, policyKey, policy, added) : { ...shared, otherwise: added } };
}

/** A new entry after the image, or else after the name or the merge key. */
function addition(source: SourceText, field: PolicyField, written: MappingText, policy: string): Edit[] | undefined {
  const behind = [field.imageKey, "name", "<<"];
  const insertions = insertEntry(source.text, written, field.policyKey, policy, behind);
  return insertions?.map((insertion) => inserting(source, insertion));
}

/** A value for a key that has none. */
function filling(source: SourceText, { valueFrom }: EntryText, policy: string): Edit[] | undefined {
  return valueFrom === undefined ? undefined : [inserting(source, { at: valueFrom, text: ` ${policy}` })];
}

/**
 * The fix that replaces the image, in the same style. Where the image comes from an
 * anchor or a merge key, it is changed there: see {@link setPullPolicy}. Never throws.
 */
export function setImage(source: SourceText, field: ImageField, image: string): FixAttempt {
  const refused = templateAt(source, field.value.start);
  if (refused !== undefined) return { refused };
  const value = field.value.entries.get(field.imageKey);
  if (value?.kind === "scalar" && String(value.value).includes("$"))
    return { refused: "the image has a variable in it" };
  return replacement(source, field, field.imageKey, value, image);
}

function replacement(
  { text, file }: SourceText,
  field: ImageField,
  key: string,
  value: Value | undefined,
  wanted: string,
): FixAttempt {
  if (value?.kind !== "scalar") return { refused: `${key} is not a string` };
  if (value.value === wanted) return { refused: `${key} is ${wanted} already` };
  const scalar = scalarText(text, value);
  if (scalar === undefined) return { refused: `${key} is written in a way that cannot be changed safely` };
  const edit = { file, start: scalar.start, end: scalar.end, text: writtenAs(scalar.style, wanted) };
  return { fix: fixOf(field, key, wanted, [edit]) };
}

function fixOf({ value: { start }, path }: ImageField, key: string, value: string, edits: readonly Edit[]): Fix {
  return { description: `set ${key} to ${value}`, edits, changes: [{ start, path, key, value }] };
}

function inserting({ file }: SourceText, { at, text }: Insertion): Edit {
  return { file, start: at, end: at, text };
}

/** The template documents of each text, searched once: the question comes once for each container. */
const templates = new WeakMap<SourceText, readonly YamlPart[]>();

/** A document with braces is a template: the effect of an edit on the rendered text is not known. */
function templateAt(source: SourceText, at: number): string | undefined {
  let parts = templates.get(source);
  if (parts === undefined) {
    const { text } = source;
    parts = text.includes("{{") ? [...yamlParts(text)].filter((part) => hasBraces(text, part)) : [];
    templates.set(source, parts);
  }
  const isTemplate = parts.some(({ start, end }) => start <= at && at < end);
  return isTemplate ? "the document is a template: it has {{ in it" : undefined;
}

function hasBraces(text: string, { start, end }: YamlPart): boolean {
  return text.slice(start, end).includes("{{");
}
