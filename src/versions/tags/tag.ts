/**
 * Reads a tag as a version. A tag has no grammar of its own (distribution-spec 1.1 says only which characters it may have),
 * so this is what publishers write:
 *
 * ```text
 * tag      = artifact | hash | version | words
 * artifact = "sha256-" 64hex [ ".sig" | ".att" | … ]         a signature or attestation of some image
 * hash     = [ words sep ] [ "sha-" ] 7*64hex                 a commit; it has letters and digits
 * version  = [ prefix ] release *( channel | counter | commit | suffix )
 * prefix   = *( words sep ) [ "v" ]                           v, release-, jammy-, RELEASE.
 * release  = date | 1*DIGIT "u" 1*DIGIT | 1*DIGIT *( "." 1*DIGIT )
 * date     = YYYYMM | YYYYMMDD | YYYYMMDDhhmm | YYYYMMDDhhmmss | YYYY-MM-DD [ "Thh-mm-ssZ" ]
 * channel  = [ sep ] ( "alpha" | "beta" | "rc" | … ) [ [ sep ] numbers ]      -rc.1, b1, -ea-35
 * counter  = sep numbers | [ sep ] ( "r" | "k3s" | "ls" | … ) [ sep ] numbers   -0, _12, -r5, -k3s1
 * commit   = sep [ "g" ] 7*40hex                              -8b53cabe0; it identifies a build and has no order
 * suffix   = sep words                                        -alpine3.19, -jdk-17, -slim-bookworm
 * sep      = "-" | "_" | "."
 * ```
 *
 * A plain number is a counter only directly behind the release; behind a word it is the word's own version (`-debian-12`),
 * unless it is a day (`-minimal-20240530`).
 */

/** How the release is counted. Versions that are counted differently are never compared. */
export type Scheme = "number" | "year" | "date" | "build";

/** A tag that has a version in it. */
export interface VersionTag {
  readonly kind: "version";
  readonly tag: string;
  /** The tag with `#` for every number that may rise: `v#.#.#`, `#.#.#-debian-12-r#`. Tags of one family are compared. */
  readonly family: string;
  readonly scheme: Scheme;
  /** What stands before the release; a commit in it is written `<commit>`. */
  readonly prefix: string;
  /** At least one; of a date, year, month, day and so on. Their number is the precision. */
  readonly numbers: readonly bigint[];
  /** `rc`, `alpha`, `beta`, `dev`, …; null for a release. */
  readonly channel: string | null;
  /** Which one of its channel: of `rc.1`, 1. */
  readonly preRelease: readonly bigint[];
  /** Builds of the same release, in the order of the tag: of `-debian-12-r5`, 5. */
  readonly counters: readonly bigint[];
  readonly commit: string | null;
  /** What names the variant, with its own versions: `-alpine3.19`. */
  readonly suffix: string;
  /** The numbers in the suffix. */
  readonly suffixNumbers: readonly bigint[];
  /** The family where the numbers in the suffix may rise, too: `#.#-alpine#.#`. */
  readonly familyOfBases: string;
}

/** A tag without a version: it is judged by its digest. */
export interface PlainTag {
  /** `hash`: a commit; `words`: latest, bookworm, fpm-alpine3.18; `artifact`: a signature, an attestation, an SBOM. */
  readonly kind: "hash" | "words" | "artifact";
  readonly tag: string;
}

export type TagReading = VersionTag | PlainTag;

/** Reads a tag. Any text gives a reading; nothing throws. Takes time in proportion to its length. */
export function readTag(tag: string): TagReading {
  if (/^sha(?:256|384|512)-[0-9a-f]{32,}(?:[.-][\w.-]*)?$/.test(tag)) return { kind: "artifact", tag };
  const release = findRelease(tag);
  if (release === undefined) return { kind: endsInHash(tag) ? "hash" : "words", tag };
  return readVersion(tag, release);
}

/** Hexadecimal, with letters and digits: a word has no digits, a number no letters, unless it is as long as a whole hash. */
const hash = /^(?=[0-9a-f]*[a-f])(?=[0-9a-f]*[0-9])[0-9a-f]{7,64}$|^(?:[0-9]{40}|[0-9]{64})$/;

function isHash(text: string): boolean {
  return hash.test(text);
}

/** `abc1234`, `main-abc1234`, `sha-1234567`. */
function endsInHash(tag: string): boolean {
  if (/(?:^|[-_.])(?:sha|git|commit)[-_.]?[0-9a-f]{7,64}$/.test(tag)) return true;
  return isHash(/[^-_.]*$/.exec(tag)?.[0] ?? "");
}

interface Release {
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
function findRelease(tag: string): Release | undefined {
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

const number = String.raw`\d+(?:\.\d+)*`;
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
function compactDate(text: string): { readonly numbers: readonly bigint[]; readonly shape: string } | undefined {
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

// What follows the release, element by element.

const channels =
  "alpha|beta|rc|cr|preview|pre|next|dev|snapshot|nightly|canary|ea|milestone|unstable|experimental|insiders";
const edge = "(?![A-Za-z0-9])";
const channelText = new RegExp(String.raw`[-_.]?(?<word>${channels})(?:[-.]?(?<digits>${number}))?${edge}`, "iy");
/** `b1` right behind a number; `-a1`, `-M1`. Longer ones are commits. */
const shortChannel = new RegExp(
  String.raw`(?:(?<![-_.])(?=[ab])|[-_.](?=[am]))(?<short>[abm])(?<digits>\d{1,5})${edge}`,
  "iy",
);
const counterWords = "rke2r|k3s|eksbuild|eks|gke|aks|rancher|vmware|post|ce|ee|cu|ls|sp|r|b|p|u";
const counterText = new RegExp(
  String.raw`(?:[-_.](?:(?:${counterWords})\.?|(?:hotfix|patch|build|rev|cu)[-.]?)|(?:post|sp|p|r)|(?<=\d[uU]\d+)b)(${number})${edge}`,
  "iy",
);
/** Right behind the release: `-0`, `_12`, `-v8`; but 22.04 is an Ubuntu. */
const plainCounter = new RegExp(String.raw`[-_](?![12]\d\.(?:04|10)(?![\d.]))v?(${number})${edge}`, "y");
/** Of EKS Distro: the Kubernetes that it was built for, and which build. */
const eksCounter = new RegExp(String.raw`-eks-(\d+-\d+-\d+)${edge}`, "y");
/** The day of a build, which rises behind a word, too: `-minimal-20240530`. */
const dayCounter = new RegExp(
  String.raw`[-_]((?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:\d{4}|\d{6})?)(?![A-Za-z0-9.])`,
  "y",
);
const commitText = new RegExp(String.raw`[-_.](?:(sha[-.]?|git[-.]?|g)?([0-9a-f]{7,64}))${edge}`, "y");
const elementText = /[-_.]*[^-_.]*/y;

const longNames: Readonly<Record<string, string>> = { a: "alpha", b: "beta", m: "milestone", preview: "pre" };

function readVersion(tag: string, release: Release): VersionTag {
  const prefix = prefixOf(tag.slice(0, release.start));
  let family = prefix + release.shape;
  let familyOfBases = family;
  let channel: string | null = null;
  let commit: string | null = null;
  let suffix = "";
  const preRelease: bigint[] = [];
  const counters: bigint[] = [];
  const suffixNumbers: bigint[] = [];
  let at = release.end;

  /** What the pattern matches here, and then goes on behind it. */
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(tag);
    if (match !== null) at += match[0].length;
    return match;
  };
  const addShape = (shape: string) => {
    family += shape;
    familyOfBases += shape;
  };

  const addCommit = (build: Commit) => {
    commit ??= build.commit;
    at += build.length;
    addShape("-<commit>");
  };

  while (at < tag.length) {
    // Behind a date even digits alone are a commit: one in thirty short commits has no letter.
    const digits = release.scheme === "date" && at === release.end ? digitsAt(tag, at) : undefined;
    if (digits !== undefined) {
      addCommit(digits);
      continue;
    }
    const isPlain = suffix === "" && commit === null;
    const counter = take(counterText) ?? take(dayCounter) ?? take(eksCounter) ?? (isPlain ? take(plainCounter) : null);
    if (counter !== null) {
      const [text, build = ""] = counter;
      counters.push(...numbersIn(build));
      addShape(text.slice(0, text.length - build.length).toLowerCase() + shapeOfCounter(build));
      continue;
    }
    const found = take(channelText) ?? take(shortChannel);
    if (found !== null) {
      const { word = "", short = word, digits: which = "" } = found.groups ?? {};
      const name = short.toLowerCase();
      channel ??= longNames[name] ?? name;
      preRelease.push(...numbersIn(which));
      addShape(withoutNumbers(found[0]));
      continue;
    }
    const build = commitAt(tag, at);
    if (build !== undefined) {
      addCommit(build);
      continue;
    }
    const [element = ""] = take(elementText) ?? [];
    suffix += element;
    suffixNumbers.push(...numbersIn(element));
    family += element;
    familyOfBases += withoutNumbers(element);
  }
  const { numbers, scheme } = release;
  return {
    kind: "version",
    tag,
    family,
    scheme,
    prefix,
    numbers,
    channel,
    preRelease,
    counters,
    commit,
    suffix,
    suffixNumbers,
    familyOfBases,
  };
}

interface Commit {
  readonly commit: string;
  readonly length: number;
}

function commitAt(tag: string, at: number): Commit | undefined {
  commitText.lastIndex = at;
  const [text, sign, digits = ""] = commitText.exec(tag) ?? [];
  if (text === undefined || (sign === undefined && !isHash(digits))) return undefined;
  return { commit: digits, length: text.length };
}

/** A commit that is written with digits alone, and so may not be a date. */
function digitsAt(tag: string, at: number): Commit | undefined {
  commitText.lastIndex = at;
  const [text, sign, digits = ""] = commitText.exec(tag) ?? [];
  if (text === undefined || sign !== undefined || !/^\d+$/.test(digits)) return undefined;
  return compactDate(digits) === undefined ? { commit: digits, length: text.length } : undefined;
}

function prefixOf(text: string): string {
  return text.replace(/[^-_.]+/g, (element) => (isHash(element) ? "<commit>" : element));
}

function numbersIn(text: string): readonly bigint[] {
  return (text.match(/\d+/g) ?? []).map(BigInt);
}

/** A day is no build number, though both are written with digits alone. */
function shapeOfCounter(digits: string): string {
  return (digits.length >= 8 && compactDate(digits)?.shape) || withoutNumbers(digits);
}

function withoutNumbers(text: string): string {
  return text.replace(/\d+/g, "#");
}
