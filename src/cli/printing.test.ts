import { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { Io } from "./io.ts";
import { jsonPieces, jsonText, passOn, printEach, printLines, printPieces, printText, yamlText } from "./printing.ts";

/** What comes out on a stream that is a terminal, or is none. */
async function printed(print: (io: Io) => unknown, { isTTY = false, environment = {} } = {}): Promise<string> {
  const stdout = Object.assign(new PassThrough(), { isTTY });
  const all = text(stdout);
  await print({ stdin: Readable.from([]), stdout, stderr: new PassThrough(), environment });
  stdout.end();
  return all;
}

/** Every character that a terminal could obey, and some that it could not. */
const hostile = fc.string({
  unit: fc.oneof(
    fc.constantFrom(..."\u001b\u009b\n\r\u202e\u2028\u0007\ud800[31m;ab"),
    fc.nat(0xffff).map((code) => String.fromCharCode(code)),
  ),
});
const raw = /(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

function* withoutFeeds(lines: Iterable<string>): Generator<string> {
  for (const line of lines) yield line.slice(0, -1);
}

describe("printing", () => {
  it("writes JSON in pieces as it writes it whole", () => {
    const value = fc.dictionary(
      hostile,
      fc.oneof(fc.jsonValue(), fc.constant(undefined), fc.array(fc.constant(undefined))),
    );
    fc.assert(
      fc.property(fc.oneof(value, fc.jsonValue(), fc.date({ noInvalidDate: true })), (given) => {
        expect([...jsonPieces(given)].join("")).toBe(jsonText(given));
      }),
    );
  });

  it.each([
    ["pieces", 40, printPieces],
    ["lines", 4_000, (lines: Iterable<string>, io: Io) => printEach(withoutFeeds(lines), io)],
  ] as const)("writes %s no faster than they are taken", async (_name, count, print) => {
    const stdout = new PassThrough({ highWaterMark: 1000 });
    const pieces = Array.from({ length: count }, (_, at) => `${at}`.padEnd(399_999 / count, ".").concat("\n"));
    let given = 0;
    const counted = (function* () {
      for (const piece of pieces) {
        given += 1;
        yield piece;
      }
    })();
    const io = { stdin: Readable.from([]), stdout, stderr: new PassThrough(), environment: {} };
    const ended = print(counted, io).then(() => stdout.end());
    await new Promise((resolve) => setImmediate(resolve));
    expect(given).toBeLessThan(count / 2);
    expect(await text(stdout)).toBe(pieces.join(""));
    await ended;
  });

  it("never lets a line become two, or anything that a terminal obeys out", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          hostile.filter((line) => !line.includes("\t")),
          { minLength: 1 },
        ),
        async (lines) => {
          const out = await printed((io) => printLines("stdout", lines, io));
          expect(out).not.toMatch(raw);
          expect(out.split("\n")).toHaveLength(lines.length + 1);
        },
      ),
    );
  });

  it("lets colours out where there are colours", async () => {
    const line = "\u001b[31mred\u001b[39m\u001b[2J";
    const print = (io: Io) => printText("stdout", `${line}\n`, io);
    expect(await printed(print, { isTTY: true })).toBe("\u001b[31mred\u001b[39m\\u001b[2J\n");
    expect(await printed(print)).toBe("\\u001b[31mred\\u001b[39m\\u001b[2J\n");
    expect(await printed(print, { isTTY: true, environment: { NO_COLOR: "1" } })).not.toContain("\u001b");
  });

  it("prints values exactly, without anything that a terminal obeys", async () => {
    const whole = hostile.filter((each) => !/\p{Cs}/u.test(each));
    await fc.assert(
      fc.asyncProperty(fc.dictionary(whole, fc.oneof(whole, fc.array(whole))), async (value) => {
        const json = jsonText(value);
        expect(json).not.toMatch(raw);
        expect(JSON.parse(json)).toEqual(value);
        const yaml = await yamlText(value);
        expect(yaml.replaceAll("\t", "")).not.toMatch(raw);
        expect(parse(yaml)).toEqual(value);
      }),
    );
  });

  it("passes foreign output on byte for byte, and tames it on a terminal wherever its pieces are cut", async () => {
    const output = "a\u001b[31mred\u001b[39m\r\n\tb\u001b]0;x\u0007é\u009b2J\n";
    expect(await printed((io) => passOn([output], io))).toBe(output);
    const tame = "a\u001b[31mred\u001b[39m\n\tb\\u001b]0;x\\u0007é\\u009b2J\n";
    const bytes = Buffer.from(output);
    for (let at = 0; at <= bytes.length; at += 1) {
      const pieces = Readable.from([bytes.subarray(0, at), bytes.subarray(at)].filter(({ length }) => length > 0));
      expect(await printed((io) => passOn(pieces, io), { isTTY: true })).toBe(tame);
    }
  });
});
