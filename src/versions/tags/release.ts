/** Where the release is in a tag, and how it is counted: the part of the grammar in tag.ts that is called `release`. */
import { isHash } from "./commit.ts";
import type { Scheme } from "./reading.ts";

/** What a tag says is its version: numbers, a year and numbers, a date, or a build. */
export interface Release {
  readonly start: number;
  readonly end: number;
  readonly numbers: readonly bigint[];
  readonly scheme: Scheme;
  /** `#.#.#`, `YYYY.#`, `YYYYMMDD` */
  readonly shape: string;
}

/** Names of what an image is built upon. A number behind one is its version, and not the image's. */
const bases =
  /(?:^|[-_.])(?:alpine|debian|ubuntu|centos|fedora|rocky|rockylinux|almalinux|ubi|rhel|el|scala|oraclelinux|amazonlinux|windows|nanoserver|windowsservercore)[-_]$/i;
/** What a program may run on, or be. A number behind one is its version where no other one follows. */
const runtimes = /(?:^|[-_])(?:openjdk|temurin|corretto|jdk|jre|java|python|node|nodejs|php|ruby|go|golang)[-_]$/i;
/** Numbers of something else than a version, as of x86_64, and commits that are written with digits alone. */
const notReleases = /(?:^|[-_.])(?:pr|mr|pull|sha|git|commit|x86)[-_.]?$/i;

/** The first element that is a release: all of it, and not the version of a base. */
export function findRelease(tag: string): Release | undefined {
  const starts = /(?:^|[-_]|[A-Za-z]\.)/g;
  let runtime: Release | undefined;
  for (let match = starts.exec(tag); match !== null; match = starts.exec(tag)) {
    const start = match.index + match[0].length;
    // An empty match does not go on by itself.
    if (match[0] === "") starts.lastIndex += 1;
    // What follows a letter and a dot may begin right behind the next letter.
    else starts.lastIndex = start;
    const before = tag.slice(0, start);
    const release = releaseAt(tag, start);
    // alpine-3.20 is a base, alpine-v3.20.1 a version.
    const isOther = (bases.test(before) && release?.start === start) || notReleases.test(before);
    if (release === undefined || isOther) continue;
    if (runtime === undefined && runtimes.test(before)) runtime = release;
    else if (runtime === undefined || (release.scheme === "number" && release.numbers.length > 1)) return release;
  }
  return runtime;
}

/** `1`, `1.27.3` */
export const number = String.raw`\d+(?:\.\d+)*`;
const releaseText = new RegExp(
  String.raw`(\d{4}-\d{2}-\d{2}(?:T\d{2}-?\d{2}-?\d{2}Z?)?(?![^-_.]))|(\d+u\d+)|(${number})`,
  "y",
);
/** Words that may stand before a number without a separator, where the tag begins with them. */
const leading = /(?:version|ver|release|rel|build|v|r|b)(?=\d)/iy;
const leadingV = /v(?=\d)/iy;

function releaseAt(tag: string, from: number): Release | undefined {
  if (isHash(elementAt(tag, from))) return undefined;
  const words = from === 0 ? leading : leadingV;
  words.lastIndex = from;
  const start = words.test(tag) ? words.lastIndex : from;
  releaseText.lastIndex = start;
  const match = releaseText.exec(tag);
  if (match === null) return undefined;
  const [text, date, java] = match;
  const end = start + text.length;
  const numbers = (text.match(/\d+/g) ?? []).map(BigInt);
  const place = { start, end };
  if (date !== undefined && isDate(numbers)) return { ...place, numbers, scheme: "date", shape: shapeOfDate(text) };
  if (date !== undefined) return plainRelease(tag, start, /\d+/.exec(text)?.[0] ?? "");
  if (java !== undefined) return { ...place, numbers, scheme: "number", shape: "#u#" };
  return plainRelease(tag, start, text);
}

function elementAt(tag: string, from: number): string {
  return /^[^-_.]*/.exec(tag.slice(from))?.[0] ?? "";
}

/** Letters behind the number that leave it a version: b1, rc1, p1. */
const attached =
  /(?:a|b|alpha|beta|rc|cr|pre|dev|post|p|r|sp|m|u)[-.]?\d+(?![A-Za-z0-9])|(?:alpha|beta|rc|pre|dev|lts)(?![A-Za-z0-9])/iy;

function plainRelease(tag: string, start: number, text: string): Release | undefined {
  const end = start + text.length;
  if (/[A-Za-z]/.test(tag[end] ?? "")) {
    attached.lastIndex = end;
    // 3scale is a word, 1.1.1k a version.
    if (!attached.test(tag) && !text.includes(".")) return undefined;
  }
  const parts = text.split(".");
  const [first = "", ...others] = parts;
  const date = compactDate(first);
  const dots = others.map(() => ".#").join("");
  const rest = others.map(BigInt);
  if (date !== undefined) {
    return { start, end, numbers: [...date.numbers, ...rest], scheme: "date", shape: date.shape + dots };
  }
  const numbers = [BigInt(first), ...rest];
  if (/^(?:199\d|20\d\d)$/.test(first)) return { start, end, numbers, scheme: "year", shape: `YYYY${dots}` };
  const isBuild = others.length === 0 && first.length >= 5;
  return { start, end, numbers, scheme: isBuild ? "build" : "number", shape: isBuild ? "<build>" : `#${dots}` };
}

/** YYYYMM to YYYYMMDDhhmmss, if there is such a day. */
export function compactDate(text: string): { readonly numbers: readonly bigint[]; readonly shape: string } | undefined {
  if (!/^\d{6}(?:\d\d){0,4}$/.test(text)) return undefined;
  const numbers = [text.slice(0, 4), ...(text.slice(4).match(/../g) ?? [])].map(BigInt);
  return isDate(numbers) ? { numbers, shape: "YYYYMMDDhhmmss".slice(0, text.length) } : undefined;
}

function isDate(numbers: readonly bigint[]): boolean {
  const [year = 0n, month = 0n, day = 1n, hour = 0n, minute = 0n, second = 0n] = numbers;
  if (year < 1990n || year > 2099n || month < 1n || month > 12n || day < 1n) return false;
  const days = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  return day <= BigInt(days) && hour < 24n && minute < 60n && second < 61n;
}

function shapeOfDate(text: string): string {
  const letters = "YYYYMMDDhhmmss";
  let at = 0;
  return text.replace(/\d/g, () => letters[at++] ?? "");
}
