/** The two fixes that there are: another text for an image, and a pull policy that is what it should be. */
import type { SourceText } from "../../workload/source-text.ts";
import type { MappingValue, Value } from "../../workload/value.ts";
import type { Edit, Fix } from "../types.ts";
import { type Insertion, insertEntry } from "./insert.ts";
import { mappingText } from "./mapping-text.ts";
import { scalarText, writtenAs } from "./scalar-text.ts";

/** A container, an image volume, a service of Compose, a function of OpenFaaS: what has an image. */
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

/** A fix, or half a sentence on why there is none: `the image is written as a text of several lines`. */
export type Attempt =
  | { readonly fix: Fix; readonly refused?: undefined }
  | { readonly fix?: undefined; readonly refused: string };

/**
 * The fix that gives a container a pull policy: it replaces the one that is written there, or writes it behind the
 * image. `policy` is written as it is. Where the policy comes from an anchor, the fix changes it there, and
 * {@link planFixes} refuses it unless all who use the anchor are to have the same; where it comes from a merge key, the
 * container gets a policy of its own. Never throws.
 */
export function setPullPolicy(source: SourceText, field: PolicyField, policy: string): Attempt {
  const { value: mapping, imageKey, policyKey } = field;
  const refused = templateIn(source.text, mapping.start);
  if (refused !== undefined) return { refused };
  const written = mappingText(source.text, mapping.start);
  if (written === undefined)
    return { refused: "the place for the pull policy is not clear from the way it is written" };
  const own = written.entries.find(({ key }) => key === policyKey);
  const value = mapping.entries.get(policyKey);
  const replaces = own !== undefined && own.value !== "none";
  if (replaces) return replacement(source, field, policyKey, value, policy);
  if (own !== undefined && own.valueFrom === undefined) return { refused: `${policyKey} is written without a colon` };
  const insertions =
    own?.valueFrom === undefined
      ? insertEntry(source.text, written, policyKey, policy, [imageKey, "name", "<<"])
      : [{ at: own.valueFrom, text: ` ${writtenAs("plain", policy)}` }];
  if (insertions === undefined) return { refused: "there is no key that the pull policy could be written behind" };
  return {
    fix: fixOf(
      field,
      policyKey,
      policy,
      insertions.map((insertion) => inserting(source, insertion)),
    ),
  };
}

/**
 * The fix that writes another image in the place of one that is there, in its style. Where the image comes from an
 * anchor or a merge key, the fix changes it there: see {@link setPullPolicy}. Never throws.
 */
export function setImage(source: SourceText, field: ImageField, image: string): Attempt {
  const refused = templateIn(source.text, field.value.start);
  if (refused !== undefined) return { refused };
  const value = field.value.entries.get(field.imageKey);
  if (value?.kind === "scalar" && String(value.value).includes("$")) return { refused: "the image has a variable in it" };
  return replacement(source, field, field.imageKey, value, image);
}

function replacement(
  { text, file }: SourceText,
  field: ImageField,
  key: string,
  value: Value | undefined,
  wanted: string,
): Attempt {
  if (value?.kind !== "scalar") return { refused: `${key} is not a text` };
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

/** Documents with template braces are somebody's source for the real ones, and change their meaning in ways unseen. */
function templateIn(text: string, at: number): string | undefined {
  const start = Math.max(0, text.lastIndexOf("\n---", at));
  const next = text.indexOf("\n---", at);
  const braces = text.indexOf("{{", start);
  const found = braces >= 0 && (next < 0 || braces < next);
  return found ? "the document is a template: it has {{ in it" : undefined;
}
