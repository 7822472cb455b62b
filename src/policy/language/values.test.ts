import fc from "fast-check";
import picomatch from "picomatch";
import { describe, expect, it } from "vitest";
import { parseReference } from "../../image/index.ts";
import { imagePattern, imageSegments, parseImagePattern } from "./image-pattern.ts";
import { mirrorPattern, parseMirror } from "./mirror.ts";
import type { Parsed } from "./parsed.ts";
import { isListed, matchesSegments } from "./pattern.ts";
import { durationPattern, expiryPattern, parseDuration, parseExpiry } from "./schema-values.ts";
import { parseSize, sizePattern } from "./size.ts";
import { likely } from "./spelling.ts";
import { parseTimeZone, timeZonePattern } from "./time-zone.ts";
import { parseWindow, windowPattern } from "./window.ts";

function valueOf<Value>(parsed: Parsed<Value>): Value | undefined {
  return "value" in parsed ? parsed.value : undefined;
}

const minute = 60_000;

describe("a duration", () => {
  it.each([
    ["10m", 10 * minute],
    ["1h30m", 90 * minute],
    ["24h", 24 * 60 * minute],
    ["7d", 7 * 24 * 60 * minute],
    ["1.5h", 90 * minute],
    ["500ms", 500],
    ["1m30s", 90_000],
    ["36500d", 36_500 * 24 * 60 * minute],
  ])("%s", (text, milliseconds) => expect(valueOf(parseDuration(text))).toEqual({ text, milliseconds }));

  it.each(["", "10", "m", "10 m", "-1h", "1h 30m", "0s", "36501d", "1e9h", "1.h", ".5h", "10M"])(
    "is not %j",
    (text) => {
      expect(parseDuration(text)).toHaveProperty("problem");
    },
  );

  it.each([
    ["10 minutes", "10m"],
    ["2 hours", "2h"],
    ["1 week", "7d"],
    ["30sec", "30s"],
  ])("%s was meant as %s", (text, meant) => {
    expect(parseDuration(text)).toMatchObject({ problem: expect.stringContaining(`did you mean ${meant}?`) });
  });
});

describe("a size", () => {
  it.each([
    ["1", 1],
    ["1k", 1000],
    ["1Ki", 1024],
    ["500M", 500_000_000],
    ["2Gi", 2_147_483_648],
    ["0.5Ki", 512],
    ["1.0001Ki", 1025],
    ["1Ti", 1_099_511_627_776],
  ])("%s", (text, bytes) => expect(valueOf(parseSize(text))).toEqual({ text, bytes }));

  it.each(["", "0", "Gi", "2GB", "2gi", "-1", "1e3", "9999Ei", "1 Gi"])("is not %j", (text) => {
    expect(parseSize(text)).toHaveProperty("problem");
  });
});

describe("an expiry", () => {
  it.each([
    ["2027-01-31", "2027-02-01T00:00:00Z"],
    ["2028-02-29", "2028-03-01T00:00:00Z"],
    ["2027-01-31T18:00:00Z", "2027-01-31T18:00:00Z"],
    ["2027-01-31t18:00:00.5z", "2027-01-31T18:00:00.500Z"],
    ["2027-01-31T18:00:00+01:00", "2027-01-31T17:00:00Z"],
  ])("%s is over at %s", (text, at) => expect(valueOf(parseExpiry(text))).toEqual({ text, at: Date.parse(at) }));

  it.each([
    "",
    "2027",
    "2027-1-31",
    "2027-13-01",
    "2027-02-29",
    "31.01.2027",
    "2027-01-31T18:00:00",
    "2027-01-31 18:00",
    "2027-01-31T24:00:00Z",
    "2027-01-31T24:00:00.000+01:00",
    "2027-01-31T23:60:00Z",
    "2027-01-31T23:59:60Z",
    "2027-01-31T18:00:00+24:00",
    "2027-01-31T18:00:00+01:60",
    "2027-02-30T12:00:00Z",
    "2027-02-29T12:00:00+01:00",
    "2100-02-29",
    "2027-00-10",
    "2027-01-00",
    "2027-01-31T18:00:00 01:00",
    "٢٠٢٧-01-31",
    "2027-01-31\n",
  ])("is not %j", (text) => expect(parseExpiry(text)).toHaveProperty("problem"));
});

describe("a window", () => {
  it.each([
    ["Mon 08:00-18:00", [[480, 1080]]],
    [
      "Mon,Sun 00:00-24:00",
      [
        [0, 1440],
        [8640, 10080],
      ],
    ],
    ["Sun 22:00-06:00", [[9960, 10440]]],
    [
      "Sat-Mon 00:00-01:00",
      [
        [0, 60],
        [7200, 7260],
        [8640, 8700],
      ],
    ],
    ["Tue", [[1440, 2880]]],
    ["Fri-Fri 12:00-13:00", [[6480, 6540]]],
  ])("%s", (text, spans) => {
    expect(valueOf(parseWindow(text))?.spans.map(({ start, end }) => [start, end])).toEqual(spans);
  });

  it.each([
    "",
    "Mon-Fri 8-18",
    "mon 08:00-18:00",
    "Mon 24:00-01:00",
    "Mon 08:00",
    "Mon  08:00-09:00",
    "Mon,,Tue",
    "* 08:00-09:00",
    "12:00-12:00",
  ])("is not %j", (text) => expect(parseWindow(text)).toHaveProperty("problem"));
});

describe("a mirror", () => {
  it.each([
    ["https://mirror.acme.io", "https://mirror.acme.io"],
    ["HTTPS://Mirror.Acme.IO:8443/", "https://mirror.acme.io:8443"],
    ["https://mirror.acme.io/hub/", "https://mirror.acme.io/hub"],
    ["http://localhost:5000", "http://localhost:5000"],
    ["https://[::1]:5000", "https://[::1]:5000"],
  ])("%s", (text, address) => expect(valueOf(parseMirror(text))).toBe(address));

  it.each([
    "",
    "https://",
    "ftp://a.io",
    "//a.io",
    "https://a.io?x=1",
    "https://a.io#x",
    "https://u@a.io",
    "https://a.io/../b",
    "https://a.io/v2",
    "https://a.io:0",
    "https://a b.io",
  ])("is not %j", (text) => expect(parseMirror(text)).toHaveProperty("problem"));
});

it("what a parser accepts, editors accept", () => {
  const sorts: readonly (readonly [string, (text: string) => Parsed<unknown>, readonly string[]])[] = [
    [durationPattern, parseDuration, ["1", "0", ".", "h", "m", "s", "d", "ms"]],
    [sizePattern, parseSize, ["1", "2", ".", "K", "M", "G", "i", "B", "k"]],
    [expiryPattern, parseExpiry, ["2027-01-31", "2027-02-30", "T", "10:00:00", "Z", "+01:00", ".5"]],
    [windowPattern, parseWindow, ["Mon", "Fri", "-", ",", " ", "08:00", "24:00", "*"]],
    [mirrorPattern, parseMirror, ["https://", "http://", "a.io", ":", "80", "/", "v2", "@", "["]],
    [timeZonePattern, parseTimeZone, ["Europe", "/", "Berlin", "UTC", "+", "1", "Etc", "GMT"]],
    [imagePattern, parseImagePattern, ["!", "*", "**", "/", "docker.io", ":", "a", "A", "[::1]", "5000"]],
  ];
  for (const [pattern, parse, pieces] of sorts) {
    const shape = new RegExp(pattern);
    const text = fc.array(fc.constantFrom(...pieces), { maxLength: 7 }).map((parts) => parts.join(""));
    fc.assert(fc.property(text, (each) => "problem" in parse(each) || shape.test(each)));
  }
});

describe("patterns", () => {
  const segment = fc.stringMatching(/^[ab.]{1,4}$/).filter((text) => !/^\.+$/.test(text));
  const wild = fc.oneof(segment, fc.stringMatching(/^[ab]{0,2}\*[ab]{0,2}$/), fc.constant("**"));

  it("match as picomatch matches", () => {
    const paths = fc.array(segment, { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(fc.array(wild, { minLength: 1, maxLength: 5 }), paths, (pattern, path) => {
        const options = { dot: true, noext: true, nobrace: true, nobracket: true };
        const fits = (segments: readonly string[]) => picomatch.isMatch(path.join("/"), segments.join("/"), options);
        // picomatch lets a last ** stand for nothing behind some segments and not behind others.
        const shorter = pattern.slice(0, pattern.findLastIndex((part) => part !== "**") + 1);
        const expected = fits(pattern) || (shorter.length > 0 && fits(shorter));
        expect(matchesSegments(pattern, path)).toBe(expected);
      }),
      { numRuns: 1000 },
    );
  });

  it("end, whatever they are: what freezes a backtracking RegExp is nothing here", () => {
    const pattern = Array.from({ length: 100 }, () => "**").concat("b");
    expect(
      matchesSegments(
        pattern,
        Array.from({ length: 200 }, () => "a"),
      ),
    ).toBe(false);
    expect(matchesSegments([`${"a*".repeat(100)}b`], ["a".repeat(255)])).toBe(false);
  });

  it("of a host never match a longer host that merely begins with it", () => {
    const label = fc.stringMatching(/^[a-z0-9]{1,8}$/);
    const host = fc.array(label, { minLength: 2, maxLength: 3 }).map((labels) => labels.join("."));
    const more = fc.oneof(
      label,
      label.map((text) => `.${text}`),
      label.map((text) => `-${text}`),
      fc.integer({ min: 1, max: 442 }).map((port) => `:${port}`),
    );
    fc.assert(
      fc.property(host, more, fc.constantFrom("", "/**", "/app", "/*"), (name, suffix, tail) => {
        const pattern = valueOf(parseImagePattern(name + tail));
        const other = parseReference(`${name}${suffix}/app`).repository;
        expect(pattern && isListed([pattern], imageSegments(other))).toBe(false);
        expect(pattern && isListed([pattern], imageSegments(parseReference(`${name}/app`).repository))).toBe(true);
      }),
    );
  });
});

it.each([
  ["pulll", "pull"],
  ["Pull", "pull"],
  ["llup", undefined],
  ["form", "from"],
  ["x", undefined],
  ["requires", "require"],
  ["a".repeat(1000), undefined],
])("%s was meant as %s", (word, meant) => {
  expect(likely(word, ["admit", "pull", "when", "from", "require"])).toBe(meant);
});
