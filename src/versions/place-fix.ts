/** The fix of one place: its tag, its digest, or both. */
import { type Fix, type FixAttempt, setImage, setParts, setScalar, templateAt } from "../audit/index.ts";
import { type ScalarValue, textAt, valueAt } from "../workload/index.ts";
import type { TagChange, TagPlace } from "./used-image.ts";
import { defaultParts } from "./variable-defaults.ts";
import { refusal, type VersionParts, versionParts, type WantedVersion } from "./version-text.ts";

/** A fix, half a sentence on why there is none, or neither where all is as wanted. */
export type PlaceFix = FixAttempt | { readonly fix?: undefined; readonly refused?: undefined };

/** Never throws. */
export function placeFix({ change, format }: TagPlace, wanted: WantedVersion): PlaceFix {
  switch (change.kind) {
    case "none":
      return { refused: change.because };
    case "word":
      return wordFix(change, wanted);
    case "parts":
      return partsFix(change, wanted);
    case "withDefaults":
      return defaultFix(change, wanted);
    case "image":
      return imageFix(change, wanted, format === "values");
  }
}

type ChangeOf<Kind extends TagChange["kind"]> = Extract<TagChange, { readonly kind: Kind }>;

function wordFix({ text: { file }, start, image }: ChangeOf<"word">, wanted: WantedVersion): PlaceFix {
  const found = versionParts(image, wanted);
  if (found.refused !== undefined || found.parts.length === 0) return found.refused === undefined ? {} : found;
  const edits = found.parts.map((part) => ({
    file,
    start: start + part.start,
    end: start + part.end,
    text: part.text,
  }));
  return { fix: { description: `set ${image} to ${replaced(image, found)}`, edits, changes: [] } };
}

/** Values are no template themselves, although their strings and comments may have braces. */
function imageFix({ text, field }: ChangeOf<"image">, wanted: WantedVersion, isValues: boolean): PlaceFix {
  const { value, path, imageKey: key } = field;
  const image = textAt(value, key) ?? "";
  const found = versionParts(image, wanted);
  if (found.refused !== undefined || found.parts.length === 0) return found.refused === undefined ? {} : found;
  return isValues ? setParts(text, { value, path, key }, found.parts) : setImage(text, field, replaced(image, found));
}

function defaultFix({ text, field }: ChangeOf<"withDefaults">, wanted: WantedVersion): PlaceFix {
  const { value, path, imageKey: key } = field;
  const template = templateAt(text, value.start);
  if (template !== undefined) return { refused: template };
  const found = defaultParts(textAt(value, key) ?? "", wanted);
  if (found.refused !== undefined || found.parts.length === 0) return found.refused === undefined ? {} : found;
  return setParts(text, { value, path, key }, found.parts);
}

/** Tag and digest change together, or not at all. */
function partsFix({ text, holder, path, tagKey, digestKey }: ChangeOf<"parts">, wanted: WantedVersion): PlaceFix {
  const tag = scalarAt(tagKey);
  const digest = scalarAt(digestKey);
  const tagText = tag === undefined ? "" : String(tag.value);
  // A digest may be a part of the tag: `tag: 1.25@sha256:…`.
  const isInTag = tagText.includes("@");
  const why = refusal({ tag: tag !== undefined, digest: digest !== undefined || isInTag }, wanted);
  if (why !== undefined) return { refused: why };
  const attempts: FixAttempt[] = [];
  if (tag !== undefined && tagKey !== undefined) {
    const next = isInTag ? replaced(`:${tagText}`, versionParts(`:${tagText}`, wanted)).slice(1) : wanted.tag;
    if (next !== undefined && next !== tagText) attempts.push(set(tagKey, next));
  }
  if (digest !== undefined && digestKey !== undefined && wanted.digest !== undefined) {
    const next = String(digest.value).includes(":")
      ? wanted.digest
      : wanted.digest.slice(wanted.digest.indexOf(":") + 1);
    if (next !== digest.value) attempts.push(set(digestKey, next));
  }
  return together(attempts);

  function scalarAt(key: string | undefined): ScalarValue | undefined {
    const found = key === undefined ? undefined : valueAt(holder, key);
    return found?.kind === "scalar" ? found : undefined;
  }
  function set(key: string, next: string): FixAttempt {
    return setScalar(text, { value: holder, path, key }, next);
  }
}

function together(attempts: readonly FixAttempt[]): PlaceFix {
  const refused = attempts.find((attempt) => attempt.refused !== undefined);
  if (refused !== undefined) return refused;
  const fixes = attempts.flatMap(({ fix }): readonly Fix[] => (fix === undefined ? [] : [fix]));
  if (fixes.length === 0) return {};
  return {
    fix: {
      description: fixes.map(({ description }) => description).join(" and "),
      edits: fixes.flatMap(({ edits }) => edits),
      changes: fixes.flatMap(({ changes }) => changes),
    },
  };
}

/** The text with its parts replaced. */
function replaced(text: string, { parts = [] }: VersionParts): string {
  return parts
    .toReversed()
    .reduce((done, { start, end, text: own }) => done.slice(0, start) + own + done.slice(end), text);
}
