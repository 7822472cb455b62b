/** What surrounds the release of a tag: the rest of the grammar in tag.ts. */
import { isHash } from "./commit.ts";
import type { VersionTag } from "./reading.ts";
import { compactDate, number, type Release } from "./release.ts";

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

/** What stands before and behind a release: prefix, channel, builds, commit, suffix. */
export function readVersion(tag: string, release: Release): VersionTag {
  return new VersionReader(tag, release).read();
}

/** Goes through a tag from the end of its release, element by element. */
class VersionReader {
  readonly #tag: string;
  readonly #release: Release;
  readonly #prefix: string;
  #at: number;
  #family: string;
  #familyOfBases: string;
  #channel: string | null = null;
  #commit: string | null = null;
  #suffix = "";
  readonly #preRelease: bigint[] = [];
  readonly #counters: bigint[] = [];
  readonly #suffixNumbers: bigint[] = [];

  constructor(tag: string, release: Release) {
    this.#tag = tag;
    this.#release = release;
    this.#prefix = prefixOf(tag.slice(0, release.start));
    this.#at = release.end;
    this.#family = this.#prefix + release.shape;
    this.#familyOfBases = this.#family;
  }

  read(): VersionTag {
    while (this.#at < this.#tag.length) {
      const isRead = this.#readDigits() || this.#readCounter() || this.#readChannel() || this.#readCommit();
      if (!isRead) this.#readSuffix();
    }
    return {
      kind: "version",
      tag: this.#tag,
      family: this.#family,
      scheme: this.#release.scheme,
      prefix: this.#prefix,
      numbers: this.#release.numbers,
      channel: this.#channel,
      preRelease: this.#preRelease,
      counters: this.#counters,
      commit: this.#commit,
      suffix: this.#suffix,
      suffixNumbers: this.#suffixNumbers,
      familyOfBases: this.#familyOfBases,
    };
  }

  /** Behind a date even digits alone are a commit, unless they are a date: one in thirty short commits has no letter. */
  #readDigits(): boolean {
    if (this.#release.scheme !== "date" || this.#at !== this.#release.end) return false;
    const [text, sign, digits = ""] = this.#look(commitText) ?? [];
    const isCommit = text !== undefined && sign === undefined && /^\d+$/.test(digits);
    if (!isCommit || compactDate(digits) !== undefined) return false;
    return this.#addCommit(digits, text);
  }

  #readCounter(): boolean {
    const isPlain = this.#suffix === "" && this.#commit === null;
    const plain = () => (isPlain ? this.#look(plainCounter) : null);
    const found = this.#look(counterText) ?? this.#look(dayCounter) ?? this.#look(eksCounter) ?? plain();
    if (found === null) return false;
    const [text, build = ""] = found;
    this.#counters.push(...numbersIn(build));
    return this.#add(text, text.slice(0, text.length - build.length).toLowerCase() + shapeOfCounter(build));
  }

  #readChannel(): boolean {
    const found = this.#look(channelText) ?? this.#look(shortChannel);
    if (found === null) return false;
    const { word = "", short = word, digits = "" } = found.groups ?? {};
    const name = short.toLowerCase();
    this.#channel ??= longNames[name] ?? name;
    this.#preRelease.push(...numbersIn(digits));
    return this.#add(found[0], withoutNumbers(found[0]));
  }

  #readCommit(): boolean {
    const [text, sign, digits = ""] = this.#look(commitText) ?? [];
    if (text === undefined || (sign === undefined && !isHash(digits))) return false;
    return this.#addCommit(digits, text);
  }

  #readSuffix(): void {
    const [element = ""] = this.#look(elementText) ?? [];
    this.#suffix += element;
    this.#suffixNumbers.push(...numbersIn(element));
    this.#add(element, element, withoutNumbers(element));
  }

  /** What a pattern matches here. */
  #look(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#tag);
  }

  #addCommit(commit: string, text: string): true {
    this.#commit ??= commit;
    return this.#add(text, "-<commit>");
  }

  /** Goes on behind a text that is read. */
  #add(text: string, shape: string, shapeOfBase = shape): true {
    this.#at += text.length;
    this.#family += shape;
    this.#familyOfBases += shapeOfBase;
    return true;
  }
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
