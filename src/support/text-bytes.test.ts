import { expect, it } from "vitest";
import { decodeText, decodeTextLoosely } from "./text-bytes.ts";

const text = "\ufeffkind: Pod # ü 🦊\n";
const little = Buffer.from(text, "utf16le");
const big = Buffer.from(little).swap16();

it.each([
  ["UTF-8", Buffer.from(text)],
  ["UTF-16, little end first", little],
  ["UTF-16, big end first", big],
])("%s is read", (_, bytes) => {
  expect(decodeText(bytes)).toBe(text);
  expect(decodeTextLoosely(bytes)).toBe(text);
});

it("what is no text is refused, or has replacement characters", () => {
  expect(() => decodeText(Buffer.from([0x61, 0xff]))).toThrow();
  expect(() => decodeText(little.subarray(0, -1))).toThrow();
  expect(decodeTextLoosely(Buffer.from([0x61, 0xff]))).toBe("a\ufffd");
});
