/** The values in a policy that are written as text: what they look like, for editors, and what they mean. */
import { z } from "zod";
import { formatPlatform, parsePlatform } from "../../image/index.ts";
import { errorText } from "../../support/errors.ts";
import { parseWrittenMoment } from "./closing.ts";
import { parseExpression } from "./expression.ts";
import { imagePattern, parseImagePattern } from "./image-pattern.ts";
import { mirrorPattern, parseMirror } from "./mirror.ts";
import { momentPattern, parseMoment } from "./moment.ts";
import type { Parsed } from "./parsed.ts";
import { namePattern, parseNamePattern } from "./pattern.ts";
import { parseSize, sizePattern } from "./size.ts";
import { parseTimeZone, timeZonePattern } from "./time-zone.ts";
import type { Duration, Expiry, Pattern, Size } from "./types.ts";
import { parseWindow, windowPattern } from "./window.ts";

/** What an editor is told of a field. */
interface Description {
  readonly description: string;
  readonly pattern?: string;
  readonly examples?: readonly string[];
}

/** Entries of one list. */
const mostEntries = 1000;
const longestText = 512;

export function duration(description: string) {
  return meaning({ description, pattern: durationPattern, examples: ["10m", "24h", "7d"] }, parseDuration);
}

export function expiry(description: string) {
  return meaning(
    { description, pattern: expiryPattern, examples: ["2027-01-31", "2027-01-31T18:00:00Z"] },
    parseExpiry,
  );
}

/** A day without a time: the last one on which something holds. */
export function lastDay(description: string) {
  return meaning({ description, pattern: lastDayPattern, examples: ["2027-11-11"] }, parseLastDay);
}

export function expression(description: string) {
  return meaning({ description, examples: ['image.tag.matches("^v[0-9]+$")'] }, parseExpression, 65_536);
}

export function timeZone(description: string) {
  return meaning({ description, pattern: timeZonePattern, examples: ["Europe/Berlin", "UTC"] }, parseTimeZone);
}

export function windows(description: string) {
  const examples = ["Mon-Fri 08:00-18:00", "Sat,Sun 10:00-14:00", "22:00-06:00", "*"];
  return list(description, meaning({ description: "One window.", pattern: windowPattern, examples }, parseWindow));
}

export function moment(description: string) {
  const examples = ["2026-12-20", "2026-12-20T18:00:00+01:00"];
  return meaning({ description, pattern: momentPattern, examples }, parseWrittenMoment);
}

export function mirrors(description: string) {
  const examples = ["https://mirror.acme.io"];
  return list(description, meaning({ description: "One mirror.", pattern: mirrorPattern, examples }, parseMirror));
}

export function images(description: string) {
  const examples = ["registry.acme.io/**", "docker.io/library/*", "!docker.io/library/busybox"];
  return list(
    description,
    meaning({ description: "One pattern.", pattern: imagePattern, examples }, parseImagePattern),
  );
}

export function names(description: string, ...examples: readonly string[]) {
  const entry = meaning<Pattern>({ description: "One pattern.", pattern: namePattern, examples }, parseNamePattern);
  return list(description, entry);
}

export function platforms(description: string) {
  const pattern = "^[A-Za-z0-9_.-]{1,64}/[A-Za-z0-9_.-]{1,64}(/[A-Za-z0-9_.-]{1,64})?$";
  const examples = ["linux/amd64", "linux/arm64"];
  return list(description, meaning({ description: "One platform.", pattern, examples }, parsePlatformText));
}

/** A size may also be written as a number of bytes. */
export function size(description: string) {
  const examples = ["500M", "2Gi"];
  return z
    .union([
      z
        .int()
        .positive()
        .transform((bytes): Size => ({ text: String(bytes), bytes })),
      meaning({ description: "A quantity of bytes.", pattern: sizePattern, examples }, parseSize),
    ])
    .meta({ description });
}

/** What people read: one line. */
export function sentence(description: string, ...examples: readonly string[]) {
  return meaning({ description, examples }, parseSentence, 1024);
}

/** A name of the sort that Kubernetes gives to its objects. */
export function objectName(description: string, ...examples: readonly string[]) {
  return meaning({ description, pattern: objectNamePattern, examples }, parseObjectName, 253);
}

/** Where a field of an object is: `spec.engine.image`, `spec.engines[*].image`. */
export function fieldPath(description: string, ...examples: readonly string[]) {
  return meaning({ description, pattern: fieldPathPattern, examples }, parseFieldPath);
}

/** The group of an API version. */
export function apiGroup(description: string, ...examples: readonly string[]) {
  return meaning({ description, pattern: apiGroupPattern, examples }, parseApiGroup, 253);
}

export function list<Entry extends z.ZodType>(description: string, entry: Entry) {
  return z.array(entry).min(1).max(mostEntries).meta({ description });
}

/** A text and what it means, or what is wrong with it. */
function meaning<Value>(description: Description, parse: (text: string) => Parsed<Value>, longest = longestText) {
  return z
    .string()
    .min(1)
    .max(longest)
    .meta({ ...description })
    .transform((text, context): Value => {
      const parsed = parse(text);
      if ("value" in parsed) return parsed.value;
      context.addIssue({ code: "custom", message: parsed.problem, params: { secret: parsed.secret } });
      return z.NEVER;
    });
}

const objectNamePattern = "^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$";
const objectNameShape = new RegExp(objectNamePattern);

function parseObjectName(text: string): Parsed<string> {
  if (objectNameShape.test(text)) return { value: text };
  return { problem: "a name has lower-case letters, digits, '-' and '.', and begins and ends with a letter or digit" };
}

const fieldPathPattern = "^([A-Za-z_][A-Za-z0-9_-]*(\\[\\*\\])?\\.)+[A-Za-z_][A-Za-z0-9_-]*$";
const fieldPathShape = new RegExp(fieldPathPattern);

function parseFieldPath(text: string): Parsed<string> {
  if (fieldPathShape.test(text)) return { value: text };
  return {
    problem: "a path has keys with '.' between them, and '[*]' behind that of a list, as in spec.engines[*].image",
  };
}

const apiGroupPattern = "^(\\*\\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?$";
const apiGroupShape = new RegExp(apiGroupPattern);

function parseApiGroup(text: string): Parsed<string> {
  if (apiGroupShape.test(text)) return { value: text };
  return {
    problem: "this is the group alone, without a version, as in db.example.com; '*.' may stand at its beginning",
  };
}

function parseSentence(text: string): Parsed<string> {
  return /\p{Cc}/u.test(text) ? { problem: "this is for people: write it in one line" } : { value: text };
}

function parsePlatformText(text: string): Parsed<string> {
  try {
    return { value: formatPlatform(parsePlatform(text)) };
  } catch (error) {
    return { problem: errorText(error) };
  }
}

// When exemptions end: at the end of a day in UTC, `2027-01-31`, or at a moment, `2027-01-31T18:00:00+01:00`.

export const expiryPattern = momentPattern;

const day = 86_400_000;

export function parseExpiry(text: string): Parsed<Expiry> {
  const parsed = parseMoment(text, " (to the end of that day in UTC)");
  if ("problem" in parsed) return parsed;
  const { value } = parsed;
  return { value: { text, at: value.kind === "day" ? value.midnight + day : value.at } };
}

const lastDayPattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$";

function parseLastDay(text: string): Parsed<Expiry> {
  const parsed = parseMoment(text, " (to the end of that day in UTC)");
  if ("problem" in parsed || parsed.value.kind === "instant") {
    const known = "problem" in parsed && new RegExp(lastDayPattern).test(text) ? parsed.problem : undefined;
    return { problem: known ?? "the last day of support is written like 2027-11-11, without a time" };
  }
  return { value: { text, at: parsed.value.midnight + day } };
}

// Durations as Go writes them, with days besides: `10m`, `1h30m`, `7d`.

const units: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

export const durationPattern = "^([0-9]+(\\.[0-9]+)?(ms|[dhms]))+$";

const whole = new RegExp(durationPattern);
const longest = 36_500 * 86_400_000;

const unitWords: readonly (readonly [RegExp, string])[] = [
  [/^w(?:eeks?)?$/i, "7d"],
  [/^d(?:ays?)?$/i, "d"],
  [/^h(?:(?:ou)?rs?)?$/i, "h"],
  [/^m(?:in(?:ute)?s?)?$/i, "m"],
  [/^s(?:ec(?:ond)?s?)?$/i, "s"],
];

export function parseDuration(text: string): Parsed<Duration> {
  if (!whole.test(text)) return { problem: `a duration is written like 10m, 1h30m or 7d${meant(text)}` };
  let milliseconds = 0;
  for (const [, number, unit = ""] of text.matchAll(/([0-9.]+)(ms|[dhms])/g)) {
    milliseconds += Number(number) * (units[unit] ?? 0);
  }
  if (milliseconds <= 0) return { problem: "the duration must be longer than nothing" };
  if (milliseconds > longest) return { problem: "the duration must not be longer than 36500d" };
  return { value: { text, milliseconds } };
}

/** `10 min` is most likely 10m. */
function meant(text: string): string {
  const [, number = "", word = ""] = /^\s*([0-9]{1,9})\s*([a-z]{1,10})\s*$/i.exec(text) ?? [];
  const unit = unitWords.find(([pattern]) => pattern.test(word))?.[1];
  if (unit === undefined) return "";
  return `; did you mean ${unit === "7d" ? `${Number(number) * 7}d` : number + unit}?`;
}
