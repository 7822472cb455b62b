import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareTags, compareVersions, isSameFamily, newerTags, readTag, type VersionTag } from "./index.ts";
import { lists } from "./testing/cases.ts";

const some = (...values: readonly string[]) => fc.constantFrom(...values);
const small = fc.nat({ max: 12 }).map(String);
const commit = fc
  .stringMatching(/^[0-9a-f]{7,12}$/)
  .filter((text) => /[a-f].*\d|\d.*[a-f]/.test(text) && !/^b\d+$/.test(text));
const day = fc
  .date({ min: new Date("2015-01-01"), max: new Date("2029-12-31"), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10));

const prefix = some("", "", "", "v", "release-", "jammy-", "psmdb-", "base-devel-", "RELEASE.");
const release = fc.oneof(
  { weight: 6, arbitrary: fc.array(small, { minLength: 1, maxLength: 5 }).map((numbers) => numbers.join(".")) },
  day.map((text) => text.replaceAll("-", "")),
  day.map((text) => `${text}T10-20-30Z`),
  fc.tuple(some("2023", "2024", "2025"), small).map((numbers) => numbers.join(".")),
  fc.tuple(small, small).map((numbers) => numbers.join("u")),
  some("24.04", "22.10", "608111629"),
);
const channel = some("", "", "", "-rc.1", "-rc.2", "rc1", "b2", "-alpha.3", "-dev10", "-ea-7", "RC1", "-next.4");
const build = fc.oneof(
  { weight: 4, arbitrary: some("", "", "-0", "-27", "_12", "-r5", "-k3s1", "-eksbuild.2", "-ls123", "-ce.0", "-b08") },
  commit.map((text) => `-${text}`),
  commit.map((text) => `-g${text}`),
);
const variant = some("", "", "-alpine", "-alpine3.19", "-alpine3.20", "-slim-bookworm", "-jdk-17", "-debian-12-r3");

/** A tag as people publish them; the alphabets are small, so that many share a family. */
const published = fc.tuple(prefix, release, channel, build, variant).map((parts) => parts.join(""));
const plain = fc.oneof(some("latest", "stable", "lts", "bookworm", "main", "jod-alpine", "alpine3.20"), commit);
const artifact = fc
  .tuple(fc.stringMatching(/^[0-9a-f]{64}$/), some(".sig", ".att", ".sbom", ""))
  .map(([digest, kind]) => `sha256-${digest}${kind}`);

/** A list, and a tag of it that runs. */
const asked = fc
  .oneof(
    fc.array(fc.oneof({ weight: 8, arbitrary: published }, plain, artifact), { minLength: 1, maxLength: 60 }),
    fc.constantFrom(...lists.values()),
  )
  .chain((tags) => fc.record({ tags: fc.constant(tags), current: fc.constantFrom(...tags) }));

/** What the tag says in words, each number a `#` but those of a base, and each commit a `<commit>`: read without the program. */
function skeleton(tag: string): string {
  return tag
    .split(/(alpine[\d.]+|debian-\d+|ubuntu-?[\d.]+|jdk-\d+|ltsc\d+)/)
    .map(withoutNumbers)
    .join("");
}

function withoutNumbers(text: string, at: number): string {
  const isBase = at % 2 === 1;
  const years =
    at === 0 ? withoutCommits(text).replace(/^(\D*)(?:199\d|20\d\d)(?!\d)/, "$1YYYY") : withoutCommits(text);
  return isBase ? text : years.replace(/\d+/g, "#");
}

function withoutCommits(text: string): string {
  return text.replace(/([-_.])g?(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-f]{7,40}(?![0-9A-Za-z])/g, "$1<commit>");
}

function numbers(tag: string): bigint[] {
  return (withoutCommits(tag).match(/\d+/g) ?? []).map(BigInt);
}

/** The first number that differs decides. */
function isHigher(one: readonly bigint[], other: readonly bigint[]): boolean {
  const at = one.findIndex((number, index) => number !== other[index]);
  return (one[at] ?? 0n) > (other[at] ?? 0n);
}

function versionsOf(tags: readonly string[]): VersionTag[] {
  return tags.map(readTag).filter((tag) => tag.kind === "version");
}

/** What is suggested, without the running tag itself. */
function suggestions(current: string, tags: readonly string[]): string[] {
  const { patch, minor, latest } = newerTags(current, tags);
  return [patch, minor, latest].filter((tag): tag is string => tag !== null && tag !== current);
}

describe("of any list", () => {
  it("suggests what changes neither prefix nor suffix, precision nor channel", () => {
    fc.assert(
      fc.property(asked, ({ tags, current }) => {
        // A commit that is written with digits alone looks like a number here.
        for (const tag of suggestions(current, tags).filter((each) => !/[-_]\d{7,}/.test(each + current))) {
          expect(skeleton(tag), `${current} → ${tag}`).toBe(skeleton(current));
        }
      }),
    );
  });

  it("suggests what is in the list, higher in numbers, and within the step", () => {
    fc.assert(
      fc.property(asked, ({ tags, current }) => {
        const { patch, minor } = newerTags(current, tags);
        for (const tag of suggestions(current, tags)) {
          expect(tags).toContain(tag);
          expect(isHigher(numbers(tag), numbers(current)), `${current} → ${tag}`).toBe(true);
        }
        expect(releaseOf(minor)?.[0]).toBe(releaseOf(current)?.[0]);
        expect(releaseOf(patch)?.slice(0, 2)).toEqual(releaseOf(current)?.slice(0, 2));
      }),
    );
  });

  it("answers the same, whatever the order of the list, what is there twice, and what else is in it", () => {
    const others = fc.array(fc.oneof(plain, artifact));
    fc.assert(
      fc.property(asked, others, fc.infiniteStream(fc.nat()), ({ tags, current }, more, dice) => {
        const answer = newerTags(current, tags);
        expect(newerTags(current, shuffled([...tags, ...tags, ...more], dice))).toEqual(answer);
        const family = tags.filter((tag) => skeleton(tag) === skeleton(current));
        if (answer.latest !== null)
          expect(newerTags(current, [...family, ...suggestions(current, tags)])).toEqual(answer);
      }),
    );
  });

  it("has nothing above what is newest", () => {
    fc.assert(
      fc.property(asked, ({ tags, current }) => {
        const { patch, minor, latest, distance } = newerTags(current, tags);
        expect(distance === "unknown").toBe(latest === null);
        if (patch === null || minor === null || latest === null) return;
        expect(newerTags(latest, tags)).toEqual({ patch: latest, minor: latest, latest, distance: "none" });
        expect(newerTags(minor, tags)).toMatchObject({ patch: minor, minor });
        expect(newerTags(patch, tags)).toMatchObject({ patch, minor, latest });
        expect(distance === "none").toBe(latest === current);
      }),
    );
  });
});

describe("the order within a family", () => {
  it("is total: antisymmetric, transitive, and connected", () => {
    fc.assert(
      fc.property(asked, ({ tags }) => {
        const versions = versionsOf(tags);
        for (const [at, one] of versions.entries()) {
          const other = versions[(at + 1) % versions.length] ?? one;
          const third = versions[(at + 7) % versions.length] ?? one;
          expect(Math.sign(compareTags(one, other))).toBe(-Math.sign(compareTags(other, one)) + 0);
          expect(compareTags(one, other) === 0).toBe(one.tag === other.tag);
          if (compareTags(one, other) <= 0 && compareTags(other, third) <= 0) {
            expect(compareTags(one, third)).toBeLessThanOrEqual(0);
          }
        }
      }),
    );
  });

  it("says of any two of one family which is newer, or that they are of one version", () => {
    fc.assert(
      fc.property(asked, ({ tags }) => {
        // A commit that is written with digits alone looks like a number here.
        const versions = versionsOf(tags).filter(({ tag }) => !/[-_]\d{7,}/.test(tag));
        for (const one of versions) {
          for (const other of versions.filter((each) => isSameFamily(one, each))) {
            const isNewer = isHigher(numbers(one.tag), numbers(other.tag));
            expect(compareVersions(one, other) > 0, `${one.tag} and ${other.tag}`).toBe(isNewer);
            expect(isSameFamily(other, one)).toBe(true);
          }
        }
      }),
    );
  });
});

describe("reading", () => {
  it("loses nothing: the family, its numbers and its commit make the tag", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          published,
          asked.map(({ current }) => current),
        ),
        (tag) => {
          const reading = readTag(tag);
          expect(reading.tag).toBe(tag);
          if (reading.kind === "version") expect(writtenOf(reading.family)).toBe(writtenOf(tag, reading.commit));
        },
      ),
    );
  });

  it("takes anything, and nothing that it makes of it throws", () => {
    const characters = fc.string({ unit: some(..."019-._vrabcfgTZ+ué"), maxLength: 128 });
    fc.assert(
      fc.property(
        fc.array(fc.oneof(characters, fc.string({ maxLength: 128 }), published)),
        characters,
        (tags, current) => {
          for (const tag of suggestions(current, tags)) expect(tags).toContain(tag);
        },
      ),
      { numRuns: 500 },
    );
  });

  it("takes time in proportion to the length", () => {
    for (const piece of ["-", "1.", "a-", "v1-", "f0", "rc1.", "-1_", "a.", "2024", "-r1", "0"]) {
      const reading = (length: number) => quickest((at) => readTag(`1${at}${piece.repeat(length)}`.slice(0, length)));
      expect(reading(2048), piece).toBeLessThan(Math.max(100 * reading(128), 20));
    }
  });

  it("judges a list of tags in time in proportion to its length", () => {
    const tags = Array.from({ length: 10_000 }, (_, at) => `1.${at % 300}.${at}-alpine3.${at % 7}`);
    const judge = (list: readonly string[]) => newerTags("1.2.3-alpine3.4", list).latest;
    expect(judge(tags)).toBe(tags.findLast((tag) => /^1\.299\..*3\.4$/.test(tag)));
    const some = tags.slice(0, 500);
    expect(quickest(() => judge(tags))).toBeLessThan(5 * 20 * quickest(() => judge(some)) + 50);
  });
});

function releaseOf(tag: string | null): readonly bigint[] | undefined {
  const reading = tag === null ? undefined : readTag(tag);
  return reading?.kind === "version" ? reading.numbers : undefined;
}

function shuffled(tags: readonly string[], dice: fc.Stream<number>): string[] {
  const thrown = tags.map((tag) => ({ tag, at: dice.next().value ?? 0 }));
  return thrown.sort((one, other) => one.at - other.at).map(({ tag }) => tag);
}

/** A tag or a family with `#` for each number, and `@` for a commit: what looks like one, and what is known to be one. */
function writtenOf(text: string, known: string | null = null): string {
  const families = text.replaceAll("<commit>", "@").replace(/(?:YYYY|MM|DD|hh|mm|ss)+|<build>/g, "#");
  const sign = "(?:sha[-.]?|git[-.]?|g)?";
  const some = String.raw`(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-f]{7,64}|${known ?? "@"}`;
  const commits = new RegExp(String.raw`(?:^|([-_.])${sign})(?:${some})(?![0-9A-Za-z])`, "g");
  return families
    .replace(commits, "$1@")
    .replace(/_@|\.@/g, "-@")
    .replace(/\d+/g, "#")
    .toLowerCase();
}

/** In milliseconds, the best of a few times: a busy machine makes some of them long. */
function quickest(work: (at: number) => void): number {
  const times = Array.from({ length: 7 }, (_, at) => {
    const before = performance.now();
    work(at);
    return performance.now() - before;
  });
  return Math.min(...times);
}
