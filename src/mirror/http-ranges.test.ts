import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseDigest } from "../image/index.ts";
import { partOf } from "../store/index.ts";
import { hasAlready, rangeHolds, readRange } from "./http-ranges.ts";

describe("Range", () => {
  test.each([
    [undefined, 10, { kind: "whole" }],
    ["", 10, { kind: "whole" }],
    ["bytes=0-3", 10, { kind: "part", first: 0, last: 3 }],
    ["BYTES = 4-", 10, { kind: "part", first: 4, last: 9 }],
    ["bytes=9-100", 10, { kind: "part", first: 9, last: 9 }],
    ["bytes=-3", 10, { kind: "part", first: 7, last: 9 }],
    ["bytes=-30", 10, { kind: "part", first: 0, last: 9 }],
    ["bytes=10-", 10, { kind: "unsatisfiable" }],
    ["bytes=10-12", 10, { kind: "unsatisfiable" }],
    ["bytes=-0", 10, { kind: "unsatisfiable" }],
    ["bytes=0-", 0, { kind: "unsatisfiable" }],
    ["bytes=-1", 0, { kind: "unsatisfiable" }],
    ["bytes=3-1", 10, { kind: "whole" }],
    ["bytes=0-1,2-3", 10, { kind: "whole" }],
    ["bytes=-", 10, { kind: "whole" }],
    ["bytes=a-b", 10, { kind: "whole" }],
    ["bytes=-1-2", 10, { kind: "whole" }],
    ["bytes=0x0-1", 10, { kind: "whole" }],
    [`bytes=${"9".repeat(400)}-`, 10, { kind: "whole" }],
    ["items=0-1", 10, { kind: "whole" }],
  ])("%s of %i bytes", (header, size, part) => {
    expect(readRange(header, size)).toEqual(part);
  });

  test("whatever is asked for: a part lies within the content, and is what a slice of it gives", async () => {
    const number = fc.option(fc.nat(300), { nil: undefined });
    const sizes = fc.array(fc.nat(40), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(number, number, sizes, async (from, to, lengths) => {
        const content = Buffer.from(
          Array.from({ length: lengths.reduce((sum, length) => sum + length, 0) }, (_, at) => at),
        );
        const part = readRange(`bytes=${from ?? ""}-${to ?? ""}`, content.length);
        if (part.kind !== "part") return;
        expect(part.first).toBeGreaterThanOrEqual(0);
        expect(part.last).toBeLessThan(content.length);
        expect(part.first).toBeLessThanOrEqual(part.last);
        let at = 0;
        const pieces = async function* () {
          for (const length of lengths) {
            yield content.subarray(at, at + length);
            at += length;
          }
        };
        const received: Buffer[] = [];
        for await (const piece of partOf(pieces(), part)) received.push(piece);
        expect(Buffer.concat(received)).toEqual(content.subarray(part.first, part.last + 1));
      }),
    );
  });
});

describe("conditions", () => {
  const digest = parseDigest(`sha256:${"a".repeat(64)}`);

  test.each([
    [undefined, false],
    [`"${digest}"`, true],
    [`W/"${digest}"`, true],
    [digest, true],
    [`"other", "${digest}"`, true],
    ["*", true],
    ['"other"', false],
    ["", false],
  ])("If-None-Match: %s", (header, has) => {
    expect(hasAlready(header, digest)).toBe(has);
  });

  test.each([
    [undefined, true],
    [`"${digest}"`, true],
    [`W/"${digest}"`, false],
    ['"other"', false],
    ["Tue, 24 Nov 2026 21:32:00 GMT", false],
  ])("If-Range: %s", (header, holds) => {
    expect(rangeHolds(header, digest)).toBe(holds);
  });
});
